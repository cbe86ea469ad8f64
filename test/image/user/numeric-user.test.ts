import assert from "node:assert/strict";
import { test } from "node:test";
import { numericUser, parseId } from "../../../src/image/user/numeric-user.ts";

test("a number is what a kernel takes for one", () => {
  assert.equal(parseId("0"), 0);
  assert.equal(parseId("4294967294"), 4294967294);
  for (const text of ["", "4294967295", "99999999999", "-1", "+1", "1.0", "0x10", " 1", "1\n", "١"]) {
    assert.equal(parseId(text), undefined, text);
  }
});

test("a USER in numbers needs no looking up, but for the group that it leaves out", () => {
  assert.deepEqual(numericUser(""), { uid: 0, gid: 0 });
  assert.deepEqual(numericUser("5"), { uid: 5, gid: null });
  assert.deepEqual(numericUser("5:"), { uid: 5, gid: null });
  assert.deepEqual(numericUser("5:6"), { uid: 5, gid: 6 });
  for (const text of ["app", "5:app", "app:5", ":5", ":", "5:6:7", "4294967295", "5:4294967295"]) {
    assert.equal(numericUser(text), undefined, text);
  }
});
