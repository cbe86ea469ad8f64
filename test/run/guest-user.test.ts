import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chooseUser } from "../../src/run/guest-user.ts";

describe("the guest's user", () => {
  it("is nobody unless the request names another", () => {
    assert.deepEqual(chooseUser(undefined, "1000:1000", false), { uid: 65534, gid: 65534 });
  });

  it("is given in numbers, with nobody's group when that is left out", () => {
    assert.deepEqual(chooseUser("1000:100", "", false), { uid: 1000, gid: 100 });
    assert.deepEqual(chooseUser("1000", "", false), { uid: 1000, gid: 65534 });
  });

  it("is the image's own on request", () => {
    assert.deepEqual(chooseUser("image", "1001:7", false), { uid: 1001, gid: 7 });
  });

  it("is not root, nor in root's group, unless the operator allows it", () => {
    for (const [requested, image] of [
      ["0", ""],
      ["0:0", ""],
      ["5:0", ""],
      ["image", ""],
      ["image", "0"],
    ] as const) {
      assert.throws(() => chooseUser(requested, image, false), { code: "user_not_allowed", field: "user" });
    }
    assert.deepEqual(chooseUser("0:0", "", true), { uid: 0, gid: 0 });
    assert.deepEqual(chooseUser("image", "", true), { uid: 0, gid: 0 });
  });

  it("cannot be a name, nor a number that is no id", () => {
    assert.throws(() => chooseUser("image", "postgres", false), { code: "invalid_request", field: "user" });
    for (const requested of ["root", "1:", ":1", "-1", "4294967295", "1:4294967295", "1:2:3", ""]) {
      assert.throws(() => chooseUser(requested, "", true), { code: "invalid_request" }, requested);
    }
  });
});
