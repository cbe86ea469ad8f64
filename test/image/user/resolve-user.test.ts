import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { ImageUser } from "../../../src/image/types.ts";
import { unpackLayer } from "../../../src/image/unpack/unpack-layer.ts";
import { createUnpackTarget } from "../../../src/image/unpack/unpack-target.ts";
import { resolveUser } from "../../../src/image/user/resolve-user.ts";
import { file, symlink, tar } from "../../support/tar-builder.ts";
import { AMPLE, chunksOf, TAR, withDirectory } from "../../support/unpack-fixture.ts";

const ACCOUNTS = [
  file("etc/passwd", "root:x:0:0::/:\napp:x:1001:1002::/:\n"),
  file("etc/group", "root:x:0:\napp:x:1002:\nstaff:x:50:\n"),
];

/** Whom USER means in an image of these layers. */
async function userIn(user: string, ...layers: Buffer[][]): Promise<ImageUser> {
  return await withDirectory(async (directory) => {
    const target = await createUnpackTarget(join(directory, "root"), AMPLE);
    for (const entries of layers) await unpackLayer(chunksOf(tar(...entries)), TAR, target);
    return resolveUser(target.tree, user);
  });
}

describe("the USER of an image is looked up in its own files", () => {
  const cases: [user: string, means: ImageUser][] = [
    ["", { uid: 0, gid: 0 }],
    ["app", { uid: 1001, gid: 1002 }],
    ["app:", { uid: 1001, gid: 1002 }],
    ["app:staff", { uid: 1001, gid: 50 }],
    ["app:7", { uid: 1001, gid: 7 }],
    ["1001", { uid: 1001, gid: 1002 }],
    ["1234", { uid: 1234, gid: null }],
    ["1234:staff", { uid: 1234, gid: 50 }],
    ["1234:5", { uid: 1234, gid: 5 }],
    ["root", { uid: 0, gid: 0 }],
    ["nobody", { unknown: 'its /etc/passwd has no user "nobody"' }],
    ["app:crew", { unknown: 'its /etc/group has no group "crew"' }],
    ["app:staff:x", { unknown: 'its /etc/group has no group "staff:x"' }],
    [":staff", { unknown: 'its /etc/passwd has no user ""' }],
  ];
  for (const [user, means] of cases) {
    test(JSON.stringify(user), async () => assert.deepEqual(await userIn(user, ACCOUNTS), means));
  }
});

test("an image without such files knows numbers only", async () => {
  assert.deepEqual(await userIn("app", []), { unknown: "it has no /etc/passwd" });
  assert.deepEqual(await userIn("5:staff", []), { unknown: "it has no /etc/group" });
  assert.deepEqual(await userIn("5", []), { uid: 5, gid: null });
});

test("the uppermost layer counts", async () => {
  const upper = [file("etc/passwd", "app:x:7:8::/:\n")];
  assert.deepEqual(await userIn("app", ACCOUNTS, upper), { uid: 7, gid: 8 });
  assert.deepEqual(await userIn("app", ACCOUNTS, [file("etc/.wh.passwd", "")]), {
    unknown: "it has no /etc/passwd",
  });
});

test("links within the root are followed", async () => {
  const passwd = file("usr/etc/accounts", "app:x:7:8::/:\n");
  for (const target of ["../usr/etc/accounts", "/usr/etc/accounts", "../../../usr/etc/accounts"]) {
    assert.deepEqual(
      await userIn("app", [passwd, symlink("etc/passwd", target)]),
      { uid: 7, gid: 8 },
      target,
    );
  }
});
