import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { killStraySandboxes } from "../../src/sandbox/sweep.ts";
import { until } from "../support/leftovers.ts";
import { platform } from "../support/platform.ts";
import { isAlive, killAfter } from "../support/processes.ts";
import { PLAIN_ENV, textOf } from "../support/run-to-end.ts";
import { type TestContext, tempDirectory } from "../support/temp-directory.ts";

/** A lasting process with the arguments given; `tail` takes any as names of files to follow. */
async function start(t: TestContext, ...args: string[]) {
  const child = platform.spawn(["tail", "-f", "--", "/dev/null", ...args], { env: PLAIN_ENV });
  killAfter(t, child.pid);
  const ended = Promise.all([textOf(child.stdout), textOf(child.stderr), child.exited]).then(
    ([, , status]) => status,
  );
  // For a moment it has no command line.
  await until(async () => (await readFile(`/proc/${child.pid}/cmdline`, "utf8")).includes("/dev/null"));
  return { pid: child.pid, ended, kill: () => child.kill("SIGKILL") };
}

test("sandboxes that an earlier server left are killed, even stopped ones, and counted", async (t) => {
  const runs = await tempDirectory(t);
  const strays = await Promise.all([1, 2, 3].map((n) => start(t, `--root=${runs}/boxer-${n}/s`)));
  process.kill(strays[0]?.pid ?? 0, "SIGSTOP");
  const ended = Promise.all(strays.map((stray) => stray.ended));
  assert.equal(await killStraySandboxes(runs), 3);
  for (const stray of strays) assert.equal(await isAlive(stray.pid), false);
  await ended;
  assert.equal(await killStraySandboxes(runs), 0);
});

test("sandboxes that an earlier server left are told from the sandboxes of other homes and from other processes", async (t) => {
  const runs = await tempDirectory(t);
  const others = [
    await start(t, `--root=${runs}-other/boxer-1/s`),
    await start(t, `--root=/elsewhere${runs}/boxer-1/s`),
    await start(t, `--root=${runs}`),
    await start(t, `${runs}/boxer-1/s`),
    await start(t, `x--root=${runs}/boxer-1/s`),
  ];
  const stray = await start(t, `--root=${runs}/boxer-1/s`);
  const ended = Promise.all([...others, stray].map((each) => each.ended));
  assert.equal(await killStraySandboxes(runs), 1);
  assert.equal(await isAlive(stray.pid), false);
  for (const other of others) assert.equal(await isAlive(other.pid), true);
  for (const other of others) other.kill();
  await ended;
});

test("where nothing was left, nothing is killed", async (t) => {
  assert.equal(await killStraySandboxes(await tempDirectory(t)), 0);
});
