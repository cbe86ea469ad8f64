import assert from "node:assert/strict";
import { link, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { settleTree } from "../../../src/image/rootfs/settle-tree.ts";
import { platform } from "../../support/platform.ts";
import { withDirectory } from "../../support/unpack-fixture.ts";

test("a tree is measured by what it takes on the disk, hard links once", async () => {
  await withDirectory(async (directory) => {
    const root = join(directory, "-rootfs");
    await mkdir(root);
    const empty = await settleTree(root, platform);
    await writeFile(join(root, "file"), Buffer.alloc(1 << 20, 1));
    await link(join(root, "file"), join(root, "again"));
    const grown = (await settleTree(root, platform)) - empty;
    assert.ok(grown >= 1 << 20 && grown < 1.2 * (1 << 20), String(grown));
  });
});

test("a tree that is not there is a fault", async () => {
  await assert.rejects(settleTree("/nosuch/tree", platform), { code: "internal", message: /Cannot write/ });
});
