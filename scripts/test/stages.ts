import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { formatTally, type Tally, tallyJunit } from "./junit.ts";
import { runQuietly } from "./run-quietly.ts";

/** One part of the whole check; `signal` ends it early. What it says is to be added up. */
export interface Stage<Part extends Tally = Tally> {
  name: string;
  run(signal: AbortSignal): Promise<Part[]>;
}

/** How the tests of one file ended under one runner. */
export interface TestedFile extends Tally {
  /** `bun test ./test/x.test.ts` */
  name: string;
  /** Runs the same tests once more. */
  again(signal: AbortSignal): Promise<TestedFile>;
}

/** A test runner: what it is called and how it is called for one file, with a place for its JUnit report. */
export interface Runner {
  name: string;
  argv(file: string, report: string): string[];
  /** What its environment has beyond that of this process. */
  env?: Readonly<Record<string, string>>;
}

/** A hang is the same after any time; a test on a busy machine may need a lot of it. */
const TEST_TIMEOUT_MS = 300_000;
const FILE_TIMEOUT_MS = 600_000;
const CHECK_TIMEOUT_MS = 600_000;
const COUNTED_TIMEOUT_MS = 1_200_000;

export const BUN_TEST: Runner = {
  name: "bun test",
  argv(file, report) {
    const reporter = ["--reporter=junit", `--reporter-outfile=${report}`];
    return ["node_modules/.bin/bun", "test", `--timeout=${TEST_TIMEOUT_MS}`, ...reporter, file];
  },
};

/** With services that keep sandboxes ready, so that the runs of tests are taken over by those; see `WARM_MODE`. */
export const BUN_TEST_WARM: Runner = { ...BUN_TEST, name: "bun test, warm", env: { BOXER_TEST_WARM: "1" } };

export const DENO_TEST: Runner = {
  name: "deno test",
  argv(file, report) {
    const flags = ["--allow-all", "--no-check", "--unstable-no-legacy-abort", `--junit-path=${report}`];
    return ["node_modules/.bin/deno", "test", ...flags, file];
  },
};

/** A tool that says yes or no by its exit code; counts as one test. */
export function checkStage(name: string, argv: readonly string[]): Stage {
  return {
    name,
    async run(signal) {
      const { fault, output } = await runQuietly(argv, { signal, timeout_ms: CHECK_TIMEOUT_MS });
      if (fault === undefined) return [{ passed: 1, failed: 0, skipped: 0, failures: [] }];
      console.log(output);
      return [{ passed: 0, failed: 1, skipped: 0, failures: [`${name}: ${fault}`] }];
    },
  };
}

/** A program that runs tests of its own and says last how many passed and failed; nothing said is a failure. */
export function countedStage(name: string, argv: readonly string[]): Stage {
  return {
    name,
    async run(signal) {
      const { fault, output } = await runQuietly(argv, { signal, timeout_ms: COUNTED_TIMEOUT_MS });
      const [, passed = "0", stated = "1"] = /^(\d+) passed, (\d+) failed/m.exec(lastLineOf(output)) ?? [];
      const failed = Math.max(Number(stated), fault === undefined ? 0 : 1);
      if (failed > 0) console.log(output);
      const failures = failed > 0 ? [`${name}: ${failed} failed${fault ? ` (${fault})` : ""}`] : [];
      return [{ passed: Number(passed), failed, skipped: 0, failures }];
    },
  };
}

function lastLineOf(text: string): string {
  return text.trimEnd().split("\n").at(-1) ?? "";
}

/**
 * Runs every file in a process of its own: what one leaves behind, a crash or a hang, costs that file only. One line
 * a file; the output of those with failures is shown in full.
 *
 * @param reports directory for JUnit reports
 */
export function testStage(runner: Runner, files: readonly string[], reports: string): Stage<TestedFile> {
  return {
    name: runner.name,
    async run(signal) {
      const tested: TestedFile[] = [];
      for (const file of files) {
        if (!signal.aborted) tested.push(await runFile(runner, file, { reports, signal }));
      }
      return tested;
    },
  };
}

async function runFile(
  runner: Runner,
  file: string,
  { reports, signal }: { reports: string; signal: AbortSignal },
): Promise<TestedFile> {
  const started = performance.now();
  const report = join(reports, `${runner.name} ${file.replaceAll("/", " ")}.xml`);
  // An earlier attempt's would speak for one that crashes.
  await rm(report, { force: true });
  const argv = runner.argv(file, report);
  const options = { signal, timeout_ms: FILE_TIMEOUT_MS, ...(runner.env && { env: runner.env }) };
  const { fault, output } = await runQuietly(argv, options);
  const tally = tallyJunit(await readFile(report, "utf8").catch(() => ""), file, fault);
  if (tally.failed > 0) console.log(output);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const result = tally.failed > 0 ? "FAIL" : "ok  ";
  const name = `${runner.name} ${file}`;
  console.log(`${result} ${name}: ${formatTally(tally)} (${seconds} s)`);
  return {
    ...tally,
    failures: tally.failures.map((line) => `${runner.name}: ${line}`),
    name,
    again: (signal) => runFile(runner, file, { reports, signal }),
  };
}
