import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ImageUser } from "../../src/image/types.ts";
import { chooseUser } from "../../src/run/guest-user.ts";

const ROOT: ImageUser = { uid: 0, gid: 0 };

describe("the guest's user", () => {
  it("is nobody unless the request names another", () => {
    assert.deepEqual(chooseUser(undefined, { uid: 1000, gid: 1000 }, false), { uid: 65534, gid: 65534 });
    assert.deepEqual(chooseUser(undefined, { unknown: "it has no /etc/passwd" }, false), {
      uid: 65534,
      gid: 65534,
    });
  });

  it("is given in numbers, with nobody's group when that is left out", () => {
    assert.deepEqual(chooseUser("1000:100", ROOT, false), { uid: 1000, gid: 100 });
    assert.deepEqual(chooseUser("1000", ROOT, false), { uid: 1000, gid: 65534 });
  });

  it("is the image's own on request, with nobody's group where the image says none", () => {
    assert.deepEqual(chooseUser("image", { uid: 1001, gid: 7 }, false), { uid: 1001, gid: 7 });
    assert.deepEqual(chooseUser("image", { uid: 1001, gid: null }, false), { uid: 1001, gid: 65534 });
  });

  it("is not root, nor in root's group, unless the operator allows it", () => {
    for (const [requested, image] of [
      ["0", ROOT],
      ["0:0", ROOT],
      ["5:0", ROOT],
      ["image", ROOT],
      ["image", { uid: 5, gid: 0 }],
      ["image", { uid: 0, gid: null }],
    ] as const) {
      assert.throws(() => chooseUser(requested, image, false), { code: "user_not_allowed", field: "user" });
    }
    assert.deepEqual(chooseUser("0:0", ROOT, true), { uid: 0, gid: 0 });
    assert.deepEqual(chooseUser("image", ROOT, true), { uid: 0, gid: 0 });
  });

  it("is refused with the reason when the image does not have it", () => {
    const unknown = 'its /etc/passwd has no user "postgres"';
    assert.throws(
      () => chooseUser("image", { unknown }, true),
      (error: Error & { code?: string; field?: string }) => {
        assert.deepEqual([error.code, error.field], ["invalid_request", "user"]);
        return error.message.includes(unknown);
      },
    );
  });

  it("cannot be a name, nor a number that is no id", () => {
    for (const requested of ["root", "1:", ":1", "-1", "4294967295", "1:4294967295", "1:2:3", ""]) {
      assert.throws(() => chooseUser(requested, ROOT, true), { code: "invalid_request" }, requested);
    }
  });
});
