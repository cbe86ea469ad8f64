import assert from "node:assert/strict";
import { test } from "node:test";
import { BootAhead } from "../../../src/sandbox/warm-pool/boot-ahead.ts";
import { settled, shapeOf } from "./support/fake-pool.ts";

test("a boot is told when it is claimed, and its run what it gives", async () => {
  for (const given of ["sandbox", null]) {
    const boot = new BootAhead<string>("key", shapeOf("a"));
    let isClaimed = false;
    void boot.control.claimed.then(() => {
      isClaimed = true;
    });
    await settled();
    assert.equal(isClaimed, false);
    const claim = boot.claim();
    await settled();
    assert.deepEqual([isClaimed, boot.isAborted], [true, false]);
    boot.give(given);
    assert.equal(await claim, given);
  }
});

test("a boot that is aborted is told so", () => {
  const boot = new BootAhead<string>("key", shapeOf("a"));
  assert.deepEqual([boot.isAborted, boot.control.signal.aborted], [false, false]);
  boot.abort();
  assert.deepEqual([boot.isAborted, boot.control.signal.aborted], [true, true]);
});
