import assert from "node:assert/strict";
import { relative } from "node:path";
import { test } from "node:test";
import { controlDirectoryAt, guestControl } from "../../../src/sandbox/warm/control-directory.ts";

test("the host and the guest have the same places below the two mounts", () => {
  const host = controlDirectoryAt("/run/control", "/run/inputs");
  assert.deepEqual(relative(host.in, host.init), relative(guestControl.in, guestControl.init));
  assert.deepEqual(relative(host.in, host.inputs), relative(guestControl.in, guestControl.inputs));
  assert.deepEqual(relative(host.out, host.report), relative(guestControl.out, guestControl.report));
  assert.ok(host.in.startsWith("/run/inputs") && host.out.startsWith("/run/control/"));
});

test("in the guest they lie where no input can", () => {
  assert.ok(guestControl.directory.startsWith("/dev/"));
});
