import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import { addTallies, formatTally, tallyJunit } from "../../../scripts/test/junit.ts";

const BUN = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="bun test" tests="6" failures="2" skipped="2">
  <testsuite name="test/a.test.ts" file="test/a.test.ts" tests="6">
    <testcase name="passes" classname="" time="0.003" file="test/a.test.ts" line="3" assertions="0" />
    <testcase name="fails &lt;&amp;&gt; &quot;&#x26;&#10;" classname="" file="test/a.test.ts" line="4">
      <failure type="AssertionError" message="Expected:&#10;&#10;1 !== 2">AssertionError</failure>
    </testcase>
    <testcase name="skips" classname="" file="test/a.test.ts" line="5"><skipped /></testcase>
    <testcase name="later" classname="" file="test/a.test.ts" line="6"><skipped message="TODO" /></testcase>
    <testsuite name="group" file="test/a.test.ts" line="7" tests="2">
      <testcase name="in group" classname="group" file="test/a.test.ts" line="7" />
      <testcase name="fails too" classname="group" file="test/a.test.ts" line="8"><failure message="boom" /></testcase>
    </testsuite>
  </testsuite>
</testsuites>`;

const DENO = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="7" failures="2" errors="0">
    <testsuite name="./test/a.test.ts" tests="3" disabled="1" failures="1">
        <testcase name="passes" classname="./test/a.test.ts" time="0.001" line="3" col="1">
        </testcase>
        <testcase name="skips" classname="./test/a.test.ts" time="0.000" line="5" col="1">
            <skipped/>
        </testcase>
        <testcase name="group" classname="./test/a.test.ts" time="0.003" line="7" col="1">
            <failure message="1 test step failed">1 test step failed.</failure>
        </testcase>
    </testsuite>
    <testsuite name="ext:deno_node/testing.ts" tests="2" failures="1">
        <testcase name="group &gt; in group" classname="ext:deno_node/testing.ts" line="1">
        </testcase>
        <testcase name="group &gt; fails" classname="ext:deno_node/testing.ts" line="1">
            <failure message="Uncaught Error: boom
second line">Error: boom</failure>
        </testcase>
    </testsuite>
</testsuites>`;

const FILE = "./test/a.test.ts";

describe("a JUnit report", () => {
  it("of bun is counted test by test", () => {
    assert.deepEqual(tallyJunit(BUN, FILE, "exit code 1"), {
      passed: 2,
      failed: 2,
      skipped: 2,
      failures: [`${FILE}: fails <&> "&\n: Expected:`, `${FILE}: fails too: boom`],
    });
  });

  it("of deno is counted without the groups around the tests", () => {
    assert.deepEqual(tallyJunit(DENO, FILE, "exit code 1"), {
      passed: 2,
      failed: 1,
      skipped: 1,
      failures: [`${FILE}: group > fails: Uncaught Error: boom`],
    });
  });

  it("of deno counts a group that failed for a reason of its own", () => {
    const report = DENO.replace('message="1 test step failed"', 'message="Uncaught Error: before hook"');
    assert.equal(tallyJunit(report, FILE, "exit code 1").failed, 2);
  });

  const passing = '<testsuites><testsuite name="x"><testcase name="passes" /></testsuite></testsuites>';

  it("without a failure is a failure all the same when the runner was not content", () => {
    assert.deepEqual(tallyJunit(passing, FILE, "exit code 1"), {
      passed: 1,
      failed: 1,
      skipped: 0,
      failures: [`${FILE}: no test failed, but the runner did: exit code 1`],
    });
    assert.equal(tallyJunit(passing, FILE, undefined).failed, 0);
  });

  it("that is empty or was never written is a failure", () => {
    assert.deepEqual(tallyJunit("", FILE, "killed").failures, [`${FILE}: no test was run: killed`]);
    assert.equal(tallyJunit("<testsuites></testsuites>", FILE, undefined).failed, 1);
  });
});

test("tallies are added up and shown on one line", () => {
  const one = { passed: 2, failed: 1, skipped: 0, failures: ["x"] };
  const two = { passed: 3, failed: 0, skipped: 4, failures: [] };
  assert.equal(formatTally(one), "2 passed, 1 failed");
  assert.equal(formatTally(addTallies([one, two])), "5 passed, 1 failed, 4 skipped");
  assert.deepEqual(addTallies([one, two]).failures, ["x"]);
});
