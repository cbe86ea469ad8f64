import assert from "node:assert/strict";
import { test } from "node:test";
import { type BootShape, keyOfShape } from "../../../src/sandbox/warm-pool/boot-shape.ts";
import { shapeOf } from "./support/fake-pool.ts";

test("shapes have the same key when all fields are the same, in whatever order", () => {
  const { cpus, ...others } = shapeOf("a");
  assert.equal(keyOfShape({ cpus, ...others }), keyOfShape(shapeOf("a")));
});

test("each field makes a difference", () => {
  const others: Partial<BootShape>[] = [
    { image: "b" },
    { rootfs: "/b" },
    { rootfsType: "directory" },
    { memory_mb: 257 },
    { memory_mb: null },
    { cpus: 1 },
    { cpus: null },
  ];
  const keys = [{}, ...others].map((other) => keyOfShape({ ...shapeOf("a"), ...other }));
  assert.equal(new Set(keys).size, keys.length);
});

test("no name of an image or a path can look like another field", () => {
  const tricky = { ...shapeOf('a"],["memory_mb",1]'), memory_mb: 2 };
  assert.notEqual(keyOfShape(tricky), keyOfShape({ ...shapeOf("a"), memory_mb: 1 }));
});
