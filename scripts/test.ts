import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf } from "../src/core/errors.ts";
import { loadSettings } from "./setup/load-settings.ts";
import { Progress } from "./setup/progress.ts";
import { setUp } from "./setup/set-up.ts";
import { addTallies, formatTally, type Tally } from "./test/junit.ts";
import { BUN_TEST, checkStage, countedStage, DENO_TEST, type Stage, testStage } from "./test/stages.ts";
import { testFiles } from "./test/test-files.ts";

process.umask(0o022);
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort());
const reports = await mkdtemp(join(tmpdir(), "boxer-reports-"));
try {
  const total = await runAll(process.argv.slice(2), reports);
  console.log(total.failures.map((line) => `failed: ${line}\n`).join(""));
  console.log(formatTally(total));
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
} finally {
  await rm(reports, { recursive: true, force: true });
}

/**
 * Runs every stage, whatever became of those before. With paths given, only the tests that they name. The two runtimes
 * go through the tests at the same time, from opposite ends: most tests wait more than they work, and the heavy ones of
 * the one seldom meet those of the other.
 */
async function runAll(filters: readonly string[], dir: string): Promise<Tally> {
  const [bunFiles, denoFiles] = await Promise.all([testFiles("bun", filters), testFiles("deno", filters)]);
  const groups: Stage[][] = [
    [setUpStage()],
    ...(filters.length === 0 ? checks().map((stage) => [stage]) : []),
    [testStage(BUN_TEST, bunFiles, dir), testStage(DENO_TEST, denoFiles.toReversed(), dir)],
    ...(filters.length === 0 && process.env.CI ? [[virtualMachine()]] : []),
  ];
  const tallies: Tally[] = [];
  for (const group of groups) {
    if (!stop.signal.aborted) tallies.push(...(await Promise.all(group.map(runStage))));
  }
  if (stop.signal.aborted) tallies.push(failure("stopped before the end"));
  return addTallies(tallies);
}

/** Some five minutes of what is otherwise under cgroup v2, so only where nobody waits; else `npm run test:vm`. */
function virtualMachine(): Stage {
  return countedStage("virtual machine", ["node", "scripts/vm/test-vm.mjs"]);
}

function checks(): Stage[] {
  return [
    checkStage("lint", ["node_modules/.bin/biome", "check", "."]),
    checkStage("typecheck", ["node_modules/.bin/tsc", "--noEmit"]),
  ];
}

/** Not a test itself: it counts only when it fails. The tests then say what else does not work without it. */
function setUpStage(): Stage {
  return {
    name: "set-up",
    async run() {
      try {
        await setUp(await loadSettings([]), new Progress(console.log), { fixtures: true });
        return addTallies([]);
      } catch (error) {
        return failure(`set-up: ${messageOf(error)}`);
      }
    },
  };
}

async function runStage(stage: Stage): Promise<Tally> {
  console.log(`\n== ${stage.name}`);
  const started = performance.now();
  const tally = await stage.run(stop.signal);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`== ${stage.name}: ${formatTally(tally)} (${seconds} s)`);
  return tally;
}

function failure(line: string): Tally {
  return { passed: 0, failed: 1, skipped: 0, failures: [line] };
}
