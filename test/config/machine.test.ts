import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { thisMachine, usableMemoryMb } from "../../src/config/machine.ts";

const MEMINFO = "MemTotal:        8192000 kB\nMemFree:         1000 kB\n";
const MIB = 1024 * 1024;
const V1 = "9:name=systemd:/\n4:cpu,memory:/a/b\n0::/\n";
const V1_ROOT = "/sys/fs/cgroup/memory";

describe("the memory that this process may use", () => {
  const cases: [string, Record<string, string>, number | null][] = [
    ["is the machine's where no cgroup bounds it", { "/proc/meminfo": MEMINFO }, 8000],
    [
      "is the limit of its cgroup, v2",
      {
        "/proc/meminfo": MEMINFO,
        "/proc/self/cgroup": "0::/a/b\n",
        "/sys/fs/cgroup/a/b/memory.max": `${500 * MIB}\n`,
      },
      500,
    ],
    [
      "is the limit of a cgroup above, v2",
      {
        "/proc/meminfo": MEMINFO,
        "/proc/self/cgroup": "0::/a/b\n",
        "/sys/fs/cgroup/a/b/memory.max": "max\n",
        "/sys/fs/cgroup/a/memory.max": `${300 * MIB + 1}\n`,
      },
      300,
    ],
    [
      "is that of the mount's root in a container that knows the host's path only, v2",
      {
        "/proc/meminfo": MEMINFO,
        "/proc/self/cgroup": "0::/../pod\n",
        "/sys/fs/cgroup/memory.max": `${200 * MIB}\n`,
      },
      200,
    ],
    [
      "is the limit of its cgroup, v1, whatever shares the hierarchy",
      {
        "/proc/meminfo": MEMINFO,
        "/proc/self/cgroup": V1,
        [`${V1_ROOT}/a/b/memory.limit_in_bytes`]: `${400 * MIB}\n`,
        [`${V1_ROOT}/memory.limit_in_bytes`]: "9223372036854771712\n",
      },
      400,
    ],
    [
      "is the machine's where the cgroup's is more, as no limit is in v1",
      {
        "/proc/meminfo": MEMINFO,
        "/proc/self/cgroup": V1,
        [`${V1_ROOT}/a/b/memory.limit_in_bytes`]: "9223372036854771712\n",
      },
      8000,
    ],
    ["is not known where nothing can be read", {}, null],
    [
      "is not taken from what is not understood",
      { "/proc/meminfo": "?", "/proc/self/cgroup": "?\n\n0:" },
      null,
    ],
  ];
  for (const [what, files, expected] of cases) {
    test(what, () =>
      assert.equal(
        usableMemoryMb((path) => files[path] ?? null),
        expected,
      ),
    );
  }

  test("is something on this machine", () => {
    const { cores, memory_mb } = thisMachine();
    assert.ok(cores >= 1);
    assert.ok(Number.isInteger(memory_mb) && memory_mb > 16, `${memory_mb} MB`);
  });
});
