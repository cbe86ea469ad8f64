import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Digest } from "../../../src/image/digest.ts";
import { downloadTotals, type PullEvent, type PullStatus } from "../../../src/image/progress/pull-status.ts";
import { beginPull, reducePull } from "../../../src/image/progress/reduce-pull.ts";

const [image, a, b] = ["1", "a", "b"].map((digit) => `sha256:${digit.repeat(64)}` as Digest) as [
  Digest,
  Digest,
  Digest,
];
const RESOLVED: PullEvent = {
  type: "resolved",
  digest: image,
  layers: [
    { digest: a, size_bytes: 100 },
    { digest: b, size_bytes: 50 },
    { digest: a, size_bytes: 100 },
  ],
};

const after = (...events: PullEvent[]): PullStatus => events.reduce(reducePull, beginPull("x", 7));
const resolved = (...events: PullEvent[]): PullStatus => after(RESOLVED, ...events);
const layers = (status: PullStatus) =>
  status.layers.map((layer) => `${layer.phase} ${layer.downloaded_bytes}`);

test("a pull begins by resolving", () => {
  assert.deepEqual(beginPull("x", 7), {
    reference: "x",
    phase: "resolving",
    started_at_ms: 7,
    digest: undefined,
    layers: [],
    reason: undefined,
  });
});

describe("after each event a pull is", () => {
  const got = (blob: Digest, downloaded_bytes: number): PullEvent => ({
    type: "downloading",
    blob,
    downloaded_bytes,
  });
  const whole = (blob: Digest): PullEvent => ({ type: "downloaded", blob });
  const unpacking = (layer: number): PullEvent => ({ type: "unpacking", layer });
  const unpacked = (layer: number): PullEvent => ({ type: "unpacked", layer });
  const waiting = "waiting 0";
  const cases: [what: string, events: PullEvent[], phase: string, layers: string[]][] = [
    ["resolved: all layers wait", [], "downloading", [waiting, waiting, waiting]],
    [
      "under way: both places of its blob",
      [got(a, 0)],
      "downloading",
      ["downloading 0", waiting, "downloading 0"],
    ],
    [
      "further: the latest count",
      [got(b, 10), got(b, 30)],
      "downloading",
      [waiting, "downloading 30", waiting],
    ],
    ["never more than whole", [got(b, 51)], "downloading", [waiting, "downloading 50", waiting]],
    [
      "set back, by another try",
      [got(b, 40), got(b, 10)],
      "downloading",
      [waiting, "downloading 10", waiting],
    ],
    ["partly here", [whole(a)], "downloading", ["downloaded 100", waiting, "downloaded 100"]],
    ["all here", [whole(a), whole(b)], "unpacking", ["downloaded 100", "downloaded 50", "downloaded 100"]],
    [
      "unpacked while the rest comes",
      [whole(a), unpacking(0)],
      "downloading",
      ["unpacking 100", waiting, "downloaded 100"],
    ],
    [
      "done, layer by layer",
      [whole(a), whole(b), unpacking(0), unpacked(0)],
      "unpacking",
      ["done 100", "downloaded 50", "downloaded 100"],
    ],
    [
      "not set back by a late count",
      [whole(b), unpacking(1), got(b, 20), whole(b)],
      "downloading",
      [waiting, "unpacking 50", waiting],
    ],
    [
      "back at the start when it is built anew",
      [whole(a), whole(b), unpacking(0), { type: "building" }],
      "downloading",
      [waiting, waiting, waiting],
    ],
    [
      "packed",
      [whole(a), whole(b), { type: "building_rootfs" }],
      "building_rootfs",
      ["downloaded 100", "downloaded 50", "downloaded 100"],
    ],
    [
      "ready, with all layers done, whatever was seen of it",
      [{ type: "ready" }],
      "ready",
      ["done 100", "done 50", "done 100"],
    ],
    [
      "failed, where it stood",
      [got(b, 3), { type: "failed", reason: "no" }],
      "failed",
      [waiting, "downloading 3", waiting],
    ],
  ];
  for (const [what, events, phase, expected] of cases) {
    test(what, () => {
      const status = resolved(...events);
      assert.deepEqual([status.phase, layers(status)], [phase, expected]);
    });
  }

  test("the very same where the event is none of its", () => {
    const status = resolved();
    assert.equal(reducePull(status, got(image, 3)), status);
    assert.equal(reducePull(status, unpacked(9)), status);
  });
});

test("an image without layers has nothing to download", () => {
  assert.equal(after({ type: "resolved", digest: image, layers: [] }).phase, "unpacking");
});

test("why a pull failed is kept", () => {
  assert.equal(resolved({ type: "failed", reason: "no route" }).reason, "no route");
});

test("no state is ever changed in place", () => {
  const freeze = (status: PullStatus) => {
    for (const layer of status.layers) Object.freeze(layer);
    Object.freeze(status.layers);
    return Object.freeze(status);
  };
  const events: PullEvent[] = [
    RESOLVED,
    { type: "downloading", blob: a, downloaded_bytes: 5 },
    { type: "downloaded", blob: a },
    { type: "unpacking", layer: 0 },
    { type: "unpacked", layer: 0 },
    { type: "building_rootfs" },
    { type: "ready" },
  ];
  events.reduce((status, event) => freeze(reducePull(status, event)), freeze(beginPull("x", 7)));
});

test("a blob that is in two layers counts once in the totals", () => {
  const status = resolved({ type: "downloading", blob: a, downloaded_bytes: 30 });
  assert.deepEqual(downloadTotals(status), { downloaded_bytes: 30, size_bytes: 150 });
});
