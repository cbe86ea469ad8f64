import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { detectLayout } from "../../../src/sandbox/cgroup/detect-layout.ts";
import { parseProcCgroup } from "../../../src/sandbox/cgroup/parse-proc-cgroup.ts";
import { plant } from "../../support/fake-cgroups.ts";
import { type TestContext, tempDirectory } from "../../support/temp-directory.ts";

/** What is found, with paths relative to the mount. */
async function detect(t: TestContext, files: Record<string, string>, procCgroup: string) {
  const mount = await tempDirectory(t);
  await plant(mount, files);
  const { mode, hierarchies } = await detectLayout(mount, parseProcCgroup(procCgroup));
  const relative = (path: string) => path.slice(mount.length + 1);
  return {
    mode,
    found: hierarchies.map(({ version, root, own, isBare }) => [
      version,
      relative(root),
      relative(own),
      isBare,
    ]),
  };
}

test("a unified hierarchy on the mount point is v2, in our own cgroup", async (t) => {
  const files = { "cgroup.controllers": "cpu", "system.slice/boxer.service/cgroup.procs": "" };
  assert.deepEqual(await detect(t, files, "0::/system.slice/boxer.service\n"), {
    mode: "v2",
    found: [[2, "", "system.slice/boxer.service", false]],
  });
});

test("hierarchies of controllers are v1, joined ones by their joint name or one of them", async (t) => {
  const files = { "memory/own/cgroup.procs": "", "memory/cgroup.procs": "", "cpu,cpuacct/cgroup.procs": "" };
  assert.deepEqual(await detect(t, files, "3:cpu,cpuacct:/\n2:memory:/own\n1:name=systemd:/\n"), {
    mode: "v1",
    found: [
      [1, "cpu,cpuacct", "cpu,cpuacct", false],
      [1, "memory", "memory/own", false],
    ],
  });
  const single = { "cpuacct/cgroup.procs": "" };
  assert.deepEqual((await detect(t, single, "3:cpu,cpuacct:/\n")).found, [[1, "cpuacct", "cpuacct", false]]);
});

test("both are hybrid, and the unified one then has no controllers to hand down", async (t) => {
  const files = { "memory/cgroup.procs": "", "unified/cgroup.procs": "" };
  assert.deepEqual(await detect(t, files, "2:memory:/\n0::/\n"), {
    mode: "hybrid",
    found: [
      [1, "memory", "memory", false],
      [2, "unified", "unified", true],
    ],
  });
});

test("a path that is not to be seen below the mount, as in a container, stands for the root", async (t) => {
  const files = { "memory/cgroup.procs": "" };
  for (const path of ["/docker/0123", "/../../other"]) {
    assert.deepEqual((await detect(t, files, `2:memory:${path}\n`)).found, [[1, "memory", "memory", false]]);
  }
});

test("where nothing is mounted, there is nothing", async (t) => {
  const nothing = { mode: "none", found: [] };
  assert.deepEqual(await detect(t, {}, "2:memory:/\n0::/\n"), nothing);
  const { mode } = await detectLayout(join(await tempDirectory(t), "nosuch"), []);
  assert.equal(mode, "none");
});
