import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { complainOfCapacity, completeCapacity } from "../../src/config/capacity.ts";
import type { RunLimits } from "../../src/config/config.ts";
import type { ConfigFile } from "../../src/config/config-schema.ts";

const DEFAULTS: RunLimits = {
  cpu_cores: 1,
  memory_mb: 256,
  wall_clock_secs: 30,
  pids_limit: 64,
  nofile: 256,
};
const MACHINE = { cores: 4, memory_mb: 10_000 };
const complete = (file: ConfigFile = {}, defaults: Partial<RunLimits> = {}, machine = MACHINE) =>
  completeCapacity(file, { ...DEFAULTS, ...defaults }, machine);

test("runs may reserve four fifths of the memory, and one run may have all of that", () => {
  const { max_reserved_memory_mb, max_limits } = complete();
  assert.equal(max_reserved_memory_mb, 8000);
  assert.deepEqual(max_limits, {
    cpu_cores: 4,
    memory_mb: 8000 - 64,
    wall_clock_secs: 3600,
    pids_limit: 4096,
    nofile: 65_536,
  });
});

describe("so many runs at once", () => {
  const cases: [string, ConfigFile, Partial<RunLimits>, typeof MACHINE, number][] = [
    ["four a core", {}, {}, MACHINE, 16],
    ["fewer where default runs need the memory", {}, { memory_mb: 936 }, MACHINE, 8],
    ["fewer where there is less memory", {}, {}, { cores: 4, memory_mb: 1000 }, 2],
    ["one at least", {}, {}, { cores: 4, memory_mb: 100 }, 1],
    ["those that the reservable memory has room for", { max_reserved_memory_mb: 3 * 320 }, {}, MACHINE, 3],
    ["as stated", { max_concurrent_runs: 99 }, {}, MACHINE, 99],
  ];
  for (const [what, file, defaults, machine, expected] of cases) {
    test(what, () => assert.equal(complete(file, defaults, machine).max_concurrent_runs, expected));
  }
});

test("the built-in values always have room for a run of the default limits", () => {
  for (const memory_mb of [1, 100, 399, 400, 401]) {
    for (const defaults of [{}, { memory_mb: 5000 }, { memory_mb: null }]) {
      assert.equal(complainOfCapacity(complete({}, defaults, { cores: 1, memory_mb })), null);
    }
  }
});

test("a built-in maximum gives way to a default that is more", () => {
  const { max_limits } = complete({}, { cpu_cores: 6, wall_clock_secs: 7200 });
  assert.deepEqual([max_limits.cpu_cores, max_limits.wall_clock_secs], [6, 7200]);
});

test("a default that is null lifts the built-in maximum, and a stated maximum takes its place", () => {
  const lifted = complete({}, { wall_clock_secs: null });
  assert.deepEqual([lifted.defaults.wall_clock_secs, lifted.max_limits.wall_clock_secs], [null, null]);
  const file = { max_limits: { wall_clock_secs: 60, memory_mb: 512 } };
  const capped = complete(file, { wall_clock_secs: null, memory_mb: null });
  assert.deepEqual([capped.defaults.wall_clock_secs, capped.defaults.memory_mb], [60, 512]);
  assert.deepEqual([capped.max_limits.wall_clock_secs, capped.max_limits.memory_mb], [60, 512]);
});

test("a maximum that is stated as null is none, and the default stays", () => {
  const { max_limits, defaults } = complete({ max_limits: { nofile: null } });
  assert.deepEqual([max_limits.nofile, defaults.nofile], [null, 256]);
});

describe("a default over its maximum is told, naming both", () => {
  for (const key of Object.keys(DEFAULTS) as (keyof RunLimits)[]) {
    test(key, () => {
      const maximum = (DEFAULTS[key] ?? 0) / 2;
      const message = complainOfCapacity(complete({ max_limits: { [key]: maximum } }));
      assert.equal(
        message,
        `defaults.${key} (${DEFAULTS[key]}) must not be more than max_limits.${key} (${maximum})`,
      );
      assert.equal(complainOfCapacity(complete({ max_limits: { [key]: DEFAULTS[key] } })), null);
    });
  }

  test("and so is one whose memory could never be reserved", () => {
    assert.equal(complainOfCapacity(complete({ max_reserved_memory_mb: 320 })), null);
    assert.equal(
      complainOfCapacity(complete({ max_reserved_memory_mb: 319, max_limits: { memory_mb: null } })),
      "a run of defaults.memory_mb (256) reserves 320 MB, which must not be more than max_reserved_memory_mb (319)",
    );
  });
});
