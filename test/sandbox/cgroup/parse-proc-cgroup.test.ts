import assert from "node:assert/strict";
import { test } from "node:test";
import { parseProcCgroup } from "../../../src/sandbox/cgroup/parse-proc-cgroup.ts";

test("each hierarchy is told by its controllers, the unified one by none, and named ones are left out", () => {
  const text = "12:cpu,cpuacct:/a b:c\n4:memory:/\n1:name=systemd:/x\n0::/user.slice\n";
  assert.deepEqual(parseProcCgroup(text), [
    { controllers: ["cpu", "cpuacct"], path: "/a b:c" },
    { controllers: ["memory"], path: "/" },
    { controllers: [], path: "/user.slice" },
  ]);
});

test("what does not parse is left out", () => {
  assert.deepEqual(parseProcCgroup(""), []);
  assert.deepEqual(parseProcCgroup("nonsense\n1:memory\n:memory:/\n1:memory:relative\n"), []);
});
