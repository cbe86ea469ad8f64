import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { BoxerError } from "../../src/core/errors.ts";
import { buildErofs } from "../../src/image/erofs.ts";
import { platform } from "../support/platform.ts";
import { contentOf, withDirectory } from "../support/unpack-fixture.ts";

/**
 * Runs `use` with a directory in which `root` is an empty directory, and a program instead of mkfs.erofs. It notes its
 * arguments and environment, and goes on with the script, of which the first argument is the file.
 */
function withProgram(
  script: string,
  use: (place: string, mkfs_path: string) => Promise<void>,
): Promise<void> {
  return withDirectory(async (place) => {
    mkdirSync(join(place, "root"));
    const mkfs_path = join(place, "mkfs");
    writeFileSync(mkfs_path, `${NOTE_AND_SHIFT}\n${script}\n`, { mode: 0o755 });
    await use(place, mkfs_path);
  });
}

const NOTE_AND_SHIFT = `#!/bin/sh
echo "$@" >"$0.args"; env >"$0.env"
while [ $# -gt 2 ]; do shift; done`;

const build = (place: string, mkfs_path: string, signal?: AbortSignal): Promise<void> =>
  buildErofs(platform, join(place, "root"), join(place, "image.erofs"), {
    mkfs_path,
    ...(signal ? { signal } : {}),
  });

const filesIn = (place: string): string[] => readdirSync(place).filter((name) => name.startsWith("image"));

describe("mkfs.erofs", () => {
  test("is asked for what gVisor reads, and for no time of its own", () =>
    withProgram('touch "$1"', async (place, mkfs) => {
      await build(place, mkfs);
      assert.match(
        readFileSync(`${mkfs}.args`, "utf8"),
        /^--quiet -Enoinline_data -x-1 -U [-0]+ \S+ \S+\/root\n$/,
      );
      assert.match(readFileSync(`${mkfs}.env`, "utf8"), /^SOURCE_DATE_EPOCH=4294967295$/m);
      assert.deepEqual(filesIn(place), ["image.erofs"]);
    }));

  test("that fails leaves nothing, and what it said is the cause", () =>
    withProgram('echo part >"$1"; echo "<E> erofs: bad tree" >&2; exit 3', async (place, mkfs) => {
      writeFileSync(join(place, "image.erofs"), "before");
      await assert.rejects(build(place, mkfs), (error: unknown) => {
        assert.ok(error instanceof BoxerError);
        assert.deepEqual(
          [error.code, error.message],
          ["internal", "Cannot pack image: mkfs.erofs ended with 3"],
        );
        assert.match(String(error.cause), /bad tree/);
        return true;
      });
      assert.deepEqual(filesIn(place), ["image.erofs"]);
      assert.equal(readFileSync(join(place, "image.erofs"), "utf8"), "before");
    }));

  test("that finds the disk full is not waited for", () =>
    withProgram(
      'echo "<E> erofs_io: failed to write: No space left on device" >&2; exec sleep 1000',
      async (place, mkfs) => {
        await assert.rejects(build(place, mkfs), {
          code: "disk_full",
          message: "Cannot pack image: no space left",
        });
        assert.deepEqual(filesIn(place), []);
      },
    ));

  test("is killed by an abort", () =>
    withProgram('echo $$ >"$0.pid"; exec sleep 1000', async (place, mkfs) => {
      const abort = new AbortController();
      const reason = new Error("enough");
      const built = build(place, mkfs, abort.signal);
      const pid = `${mkfs}.pid`;
      while (!existsSync(pid) || readFileSync(pid, "utf8") === "")
        await new Promise((resolve) => setTimeout(resolve, 2));
      abort.abort(reason);
      await assert.rejects(built, reason);
      assert.throws(() => process.kill(Number(readFileSync(pid, "utf8")), 0), { code: "ESRCH" });
      assert.deepEqual(filesIn(place), []);
      await assert.rejects(build(place, mkfs, AbortSignal.abort(reason)), reason);
    }));

  test("that is not there is an error of ours", () =>
    withDirectory(async (place) => {
      await assert.rejects(build(place, join(place, "none")), {
        code: "internal",
        message: /cannot start mkfs\.erofs/,
      });
    }));

  test("that writes more than anyone reads is drained", () =>
    withProgram(
      'head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2; touch "$1"',
      async (place, mkfs) => {
        await build(place, mkfs);
        assert.deepEqual(filesIn(place), ["image.erofs"]);
      },
    ));
});

const REAL = ["mkfs.erofs", "fsck.erofs", "dump.erofs"].every((name) =>
  (process.env.PATH ?? "").split(":").some((directory) => existsSync(join(directory, name))),
);

/** Makes `place/root`, with its names made in that order. */
function makeTree(place: string, names: readonly string[]): void {
  const root = join(place, "root");
  mkdirSync(join(root, "d"), { recursive: true });
  for (const name of names) writeFileSync(join(root, "d", name), name.repeat(3000));
  symlinkSync("../elsewhere", join(root, "l"));
  for (const name of names) {
    chmodSync(join(root, "d", name), 0o4751);
    utimesSync(join(root, "d", name), 0, 1_600_000_000.5);
  }
  lutimesSync(join(root, "l"), 0, 1_500_000_000);
  for (const path of ["d", "."]) utimesSync(join(root, path), 0, 1_400_000_000);
}

describe("a file system", { skip: !REAL }, () => {
  test("has the tree, with modes and times", () =>
    withDirectory(async (place) => {
      makeTree(place, ["a", "b"]);
      await build(place, "mkfs.erofs");
      const image = join(place, "image.erofs");
      execFileSync("fsck.erofs", [`--extract=${join(place, "out")}`, image], { stdio: "ignore" });
      assert.deepEqual(await contentOf(join(place, "out")), await contentOf(join(place, "root")));
      const said = execFileSync("dump.erofs", ["--path=/d/a", image], {
        encoding: "utf8",
        env: { ...process.env, TZ: "UTC" },
      });
      assert.match(said, /Timestamp: 2020-09-13 12:26:40\.500000000/);
      // It shows no setuid: the inode does, in units of 32 bytes from the start, its mode after four bytes.
      const inode = 32 * Number(/NID: (\d+)/.exec(said)?.[1]);
      assert.equal(readFileSync(image).readUInt16LE(inode + 4) & 0o7777, 0o4751);
    }));

  test("has the same bytes for the same tree, in whatever order it was made", () =>
    withDirectory(async (place) => {
      const images = [
        ["a", "b", "c"],
        ["c", "a", "b"],
      ].map((names, index) => {
        const directory = join(place, String(index));
        mkdirSync(directory);
        makeTree(directory, names);
        return directory;
      });
      for (const directory of images) await build(directory, "mkfs.erofs");
      const [one, other] = images.map((directory) => readFileSync(join(directory, "image.erofs")));
      assert.ok(one && other?.equals(one));
    }));

  test("has other bytes for a file of another time", () =>
    withDirectory(async (place) => {
      makeTree(place, ["a"]);
      await build(place, "mkfs.erofs");
      const before = readFileSync(join(place, "image.erofs"));
      utimesSync(join(place, "root/d/a"), 0, 1);
      await build(place, "mkfs.erofs");
      assert.equal(readFileSync(join(place, "image.erofs")).equals(before), false);
    }));
});
