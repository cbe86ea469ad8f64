import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CleanupStack } from "../../src/core/cleanup-stack.ts";
import { noCgroups } from "../../test/support/no-cgroups.ts";
import type { BenchOptions } from "./bench-options.ts";
import type { Report } from "./report.ts";
import { WORKLOADS } from "./workloads.ts";

/** What the sections share. Each gets one of its own, and gives back what it started. */
export interface BenchContext {
  readonly options: BenchOptions;
  readonly report: Report;
  /** Run when the section is over. */
  readonly cleanup: CleanupStack;
  /** Whether limits can be enforced by cgroups here. */
  readonly hasCgroups: boolean;
  /** All input files of the workloads, by their paths in the guest. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Makes a directory that is this section's own. */
  directory(name: string): Promise<string>;
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * Gives a section a context below a directory, and removes what the section has made there, also when a signal
 * ends the benchmark.
 * @param section names the directory
 */
export async function inBenchContext(
  work: string,
  section: string,
  shared: Pick<BenchContext, "options" | "report">,
  use: (context: BenchContext) => Promise<void>,
): Promise<void> {
  const cleanup = new CleanupStack((label, error) => console.error(`Cannot give back ${label}:`, error));
  const root = join(work, section);
  cleanup.defer("directory", () => rm(root, { recursive: true, force: true }));
  const directory = async (name: string): Promise<string> => {
    const path = join(root, name);
    await mkdir(path, { recursive: true });
    return path;
  };
  const inputs = Object.assign({}, ...WORKLOADS.map(({ files }) => files));
  const giveUp = async (): Promise<void> => {
    await cleanup.run();
    process.exit(1);
  };
  for (const signal of SIGNALS) process.once(signal, giveUp);
  try {
    await use({ ...shared, cleanup, hasCgroups: noCgroups() === false, inputs, directory });
  } finally {
    await cleanup.run();
    for (const signal of SIGNALS) process.removeListener(signal, giveUp);
  }
}

/** Writes the workloads' input files for those that do not upload them. @returns their directory */
export async function writeInputs(context: BenchContext, name: string): Promise<string> {
  const directory = await context.directory(name);
  for (const [path, content] of Object.entries(context.inputs)) {
    const file = join(directory, path);
    await mkdir(join(file, ".."), { recursive: true });
    await writeFile(file, content, { mode: 0o644 });
  }
  return directory;
}
