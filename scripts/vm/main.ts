import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { messageOf } from "../../src/core/errors.ts";
import { loadSettings } from "../setup/load-settings.ts";
import { Progress } from "../setup/progress.ts";
import { inSetUp } from "../setup/set-up.ts";
import { formatTally, type Tally } from "../test/junit.ts";
import { testFiles } from "../test/test-files.ts";
import { boot } from "./boot.ts";
import { ensureParts } from "./ensure-parts.ts";
import { packRoot } from "./pack-root.ts";
import { parseTallyLine } from "./tally-line.ts";

/** What is run when no paths are given: what is otherwise under cgroup v2. */
const TESTS = ["test/vm", "test/integration/cgroups.test.ts"];

process.umask(0o022);
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort());
const work = await mkdtemp(join(tmpdir(), "boxer-vm-"));
const consoleLog = join(work, "console.log");
const tally = await runTests(process.argv.slice(2)).catch((error) => failure(messageOf(error)));
console.log(tally.failures.map((line) => `failed: ${line}\n`).join(""));
await tidy(tally.failed > 0 && !stop.signal.aborted);
console.log(formatTally(tally));
process.exitCode = tally.failed > 0 || tally.passed === 0 ? 1 : 0;

/** Boots a machine for these tests, prints what it tells, and returns how they ended. */
async function runTests(paths: readonly string[]): Promise<Tally> {
  const progress = new Progress(console.log);
  const parts = await inSetUp(await loadSettings([]), progress, ensureParts);
  const tests = await testFiles("bun", paths.length > 0 ? paths : TESTS);
  const initrd = join(work, "initrd");
  await progress.step("root", () => packRoot(resolve("."), parts, tests, initrd));
  console.log("\n== tests in a virtual machine with cgroup v2");
  const started = performance.now();
  let told: Tally | undefined;
  const fault = await boot({ ...parts, initrd, consoleLog }, stop.signal, (line) => {
    const result = parseTallyLine(line);
    if (result) told = result;
    else console.log(line);
  });
  console.log(`== the machine was on for ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return told ?? failure(`the machine told no result: ${fault ?? "it ended by itself"}`);
}

/** Removes what was made for the machine; what its kernel said is kept where that may tell why a test failed. */
async function tidy(keepConsole: boolean): Promise<void> {
  if (!keepConsole) return rm(work, { recursive: true, force: true });
  await rm(join(work, "initrd"), { force: true });
  console.log(`What the machine's kernel said: ${consoleLog}`);
}

function failure(line: string): Tally {
  return { passed: 0, failed: 1, skipped: 0, failures: [line] };
}
