import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Digest } from "../../../src/image/digest.ts";
import { describePull } from "../../../src/image/progress/describe-pull.ts";
import { beginPull, reducePull } from "../../../src/image/progress/reduce-pull.ts";

const [a, b] = ["a", "b"].map((digit) => `sha256:${digit.repeat(64)}` as Digest) as [Digest, Digest];
const begun = beginPull("docker.io/library/x:1", 1000);
const withLayers = (...sizes: number[]) =>
  reducePull(begun, {
    type: "resolved",
    digest: a,
    layers: sizes.map((size_bytes, index) => ({ digest: index === 0 ? a : b, size_bytes })),
  });

test("a pull is described by how much of it is here", () => {
  const half = reducePull(withLayers(200, 100), { type: "downloading", blob: a, downloaded_bytes: 199 });
  const status = reducePull(half, { type: "unpacked", layer: 1 });
  assert.deepEqual(describePull(status, 13_500), {
    image: "docker.io/library/x:1",
    phase: "downloading",
    percent: 99,
    downloaded_bytes: 299,
    size_bytes: 300,
    layers: "1/2",
    duration_ms: 12_500,
  });
});

describe("percent is a number", () => {
  test("before anything is known", () => assert.equal(describePull(begun, 1000).percent, 0));
  test("of nothing", () => {
    assert.equal(describePull(withLayers(), 1000).percent, 100);
    assert.equal(describePull(withLayers(0), 1000).percent, 100);
  });
});
