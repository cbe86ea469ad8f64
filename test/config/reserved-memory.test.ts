import assert from "node:assert/strict";
import { test } from "node:test";
import { reservedMemoryMb } from "../../src/config/reserved-memory.ts";

test("a run reserves its limit and 64 MB for the sentry, without a limit 320", () => {
  assert.deepEqual([1, 256, 4096, null].map(reservedMemoryMb), [65, 320, 4160, 320]);
});
