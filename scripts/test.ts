import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf } from "../src/core/errors.ts";
import { addToSearchPath } from "./setup/add-to-search-path.ts";
import { loadSettings } from "./setup/load-settings.ts";
import { placesAt } from "./setup/places.ts";
import { Progress } from "./setup/progress.ts";
import { setUp } from "./setup/set-up.ts";
import { addTallies, formatTally, type Tally } from "./test/junit.ts";
import { type SecondLook, secondLook } from "./test/second-look.ts";
import {
  BUN_TEST,
  BUN_TEST_WARM,
  checkStage,
  countedStage,
  DENO_TEST,
  type Stage,
  testStage,
} from "./test/stages.ts";
import { testFiles, WARM_FILES } from "./test/test-files.ts";

process.umask(0o022);
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort());
const reports = await mkdtemp(join(tmpdir(), "boxer-reports-"));
try {
  const { tallies, unsteady } = await runAll(process.argv.slice(2), reports);
  const total = addTallies(tallies);
  for (const line of total.failures) console.log(`failed: ${line}`);
  for (const line of unsteady) console.log(`unsteady: ${line}`);
  console.log(formatTally(total));
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
} finally {
  await rm(reports, { recursive: true, force: true });
}

/** Runs every stage, whatever became of those before. With paths given, only the tests that they name. */
async function runAll(
  filters: readonly string[],
  dir: string,
): Promise<{ tallies: Tally[]; unsteady: string[] }> {
  const isWhole = filters.length === 0;
  const tallies: Tally[] = [];
  for (const stage of [setUpStage(), ...(isWhole ? checks() : [])]) tallies.push(...(await runStage(stage)));
  const { files, unsteady } = await runTests(filters, dir);
  tallies.push(...files);
  if (isWhole && process.env.CI) tallies.push(...(await runStage(virtualMachine())));
  if (stop.signal.aborted) tallies.push(failure("stopped before the end"));
  return { tallies, unsteady };
}

/**
 * The two runtimes go through the tests at the same time, from opposite ends: most tests wait more than they work, and
 * the heavy ones of the one seldom meet those of the other. A whole check then has some of them run in sandboxes booted
 * ahead. What failed is tried again without another's load.
 */
async function runTests(filters: readonly string[], dir: string): Promise<SecondLook> {
  const [bunFiles, denoFiles] = await Promise.all([testFiles("bun", filters), testFiles("deno", filters)]);
  const tested = await Promise.all([
    runStage(testStage(BUN_TEST, bunFiles, dir)),
    runStage(testStage(DENO_TEST, denoFiles.toReversed(), dir)),
  ]);
  if (filters.length === 0) tested.push(await runStage(testStage(BUN_TEST_WARM, WARM_FILES, dir)));
  return secondLook(tested.flat(), stop.signal);
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
        const settings = await loadSettings([]);
        // What cannot be fetched, a machine may have; tests find either by name.
        addToSearchPath(placesAt(settings.home).bin);
        await setUp(settings, new Progress(console.log), { fixtures: true });
        return [];
      } catch (error) {
        return [failure(`set-up: ${messageOf(error)}`)];
      }
    },
  };
}

async function runStage<Part extends Tally>(stage: Stage<Part>): Promise<Part[]> {
  if (stop.signal.aborted) return [];
  console.log(`\n== ${stage.name}`);
  const started = performance.now();
  const parts = await stage.run(stop.signal);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`== ${stage.name}: ${formatTally(addTallies(parts))} (${seconds} s)`);
  return parts;
}

function failure(line: string): Tally {
  return { passed: 0, failed: 1, skipped: 0, failures: [line] };
}
