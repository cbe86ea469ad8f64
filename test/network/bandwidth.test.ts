import assert from "node:assert/strict";
import { test } from "node:test";
import { bandwidthScript } from "../../src/network/bandwidth.ts";

test("a rate is in bits a second, and its bucket takes a fiftieth of that, two packets at least", () => {
  assert.equal(
    bandwidthScript("bx1", 10_000),
    "qdisc add dev bx1 root tbf rate 10000000bit burst 25000 latency 100ms\n",
  );
  assert.match(bandwidthScript("eth0", 64), /rate 64000bit burst 3200 /);
});
