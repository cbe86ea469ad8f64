import { parseArgs } from "node:util";
import { loadConfig } from "../../src/config/load-config.ts";
import type { Settings } from "./setup-context.ts";

/**
 * The configuration that the server will read with these arguments, of which only `--config` matters here. Throws
 * ConfigError when it cannot be used.
 */
export async function loadSettings(args: readonly string[]): Promise<Settings> {
  const options = { config: { type: "string" } } as const;
  const { values } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true });
  const flag = typeof values.config === "string" ? values.config : undefined;
  return (await loadConfig(flag, process.env)).config;
}
