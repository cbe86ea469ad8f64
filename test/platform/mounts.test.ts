import assert from "node:assert/strict";
import { mkdir, readFile, stat, statfs, writeFile } from "node:fs/promises";
import { constants } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { createMounts, type Mounts, mountsByCall, mountsByProgram } from "../../src/platform/mounts.ts";
import type { Platform } from "../../src/platform/platform.ts";
import { noMounts } from "../support/no-mounts.ts";
import { platform } from "../support/platform.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const MIB = 1 << 20;
const OPTIONS = { size_bytes: MIB, inodes: 3, uid: 12, gid: 34 };

const lineOf = async (path: string) =>
  (await readFile("/proc/self/mountinfo", "utf8")).split("\n").find((line) => line.includes(` ${path} `));

const KINDS: Record<string, Mounts> = {
  "the runtime's own": platform.mounts,
  "mount(8) and umount(8)": mountsByProgram(platform),
  "what is there without the C library": createMounts(() => null, platform),
};

for (const [name, mounts] of Object.entries(KINDS)) {
  describe(`mounts by ${name}`, { skip: noMounts() }, () => {
    it("a tmpfs has its owner, its room and no devices or set-user-ID, until it is unmounted", async (t) => {
      const path = await tempDirectory(t);
      await mounts.tmpfs(path, OPTIONS);
      try {
        assert.match((await lineOf(path)) ?? "", / rw,nosuid,nodev,\S+ .*- tmpfs boxer /);
        const { uid, gid, mode } = await stat(path);
        assert.deepEqual([uid, gid, mode & 0o7777], [12, 34, 0o700]);
        const { bsize, blocks, files } = await statfs(path);
        assert.deepEqual([bsize * blocks, files], [MIB, 3]);
        await writeFile(join(path, "one"), "");
        await writeFile(join(path, "two"), "");
        await assert.rejects(writeFile(join(path, "three"), ""), { code: "ENOSPC" });
        await assert.rejects(writeFile(join(path, "two"), Buffer.alloc(MIB + 1)), { code: "ENOSPC" });
      } finally {
        await mounts.unmount(path);
      }
      assert.equal(await lineOf(path), undefined);
    });

    it("one that is in use is unmounted as well", async (t) => {
      const path = await tempDirectory(t);
      await mounts.tmpfs(path, OPTIONS);
      const user = platform.spawn(["sleep", "60"], { env: {}, cwd: path });
      try {
        await mounts.unmount(path);
        assert.equal(await lineOf(path), undefined);
      } finally {
        user.kill("SIGKILL");
        await user.exited;
      }
    });

    it("awkward paths are taken literally", async (t) => {
      const path = join(await tempDirectory(t), "-o ro, é\n\\040");
      await mkdir(path);
      await mounts.tmpfs(path, OPTIONS);
      assert.equal((await statfs(path)).files, 3);
      await mounts.unmount(path);
      assert.notEqual((await statfs(path)).files, 3);
    });

    it("what fails tells what, and where", async (t) => {
      const path = await tempDirectory(t);
      await assert.rejects(mounts.unmount(path), { message: new RegExp(`^Cannot unmount ${path}: `) });
      await assert.rejects(mounts.tmpfs(join(path, "gone"), OPTIONS), {
        message: new RegExp(`^Cannot mount a tmpfs at ${path}/gone: `),
      });
    });
  });
}

describe("a mount that fails", () => {
  it("carries the errno of the call", async () => {
    const { EPERM, ENOMEM } = constants.errno;
    const mounts = mountsByCall({ mount: () => EPERM, umount: async () => ENOMEM });
    await assert.rejects(mounts.tmpfs("/x", OPTIONS), { code: "EPERM" });
    await assert.rejects(mounts.unmount("/x"), { code: "ENOMEM" });
  });

  it("carries the errno of the real call", { skip: noMounts() }, async (t) => {
    const path = await tempDirectory(t);
    await assert.rejects(platform.mounts.unmount(path), { code: "EINVAL" });
    await assert.rejects(platform.mounts.unmount(join(path, "gone")), { code: "ENOENT" });
    await assert.rejects(platform.mounts.tmpfs(join(path, "gone"), OPTIONS), { code: "ENOENT" });
  });

  it("is EPERM for a program that was not permitted", { skip: noMounts() }, async (t) => {
    const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    const spawn: Platform["spawn"] = (argv, options) => platform.spawn([...nobody, ...argv], options);
    const mounts = mountsByProgram({ spawn });
    await assert.rejects(mounts.tmpfs(await tempDirectory(t), OPTIONS), { code: "EPERM" });
  });
});
