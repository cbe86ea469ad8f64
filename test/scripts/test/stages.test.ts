import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { addTallies } from "../../../scripts/test/junit.ts";
import { checkStage, countedStage, type Runner, testStage } from "../../../scripts/test/stages.ts";
import { tempDirectory } from "../../support/temp-directory.ts";

const signal = new AbortController().signal;
const PASSED = '<testsuite name="x"><testcase name="passes" /></testsuite>';
const FAILED = '<testsuite name="x"><testcase name="fails"><failure message="boom" /></testcase></testsuite>';

/** A runner that runs the test file as a shell script; `$1` is where its report goes. */
const shell: Runner = { name: "shell", argv: (file, report) => ["sh", file, report] };

describe("a stage of tests", () => {
  it("runs every file, whatever became of those before", async (t) => {
    const dir = await tempDirectory(t);
    const scripts = {
      crashes: "kill -SEGV $$",
      fails: `echo '${FAILED}' > "$1"; exit 1`,
      passes: `echo '${PASSED}' > "$1"`,
      leaves: `echo '${PASSED}' > "$1"; sleep 1000 & echo $! > ${join(dir, "left")}`,
    };
    const files = Object.keys(scripts).map((name) => join(dir, name));
    for (const [name, script] of Object.entries(scripts)) await writeFile(join(dir, name), script);
    const { passed, failed, failures } = addTallies(await testStage(shell, files, dir).run(signal));
    assert.deepEqual([passed, failed], [2, 2]);
    assert.match(failures[0] ?? "", /^shell: .*crashes: no test was run: killed by SIGSEGV/);
    assert.equal(failures[1], `shell: ${join(dir, "fails")}: fails: boom`);
    process.kill(Number(await readFile(join(dir, "left"), "utf8")));
  });

  it("ends early when told to", async (t) => {
    const dir = await tempDirectory(t);
    const file = join(dir, "waits");
    await writeFile(file, "exec sleep 1000");
    const tested = await testStage(shell, [file, file], dir).run(AbortSignal.timeout(100));
    assert.equal(addTallies(tested).failed, 1);
  });
});

describe("a tested file that is run again", () => {
  const counted = 'echo >> "$0.count"; n=$(wc -l < "$0.count")';

  it("is told as it is then, and by the same name", async (t) => {
    const file = join(await tempDirectory(t), "unsteady");
    await writeFile(
      file,
      `${counted}; [ $n = 1 ] && echo '${FAILED}' > "$1" && exit 1; echo '${PASSED}' > "$1"`,
    );
    const [first] = await testStage(shell, [file], join(file, "..")).run(signal);
    const second = await first?.again(signal);
    assert.deepEqual([first?.name, first?.failed], [`shell ${file}`, 1]);
    assert.deepEqual([second?.name, second?.failed, second?.passed], [`shell ${file}`, 0, 1]);
  });

  it("does not pass by the report of its first attempt", async (t) => {
    const file = join(await tempDirectory(t), "crashes");
    await writeFile(file, `${counted}; [ $n = 1 ] && echo '${PASSED}' > "$1"; exit 0`);
    const [first] = await testStage(shell, [file], join(file, "..")).run(signal);
    assert.deepEqual([first?.failed, (await first?.again(signal))?.failed], [0, 1]);
  });
});

describe("a check", () => {
  it("is one test that passes or fails by the exit code", async () => {
    assert.equal((await checkStage("lint", ["true"]).run(signal))[0]?.passed, 1);
    assert.deepEqual((await checkStage("lint", ["false"]).run(signal))[0]?.failures, ["lint: exit code 1"]);
    assert.equal((await checkStage("lint", ["/nonexistent/lint"]).run(signal))[0]?.failed, 1);
  });
});

describe("a stage that counts by itself", () => {
  for (const [name, script, expected] of [
    ["believes its last line", "echo 9 passed, 9 failed; echo 3 passed, 0 failed", [3, 0]],
    ["tells failures", "echo 3 passed, 2 failed; exit 1", [3, 2]],
    ["has failed when it ends with a fault, whatever it says", "echo 3 passed, 0 failed; exit 1", [3, 1]],
    ["has failed when it ends early", "exit 70", [0, 1]],
    ["has failed when it says nothing", "true", [0, 1]],
  ] as const) {
    it(name, async () => {
      const tallies = await countedStage("vm", ["sh", "-c", script]).run(signal);
      const { passed, failed, failures } = addTallies(tallies);
      assert.deepEqual([passed, failed, failures.length], [...expected, expected[1] > 0 ? 1 : 0]);
    });
  }
});
