import { cpus, loadavg, release, totalmem } from "node:os";
import { runscPath } from "../../test/support/fixtures.ts";
import { tryCommand } from "../setup/command.ts";
import type { BenchOptions } from "./bench-options.ts";

/** What the figures hang on. */
export async function machineFacts(options: BenchOptions): Promise<Record<string, unknown>> {
  const { stdout } = await tryCommand([runscPath(), "--version"]);
  return {
    date: new Date().toISOString(),
    cores: cpus().length,
    processor: cpus()[0]?.model ?? "unknown",
    memory_gb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    runsc: /^runsc version (.+)$/m.exec(stdout)?.[1] ?? "unknown",
    runtime: process.versions.bun ? `bun ${process.versions.bun}` : `node ${process.versions.node}`,
    load_before: loadavg()[0],
    options,
  };
}
