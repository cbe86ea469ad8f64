import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BoxerError } from "../../src/core/errors.ts";
import { checkLimits } from "../../src/run/check-limits.ts";

const MAXIMA = { cpu_cores: 1.5, memory_mb: 512, wall_clock_secs: 60, pids_limit: 100, nofile: 1000 };
const BOUNDS = { max_limits: MAXIMA, max_reserved_memory_mb: 10_000 };
const NONE = { cpu_cores: null, memory_mb: null, wall_clock_secs: null, pids_limit: null, nofile: null };

describe("a limit over the operator's is refused, naming the field and the maximum", () => {
  for (const [key, maximum] of Object.entries(MAXIMA)) {
    test(key, () => {
      checkLimits({ [key]: maximum }, BOUNDS);
      assert.throws(
        () => checkLimits({ [key]: maximum + 1 }, BOUNDS),
        (error) =>
          error instanceof BoxerError &&
          error.code === "invalid_request" &&
          error.field === `limits.${key}` &&
          error.message === `limits.${key} must be <= ${maximum} on this server`,
      );
    });
  }
});

test("what is not stated, null or 0 is the configuration's affair", () => {
  for (const stated of [{}, { memory_mb: null }, { memory_mb: 0 }, { memory_mb: undefined }]) {
    checkLimits(stated, BOUNDS);
  }
});

test("without maxima everything may be asked for, but not more memory than there is to reserve", () => {
  const bounds = { max_limits: NONE, max_reserved_memory_mb: 1064 };
  checkLimits({ cpu_cores: 1024, memory_mb: 1000, wall_clock_secs: 86_400 }, bounds);
  assert.throws(() => checkLimits({ memory_mb: 1001 }, bounds), /limits\.memory_mb must be <= 1000 /);
});

test("of the maximum and the memory there is, the lesser counts", () => {
  const bounds = { max_limits: MAXIMA, max_reserved_memory_mb: 164 };
  assert.throws(() => checkLimits({ memory_mb: 101 }, bounds), /limits\.memory_mb must be <= 100 /);
});
