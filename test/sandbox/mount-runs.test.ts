import assert from "node:assert/strict";
import { mkdir, readdir, stat, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { mountRuns } from "../../src/sandbox/mount-runs.ts";
import { noMounts } from "../support/no-mounts.ts";
import { platform } from "../support/platform.ts";
import { strictCleanup } from "../support/strict-cleanup.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const TMPFS_MAGIC = 0x01021994;

async function runsIn(root: string): Promise<string> {
  const runs = join(root, "runs");
  await mkdir(runs, { mode: 0o700 });
  return runs;
}

test("the runs are in memory, nobody else's to enter, until the service gives them back", {
  skip: noMounts(),
}, async (t) => {
  const runs = await runsIn(await tempDirectory(t));
  const cleanup = strictCleanup();
  await mountRuns(runs, platform, cleanup);
  try {
    assert.equal((await statfs(runs)).type, TMPFS_MAGIC);
    assert.equal((await stat(runs)).mode & 0o777, 0o700);
    await writeFile(join(runs, "x"), "");
  } finally {
    await cleanup.run();
  }
  assert.deepEqual(await readdir(runs), []);
});

for (const code of ["EPERM", "EACCES"]) {
  test(`they stay where they are for a server that may not mount: ${code}`, async (t) => {
    const runs = await runsIn(await tempDirectory(t));
    const refuse = () => Promise.reject(Object.assign(new Error("no"), { code }));
    const cleanup = strictCleanup();
    await mountRuns(
      runs,
      { mounts: { tmpfs: refuse, unmount: () => assert.fail("nothing is mounted") } },
      cleanup,
    );
    await cleanup.run();
  });
}

test("any other fault stops the start", {
  skip: process.geteuid?.() !== 0 && "asks as root only",
}, async (t) => {
  const runs = await runsIn(await tempDirectory(t));
  const refuse = () => Promise.reject(Object.assign(new Error("no"), { code: "ENOMEM" }));
  const mounts = { tmpfs: refuse, unmount: async () => {} };
  await assert.rejects(mountRuns(runs, { mounts }, strictCleanup()), { code: "ENOMEM" });
});
