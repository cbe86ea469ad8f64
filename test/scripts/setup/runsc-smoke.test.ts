import assert from "node:assert/strict";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { smokeTest } from "../../../scripts/setup/runsc-smoke.ts";
import { fakeProgram } from "../../support/setup-context.ts";
import { type TestContext, tempDirectory } from "../../support/temp-directory.ts";

/** The verdict on a runsc that is this script; `$COUNT` is a directory to count runs in, `$LOG` the panic log. */
async function verdictOn(
  t: TestContext,
  script: string,
): Promise<{ fault: string | undefined; runs: number }> {
  const dir = await tempDirectory(t);
  const count = join(dir, "count");
  await mkdir(count);
  const log = 'for word; do case "$word" in --panic-log=*) LOG=$(echo "$word" | cut -d= -f2);; esac; done';
  const runsc = await fakeProgram(join(dir, "runsc"), `COUNT=${count}; : > $COUNT/$$; ${log}\n${script}`);
  const bundle = join(dir, "bundle");
  await mkdir(bundle);
  return { fault: await smokeTest(runsc, "systrap", bundle), runs: (await readdir(count)).length };
}

describe("a runsc is tried", () => {
  it("twenty times, and is good when all goes well", async (t) => {
    assert.deepEqual(await verdictOn(t, "exit 0"), { fault: undefined, runs: 20 });
  });

  it("and is bad when a single run fails, with the reason it gave", async (t) => {
    const script = "[ $(ls $COUNT | wc -l) -lt 7 ] || { echo 'unknown platform' >&2; exit 128; }";
    const { fault, runs } = await verdictOn(t, script);
    assert.equal(fault, "a trial run with platform systrap ended with exit code 128: unknown platform");
    assert.ok(runs < 20);
  });

  it("and is bad when a run leaves a panic, even with exit code 0", async (t) => {
    const { fault } = await verdictOn(t, 'echo "panic: running on goroutine 7" > "$LOG"');
    assert.match(fault ?? "", /exit code 0: panic: running on goroutine 7$/);
  });

  it("and is bad when it dies of a signal", async (t) => {
    const { fault } = await verdictOn(t, "kill -SEGV $$");
    assert.match(fault ?? "", /killed by SIGSEGV/);
  });
});
