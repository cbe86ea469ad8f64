import assert from "node:assert/strict";
import { test } from "node:test";
import { missingCapability } from "../../src/network/missing-capability.ts";

for (const [effective, missing] of [
  ["000001ffffffffff", null],
  ["0000000000201000", null],
  ["000001ffffffefff", "CAP_NET_ADMIN"],
  ["0000000000001000", "CAP_SYS_ADMIN"],
  ["0000000000000000", "CAP_NET_ADMIN"],
] as const) {
  test(`a process with the capabilities ${effective} lacks ${missing ?? "none"}`, () => {
    assert.equal(missingCapability(`Name:\tx\nCapPrm:\t0000000000000000\nCapEff:\t${effective}\n`), missing);
  });
}
