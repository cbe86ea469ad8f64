import assert from "node:assert/strict";
import { test } from "node:test";
import { commonPorts, unitePorts } from "../../../src/network/egress/port-set.ts";

test("rules together allow the ports of each, and every port when one names none", () => {
  assert.equal(unitePorts([]), undefined);
  assert.deepEqual(unitePorts([{ port: 443 }, { port: 80 }, { port: 443 }]), [443, 80]);
  assert.equal(unitePorts([{ port: 443 }, { port: null }]), null);
});

test("what two allow is what each allows", () => {
  assert.equal(commonPorts(undefined, null), undefined);
  assert.equal(commonPorts(null, undefined), undefined);
  assert.equal(commonPorts(null, null), null);
  assert.deepEqual(commonPorts(null, [80]), [80]);
  assert.deepEqual(commonPorts([80, 443], null), [80, 443]);
  assert.deepEqual(commonPorts([80, 443], [443, 8080]), [443]);
  assert.equal(commonPorts([80], [443]), undefined);
});
