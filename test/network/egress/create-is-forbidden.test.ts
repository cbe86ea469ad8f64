import assert from "node:assert/strict";
import { test } from "node:test";
import { createIsForbidden } from "../../../src/network/egress/create-is-forbidden.ts";

const FORBIDDEN = [
  ...[
    "10.0.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "168.63.129.16",
    "100.64.0.1",
  ],
  ...["224.0.0.1", "::1", "fe80::1", "fd00::1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "64:ff9b::808:808"],
];
const PUBLIC = ["8.8.8.8", "172.32.0.1", "203.0.113.7", "2001:db8::1", "2a00:1450::1"];

test("what the wall refuses is forbidden, and nothing else", () => {
  const isForbidden = createIsForbidden(undefined);
  for (const address of FORBIDDEN) assert.equal(isForbidden(address), true, address);
  for (const address of PUBLIC) assert.equal(isForbidden(address), false, address);
});

test("the runs' own network is, also where it is no private one", () => {
  const isForbidden = createIsForbidden("203.0.113.0/24");
  assert.deepEqual(["203.0.113.7", "203.0.114.7"].map(isForbidden), [true, false]);
});
