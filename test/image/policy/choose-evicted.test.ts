import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { chooseEvicted } from "../../../src/image/policy/choose-evicted.ts";
import type { ImageSummary } from "../../../src/image/types.ts";
import { digestFor, summary } from "../support/summaries.ts";

const old = summary("old", { last_used_at_ms: 200 });
const older = summary("older", { pulled_at_ms: 150 });
const recent = summary("recent", { last_used_at_ms: 900 });
const busy = summary("busy", { in_use: 1 });
const kept = summary("kept", { imported: true });

describe("what is evicted", () => {
  const cases: [what: string, images: ImageSummary[], quota_bytes: number, evicted: ImageSummary[]][] = [
    ["nothing of nothing", [], 0, []],
    ["nothing within the quota", [old, recent], 20, []],
    ["the least recently used, whatever the order", [recent, old, older], 29, [older]],
    ["as many as it takes", [recent, old, older], 10, [older, old]],
    [
      "a large one alone, when it is the oldest",
      [summary("big", { size_bytes: 70 }), old, recent],
      40,
      [summary("big", { size_bytes: 70 })],
    ],
    ["none that is in use", [busy, recent], 10, [recent]],
    ["none that is protected", [kept, recent], 10, [recent]],
    ["nothing at all, when none can go", [busy, kept], 0, []],
    ["all that can go, when that is not enough", [busy, kept, old], 5, [old]],
    ["nothing without a limit", [old, older], Number.POSITIVE_INFINITY, []],
  ];
  for (const [what, images, quota_bytes, evicted] of cases) {
    test(what, () => {
      const isProtected = (image: ImageSummary) => image === kept;
      assert.deepEqual(chooseEvicted(images, { quota_bytes, justPulled: undefined, isProtected }), evicted);
    });
  }
});

test("the image that was just pulled stays, even if it alone is too large", () => {
  const options = { justPulled: digestFor("older"), isProtected: () => false };
  assert.deepEqual(chooseEvicted([older, old], { ...options, quota_bytes: 10 }), [old]);
  assert.deepEqual(chooseEvicted([older], { ...options, quota_bytes: 1 }), []);
});
