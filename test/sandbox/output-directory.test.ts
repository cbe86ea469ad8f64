import assert from "node:assert/strict";
import { mkdir, readdir, rm, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { CleanupStack } from "../../src/core/cleanup-stack.ts";
import type { Mounts } from "../../src/platform/mounts.ts";
import { makeOutputDirectory } from "../../src/sandbox/output-directory.ts";
import { NOBODY } from "../../src/sandbox/spec.ts";
import { noMounts } from "../support/no-mounts.ts";
import { platform } from "../support/platform.ts";
import { strictCleanup } from "../support/strict-cleanup.ts";
import { type TestContext, tempDirectory } from "../support/temp-directory.ts";

const ROOM = { max_bytes: 100_000, max_files: 10, max_entries: 20 };
const FULL = "output_files_limit";

function cleanupStack(t: TestContext): CleanupStack {
  const cleanup = strictCleanup();
  t.after(() => cleanup.run());
  return cleanup;
}

/** Without CAP_SYS_ADMIN. */
const NONE_ALLOWED: Mounts = {
  tmpfs: async () => {
    throw Object.assign(new Error("no"), { code: "EPERM" });
  },
  unmount: () => assert.fail("nothing was mounted"),
};

async function make(t: TestContext, mounts = platform.mounts, room = ROOM) {
  const path = join(await tempDirectory(t), "output");
  const cleanup = cleanupStack(t);
  const isFull = await makeOutputDirectory(path, NOBODY, room, { ...platform, mounts }, cleanup);
  return { path, cleanup, isFull };
}

async function fill(path: string, files: number, bytes: number): Promise<void> {
  for (let file = 0; file < files; file += 1) await writeFile(join(path, String(file)), Buffer.alloc(bytes));
}

for (const [name, mounts] of Object.entries({ mounted: platform.mounts, plain: NONE_ALLOWED })) {
  describe(`/output, ${name}`, { skip: noMounts() }, () => {
    it("is the guest's alone and empty", async (t) => {
      const { path, isFull, cleanup } = await make(t, mounts);
      const { uid, gid, mode } = await stat(path);
      assert.deepEqual([uid, gid, mode & 0o7777], [NOBODY.uid, NOBODY.gid, 0o700]);
      assert.equal(await isFull(), null);
      await cleanup.run();
    });

    it("is not full with exactly the bytes and files allowed, however they are spread", async (t) => {
      for (const [files, bytes] of [
        [10, 10_000],
        [1, 100_000],
        [10, 1],
        [0, 0],
      ] as const) {
        const { path, isFull, cleanup } = await make(t, mounts);
        await fill(path, files, bytes);
        assert.equal(await isFull(), null, `${files} of ${bytes}`);
        await cleanup.run();
      }
    });

    it("is full when it holds more bytes than that by more than the rounding to pages", async (t) => {
      const { path, isFull, cleanup } = await make(t, mounts);
      await writeFile(join(path, "big"), Buffer.alloc(500_000)).catch((error) =>
        assert.equal(error.code, "ENOSPC"),
      );
      assert.equal(await isFull(), FULL);
      await rm(join(path, "big"));
      assert.equal(await isFull(), null);
      await cleanup.run();
    });

    it("is full with one entry too many of any kind, and not before", async (t) => {
      const { path, isFull, cleanup } = await make(t, mounts);
      for (let entry = 0; entry < 10; entry += 1) await mkdir(join(path, `d${entry}`));
      for (let entry = 0; entry < 10; entry += 1) await symlink(".", join(path, `d${entry}`, "l"));
      assert.equal(await isFull(), null);
      await writeFile(join(path, "d1/one-more"), "");
      assert.equal(await isFull(), FULL);
      await cleanup.run();
    });

    it("is not filled by holes", async (t) => {
      const { path, isFull, cleanup } = await make(t, mounts);
      await writeFile(join(path, "sparse"), "");
      await truncate(join(path, "sparse"), 2 ** 40);
      assert.equal(await isFull(), null);
      await cleanup.run();
    });
  });
}

describe("/output, mounted", { skip: noMounts() }, () => {
  it("takes no more than just beyond the limits", async (t) => {
    const { path, cleanup } = await make(t);
    await assert.rejects(writeFile(join(path, "big"), Buffer.alloc(500_000)), { code: "ENOSPC" });
    assert.ok((await stat(join(path, "big"))).size <= 100_000 + 12 * 4096);
    await assert.rejects(fill(path, 100, 0), { code: "ENOSPC" });
    await cleanup.run();
  });

  it("is gone with all in it when it is given back", async (t) => {
    const { path, cleanup } = await make(t);
    const [mounted, parent] = await Promise.all([stat(path), stat(join(path, ".."))]);
    assert.notEqual(mounted.dev, parent.dev);
    await fill(path, 3, 10);
    await cleanup.run();
    assert.equal((await stat(path)).dev, parent.dev);
    await assert.rejects(stat(join(path, "0")), { code: "ENOENT" });
  });

  it("can have as much room as can be configured", async (t) => {
    const most = Number.MAX_SAFE_INTEGER;
    const { isFull, cleanup } = await make(t, platform.mounts, {
      max_bytes: most,
      max_files: most,
      max_entries: most,
    });
    assert.equal(await isFull(), null);
    await cleanup.run();
  });

  it("is not replaced by a plain directory when mounting fails for want of anything but permission", async (t) => {
    const tmpfs = async () => {
      throw Object.assign(new Error("no memory"), { code: "ENOMEM" });
    };
    await assert.rejects(make(t, { ...NONE_ALLOWED, tmpfs }), { code: "ENOMEM" });
  });
});

it("/output is emptied before it goes: another run's mount namespace may keep it", {
  skip: noMounts(),
}, async (t) => {
  const { path, cleanup } = await make(t);
  await mkdir(join(path, "deep", "er"), { recursive: true });
  await fill(path, 3, 10_000);
  const argv = ["unshare", "--mount", "--propagation", "private", "sh", "-c", "echo up; exec sleep 60"];
  const keeper = platform.spawn(argv, { env: { PATH: process.env.PATH ?? "" } });
  t.after(() => keeper.kill("SIGKILL"));
  await keeper.stdout[Symbol.asyncIterator]().next();
  const kept = `/proc/${keeper.pid}/root${path}`;
  assert.equal((await readdir(kept)).length, 4);
  await cleanup.run();
  assert.deepEqual(await readdir(kept), []);
  keeper.kill("SIGKILL");
  await keeper.exited;
});
