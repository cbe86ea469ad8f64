import assert from "node:assert/strict";
import { test } from "node:test";
import { refuseUnenforced, unenforcedLimits } from "../../src/sandbox/unenforced-limits.ts";

const ALL = { memory: true, cpu: true };

test("limits that the host enforces, and limits that are none, need no word", () => {
  assert.deepEqual(unenforcedLimits({ memory_mb: 1, cpu_cores: 1 }, ALL), []);
  assert.deepEqual(unenforcedLimits({ memory_mb: null, cpu_cores: null }, { memory: false, cpu: false }), []);
  refuseUnenforced({ memory_mb: 1, cpu_cores: 1 }, ALL);
});

test("each limit that nothing enforces is named with its value", () => {
  const words = unenforcedLimits({ memory_mb: 64, cpu_cores: 0.5 }, { memory: false, cpu: false });
  assert.deepEqual(words, [
    "limits.memory_mb (64) is not enforced: the server has no memory cgroup",
    "limits.cpu_cores (0.5) is not enforced: the server has no cpu cgroup",
  ]);
});

test("a refusal names the field", () => {
  assert.throws(() => refuseUnenforced({ memory_mb: 64, cpu_cores: 1 }, { ...ALL, cpu: false }), {
    code: "limit_unenforceable",
    field: "limits.cpu_cores",
  });
});
