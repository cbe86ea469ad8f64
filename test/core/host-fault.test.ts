import assert from "node:assert/strict";
import { test } from "node:test";
import { BoxerError } from "../../src/core/errors.ts";
import { hostFault } from "../../src/core/host-fault.ts";

const systemError = (code: string) => Object.assign(new Error(`${code}: it failed`), { code });

for (const [errno, code] of [
  ["ENOSPC", "disk_full"],
  ["EDQUOT", "disk_full"],
  ["EROFS", "disk_not_writable"],
  ["EIO", "disk_not_writable"],
  ["EMFILE", "host_exhausted"],
  ["ENFILE", "host_exhausted"],
  ["EAGAIN", "host_exhausted"],
  ["ENOMEM", "host_exhausted"],
] as const) {
  test(`${errno} is told as ${code}, with its cause`, () => {
    const error = systemError(errno);
    const fault = hostFault(error);
    assert.equal(fault?.code, code);
    assert.equal(fault.cause, error);
    assert.ok(!fault.message.includes("/"));
  });
}

test("other errors are no fault of the host", () => {
  for (const error of [
    systemError("ENOENT"),
    systemError("constructor"),
    new Error("x"),
    "ENOSPC",
    undefined,
  ]) {
    assert.equal(hostFault(error), undefined);
  }
  assert.equal(hostFault(new BoxerError("internal", "x")), undefined);
});
