import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { HomeInUseError, lockHome } from "../../src/platform/home-lock.ts";
import { platform } from "../support/platform.ts";
import { killAfter } from "../support/processes.ts";
import { runToEnd, textOf } from "../support/run-to-end.ts";
import { scriptArgv } from "../support/script-argv.ts";
import { type TestContext, tempDirectory } from "../support/temp-directory.ts";

const HOLDER = fileURLToPath(new URL("../support/scripts/hold-home-lock.ts", import.meta.url));
const ENV = { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "/" };

/** Another process that holds the lock of a home. */
async function startHolder(t: TestContext, lock: string) {
  const child = platform.spawn(scriptArgv(HOLDER, lock), { env: ENV });
  killAfter(t, child.pid);
  const stderr = textOf(child.stderr);
  const reader = child.stdout[Symbol.asyncIterator]();
  const first = await reader.next();
  assert.equal(Buffer.from(first.value ?? []).toString(), "locked\n", first.done ? await stderr : "");
  return {
    async kill() {
      child.kill("SIGKILL");
      await Promise.all([reader.next(), stderr, child.exited]);
    },
  };
}

test("a home that another process holds is refused, by the path of its lock", async (t) => {
  const lock = join(await tempDirectory(t), "lock.sqlite");
  const holder = await startHolder(t, lock);
  assert.throws(
    () => lockHome(platform, lock),
    (error) => error instanceof HomeInUseError && error.message.startsWith(`${lock}: `),
  );
  await holder.kill();
});

test("a home is free again once its holder was killed with SIGKILL", async (t) => {
  const lock = join(await tempDirectory(t), "lock.sqlite");
  await (await startHolder(t, lock)).kill();
  lockHome(platform, lock)();
});

test("a home that we hold is refused to another process until we give it back", async (t) => {
  const lock = join(await tempDirectory(t), "lock.sqlite");
  const release = lockHome(platform, lock);
  const { stdout } = await runToEnd(scriptArgv(HOLDER, lock), { env: ENV });
  assert.match(stdout, /^HomeInUseError: /);
  release();
  await (await startHolder(t, lock)).kill();
});

test("a home is refused to a second server in the same process as well", async (t) => {
  const lock = join(await tempDirectory(t), "lock.sqlite");
  const release = lockHome(platform, lock);
  assert.throws(() => lockHome(platform, lock), HomeInUseError);
  release();
  lockHome(platform, lock)();
});

test("a home stays taken though nobody keeps what would give it back", async (t) => {
  const lock = join(await tempDirectory(t), "lock.sqlite");
  (() => {
    lockHome(platform, lock);
  })();
  for (let round = 0; round < 5; round += 1) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.throws(() => lockHome(platform, lock), HomeInUseError);
});

test("two homes do not disturb each other", async (t) => {
  const directory = await tempDirectory(t);
  const releases = ["a", "b"].map((name) => lockHome(platform, join(directory, name)));
  for (const release of releases) release();
});

test("a lock file that is no database, or lies in no directory, is not said to be in use", async (t) => {
  const directory = await tempDirectory(t);
  const garbage = join(directory, "lock.sqlite");
  await writeFile(garbage, "not a database, but long enough to be taken for a header of one".repeat(20));
  for (const path of [garbage, join(directory, "nosuch", "lock.sqlite")]) {
    assert.throws(
      () => lockHome(platform, path),
      (error) => error instanceof Error && !(error instanceof HomeInUseError),
      path,
    );
  }
});

/** Where the runtime lets us. */
function collectGarbage(): void {
  const { Bun } = globalThis as { Bun?: { gc(synchronously: boolean): void } };
  Bun?.gc(true);
}
