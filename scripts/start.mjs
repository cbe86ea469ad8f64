// `npm start`: installs what is missing, then serves. Arguments are those of the server.
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { ensureDependencies } from "./setup/dependencies.mjs";
import { ROOT, runBun } from "./setup/run-bun.mjs";

/** Arguments that make the server say something and stop: nothing has to be set up for them. */
const ONLY_SAYS = ["--help", "-h", "--version", "--check-config"];

const given = process.argv.slice(2);
const args = [...configFor(given), ...given];
await ensureDependencies(ROOT, { dev: false });
const setUp = given.some((arg) => ONLY_SAYS.includes(arg)) ? 0 : await runBun("scripts/setup.ts", args);
process.exitCode = setUp || (await runBun("src/main.ts", args));

/**
 * A newcomer has no configuration: the one for development listens on loopback only.
 *
 * @param {string[]} given
 */
function configFor(given) {
  const named = given.some((arg) => arg === "--config" || arg.startsWith("--config="));
  if (named || process.env.BOXER_CONFIG || existsSync(join(homedir(), ".boxer/config.json"))) return [];
  console.error("configuration  none given: using config.dev.json, which listens on loopback only");
  return ["--config", join(ROOT, "config.dev.json")];
}
