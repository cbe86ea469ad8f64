import assert from "node:assert/strict";
import { test } from "node:test";
import { openCpuAccount, ownCgroup } from "../../../scripts/bench/cpu-account.ts";
import { CleanupStack } from "../../../src/core/cleanup-stack.ts";

for (const [memberships, path] of [
  ["3:memory:/m\n2:cpuacct:/some/where\n0::/\n", "/some/where"],
  ["4:cpu,cpuacct:/both\n", "/both"],
  ["4:cpuacct,cpu:/both\n", "/both"],
  ["0::/user.slice\n", "/"],
] as const) {
  test(`in ${JSON.stringify(memberships)} the account is at ${path}`, () => {
    assert.equal(ownCgroup(memberships), path);
  });
}

test("an account counts what this process does", async () => {
  const errors: unknown[] = [];
  const cleanup = new CleanupStack((_, error) => errors.push(error));
  const account = await openCpuAccount(cleanup);
  const before = await account.used_ms();
  for (const end = process.cpuUsage().user + 100_000; process.cpuUsage().user < end; );
  const used = (await account.used_ms()) - before;
  await cleanup.run();
  assert.ok(used >= 50, `${used} ms`);
  assert.deepEqual(errors, []);
});
