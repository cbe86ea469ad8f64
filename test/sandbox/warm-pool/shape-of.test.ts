import assert from "node:assert/strict";
import { test } from "node:test";
import { keyOfShape } from "../../../src/sandbox/warm-pool/boot-shape.ts";
import { shapeOf } from "../../../src/sandbox/warm-pool/shape-of.ts";

const LIMITS = { cpu_cores: 1, memory_mb: 256, wall_clock_secs: 30, pids_limit: 64, nofile: 256 };
const ORDER = { image: "sha256:0", rootfs: "/images/x.erofs", rootfsType: "erofs", limits: LIMITS } as const;
const shapeWith = (limits: Partial<Record<keyof typeof LIMITS, number | null>>) =>
  shapeOf({ ...ORDER, limits: { ...LIMITS, ...limits } });

test("a shape holds the image, its memory and its CPUs", () => {
  const { limits: _, ...image } = ORDER;
  assert.deepEqual(shapeOf(ORDER), { ...image, memory_mb: 256, cpus: 2 });
});

for (const [cpu_cores, cpus] of [
  [0.1, 2],
  [1, 2],
  [2, 2],
  [2.1, 3],
  [8, 8],
  [null, null],
] as const) {
  test(`${cpu_cores} CPUs are seen as ${cpus}`, () => {
    assert.equal(shapeWith({ cpu_cores }).cpus, cpus);
  });
}

test("what can be set later makes no difference", () => {
  const others = [{ wall_clock_secs: 1 }, { pids_limit: null }, { nofile: 3 }, { cpu_cores: 0.5 }];
  const keys = [{}, ...others].map((limits) => keyOfShape(shapeWith(limits)));
  assert.equal(new Set(keys).size, 1);
});

test("other memory is another shape, and so is none", () => {
  const keys = [256, 257, null].map((memory_mb) => keyOfShape(shapeWith({ memory_mb })));
  assert.equal(new Set(keys).size, 3);
});
