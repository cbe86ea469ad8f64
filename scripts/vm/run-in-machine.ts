import { readFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addTallies } from "../test/junit.ts";
import { BUN_TEST, type Runner, testStage } from "../test/stages.ts";
import { formatTallyLine } from "./tally-line.ts";

const TEST_TIMEOUT_MS = 600_000;
const NEEDED = ["cpu", "memory", "pids"];

/** What cannot be had from the machine must not look like a test that may be skipped. */
const controllers = readFileSync("/sys/fs/cgroup/cgroup.controllers", "utf8").trim().split(" ");
const missing = NEEDED.filter((name) => !controllers.includes(name));
if (missing.length > 0) throw new Error(`cgroup v2 has no controller ${missing.join(", ")} here`);

const runner: Runner = {
  name: "bun test in the machine",
  argv: (file, report) =>
    BUN_TEST.argv(file, report).map((argument) =>
      argument.replace(/^--timeout=.*/, `--timeout=${TEST_TIMEOUT_MS}`),
    ),
};
const reports = await mkdtemp(join(tmpdir(), "boxer-reports-"));
const tested = await testStage(runner, process.argv.slice(2), reports).run(new AbortController().signal);
console.log(formatTallyLine(addTallies(tested)));
