import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { ImageUser } from "../../src/image/types.ts";
import { unpackLayer } from "../../src/image/unpack/unpack-layer.ts";
import { createUnpackTarget } from "../../src/image/unpack/unpack-target.ts";
import { resolveUser } from "../../src/image/user/resolve-user.ts";
import { directory, file, symlink, tar } from "../support/tar-builder.ts";
import { AMPLE, chunksOf, TAR, withDirectory } from "../support/unpack-fixture.ts";

/** Resolves `app`, who has the number 77 on the host beside the root. */
async function attack(entries: Buffer[], after: (root: string) => void = () => {}): Promise<ImageUser> {
  return await withDirectory(async (work) => {
    mkdirSync(join(work, "host"));
    writeFileSync(join(work, "host/passwd"), "app:x:77:77::/:\n");
    const root = join(work, "root");
    const target = await createUnpackTarget(root, AMPLE);
    await unpackLayer(chunksOf(tar(...entries)), TAR, target);
    after(root);
    return resolveUser(target.tree, "app");
  });
}

describe("an image's /etc/passwd cannot be made to lead out of the image, or to hold up who reads it", () => {
  const nothing: [name: string, entries: () => Buffer[]][] = [
    ["a link out of the root", () => [symlink("etc/passwd", "../../host/passwd")]],
    ["a directory that leads out", () => [symlink("etc", "../host")]],
    ["a link to itself", () => [symlink("etc/passwd", "passwd")]],
    ["a ring of links", () => [symlink("etc/passwd", "group"), symlink("etc/group", "passwd")]],
    ["a directory", () => [directory("etc/passwd")]],
    ["below a file", () => [file("etc", "app:x:1:1")]],
    ["a path through a file", () => [symlink("etc/passwd", "../f/x"), file("f", "app:x:1:1")]],
  ];
  for (const [name, entries] of nothing) {
    test(name, async () => assert.deepEqual(await attack(entries()), { unknown: "it has no /etc/passwd" }));
  }

  test("a pipe that nobody writes to", async () => {
    const toPipe = (root: string): void => {
      rmSync(join(root, "etc/passwd"));
      execFileSync("mkfifo", [join(root, "etc/passwd")]);
    };
    assert.deepEqual(await attack([file("etc/passwd", "")], toPipe), {
      unknown: "its /etc/passwd is no file",
    });
  });

  test("more than anybody needs", async () => {
    const flood = `${"x:x:1:1::/:\n".repeat(100_000)}app:x:1:1::/:\n`;
    assert.deepEqual(await attack([file("etc/passwd", flood)]), {
      unknown: "its /etc/passwd has more than 1048576 bytes",
    });
  });

  test("one endless line, NULs, and bytes that are no text", async () => {
    const junk = `${"\0".repeat(300_000)}${":".repeat(300_000)}\u{fffd}\r\n`;
    assert.deepEqual(await attack([file("etc/passwd", `${junk}app:x:5:6::/:\n`)]), { uid: 5, gid: 6 });
  });

  test("a number that chown would take for none, or that wraps around to root's", async () => {
    for (const uid of ["4294967295", "4294967296", "-1", "0x0", "", " 0", "1e3"]) {
      const found = await attack([file("etc/passwd", `app:x:${uid}:5::/:\n`)]);
      assert.ok("unknown" in found, uid);
    }
  });
});
