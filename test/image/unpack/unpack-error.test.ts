import assert from "node:assert/strict";
import { test } from "node:test";
import { BoxerError } from "../../../src/core/errors.ts";
import { unpackError } from "../../../src/image/unpack/unpack-error.ts";

const systemError = (code: string): Error => Object.assign(new Error(`${code}: /host/path`), { code });

const CODES: Record<string, string> = {
  ENOSPC: "disk_full",
  EDQUOT: "disk_full",
  ENAMETOOLONG: "image_invalid",
  ENOTDIR: "image_invalid",
  EMLINK: "image_invalid",
  EIO: "internal",
  EPERM: "internal",
};

for (const [errno, code] of Object.entries(CODES)) {
  test(`${errno} is ${code}, with the entry and without a path of the host`, () => {
    const error = unpackError(systemError(errno), "etc/x");
    assert.ok(error instanceof BoxerError);
    assert.equal(error.code, code);
    assert.match(error.message, /^Cannot unpack "etc\/x": /);
    assert.doesNotMatch(error.message, /host/);
  });
}

test("an error of ours, and one without errno, comes back as it is", () => {
  for (const error of [new BoxerError("image_invalid", "x"), new Error("x"), "x"]) {
    assert.equal(unpackError(error, "n"), error);
  }
});

test("a name is cut and cannot break the line", () => {
  const { message } = unpackError(systemError("ENOTDIR"), `a\nb\u202e${"x".repeat(5000)}`) as BoxerError;
  assert.match(message, /^Cannot unpack "a b x+…": ENOTDIR$/);
  assert.ok(message.length < 300);
});
