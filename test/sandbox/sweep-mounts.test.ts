import assert from "node:assert/strict";
import { mkdir, readdir, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, test } from "node:test";
import { mountPointsOf, sweepMounts } from "../../src/sandbox/sweep-mounts.ts";
import { noMounts } from "../support/no-mounts.ts";
import { platform } from "../support/platform.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const OPTIONS = { size_bytes: 4096, inodes: 5, uid: 0, gid: 0 };

test("mount points are read as they are named, spaces, line breaks and all", () => {
  const mountinfo = [
    "22 27 0:21 / /proc rw,relatime - proc proc rw",
    "45 27 0:44 / /a\\040b\\011c\\012d\\134e rw,nosuid shared:1 master:2 - tmpfs boxer rw",
    "46 27 0:45 / /\\134040 rw - tmpfs boxer rw",
    "47 27 0:46 / /é rw - tmpfs boxer rw",
    "",
  ].join("\n");
  assert.deepEqual(mountPointsOf(Buffer.from(mountinfo)), ["/proc", "/a b\tc\nd\\e", "/\\040", "/é"]);
});

describe("what an earlier server left mounted", { skip: noMounts() }, () => {
  const mountedBelow = async (path: string) =>
    mountPointsOf(await readFile("/proc/self/mountinfo")).filter((each) => each.startsWith(path));

  it("is unmounted below the runs, also on each other, and nowhere else", async (t) => {
    const root = await tempDirectory(t);
    const runs = join(root, "ru ns");
    const other = join(root, "ru ns-other", "output");
    const mine = ["one/output", "two\n/output", "one/output"].map((name) => join(runs, name));
    for (const path of [...mine, other]) {
      await mkdir(path, { recursive: true });
      await platform.mounts.tmpfs(path, OPTIONS);
    }
    await mkdir(join(runs, "one/output/inner"));
    await platform.mounts.tmpfs(join(runs, "one/output/inner"), OPTIONS);
    try {
      assert.equal(await sweepMounts(runs, platform), 4);
      assert.deepEqual(await mountedBelow(root), [other]);
      assert.equal(await sweepMounts(runs, platform), 0);
    } finally {
      await platform.mounts.unmount(other);
    }
  });

  it("is unmounted where it lies on the directory of the runs itself", async (t) => {
    const runs = join(await tempDirectory(t), "runs");
    await mkdir(runs);
    await platform.mounts.tmpfs(runs, OPTIONS);
    await mkdir(join(runs, "output"));
    await platform.mounts.tmpfs(join(runs, "output"), OPTIONS);
    assert.equal(await sweepMounts(runs, platform), 2);
    assert.deepEqual([await mountedBelow(runs), await readdir(runs)], [[], []]);
  });

  it("is found when the home is a symbolic link", async (t) => {
    const root = await tempDirectory(t);
    await mkdir(join(root, "real/x"), { recursive: true });
    await symlink(join(root, "real"), join(root, "runs"));
    await platform.mounts.tmpfs(join(root, "runs/x"), OPTIONS);
    assert.equal(await sweepMounts(join(root, "runs"), platform), 1);
    assert.deepEqual(await mountedBelow(root), []);
  });
});
