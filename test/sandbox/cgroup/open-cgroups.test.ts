import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { openCgroups, withoutCgroups } from "../../../src/sandbox/cgroup/open-cgroups.ts";
import { cgroupRmdir, plant } from "../../support/fake-cgroups.ts";
import { type TestContext, tempDirectory } from "../../support/temp-directory.ts";

const LIMITS = { cpu_cores: 0.5, memory_mb: 64, pids_limit: 10 };
const BYTES = String((64 + 64) << 20);

/** Opens cgroups on a stand-in for mounted hierarchies. */
async function open(t: TestContext, files: Record<string, string>, procCgroup: string, home = "/home/a") {
  const directory = await tempDirectory(t);
  const mount = join(directory, "mount");
  await plant(mount, files);
  const procSelfCgroup = join(directory, "self");
  await writeFile(procSelfCgroup, procCgroup);
  const recordFile = join(directory, "cgroups.json");
  const again = (changes: { home?: string; procSelfCgroup?: string } = {}) =>
    openCgroups({ home, recordFile, mount, procSelfCgroup, rmdir: cgroupRmdir, ...changes });
  /** The cgroups below the mount whose names begin so, with the values of their files. */
  const find = async (prefix: string) => {
    const entries = await readdir(mount, { recursive: true, withFileTypes: true });
    const found = entries.filter((entry) => entry.isDirectory() && entry.name.startsWith(prefix));
    return found.map((entry) => join(entry.parentPath, entry.name).slice(mount.length + 1)).sort();
  };
  const read = (path: string) => readFile(join(mount, path), "utf8");
  return { cgroups: await again(), again, directory, mount, find, read };
}

const V2 = { "cgroup.controllers": "cpu memory pids", "cgroup.subtree_control": "", "cgroup.procs": "" };
const V1 = { "memory/cgroup.procs": "", "cpu,cpuacct/cgroup.procs": "", "pids/cgroup.procs": "" };
const V1_PROC = "4:memory:/\n3:cpu,cpuacct:/\n2:pids:/\n";
const ALL = { memory: true, cpu: true, pids: true };

test("v2: one cgroup a run, without limits until it is told some, and then with all of them", async (t) => {
  const { cgroups, find, read, mount } = await open(t, V2, "0::/\n");
  assert.deepEqual([cgroups.mode, cgroups.enforced, cgroups.unenforced], ["v2", ALL, []]);
  const run = await cgroups.create("run-1");
  const [path = "", ...more] = await find("run-1");
  assert.deepEqual(more, []);
  assert.match(path, /^boxer\/[0-9a-f]{12}\/run-1$/);
  assert.deepEqual(await readdir(join(mount, path)), []);
  await run.bound(LIMITS);
  await run.throttle(LIMITS);
  assert.deepEqual(
    [await read(`${path}/memory.max`), await read(`${path}/cpu.max`), await read(`${path}/memory.swap.max`)],
    [BYTES, "50000 100000", "0"],
  );
});

test("v1: one cgroup a hierarchy, below the service's own, and none where there is nothing to limit", async (t) => {
  const files = { ...V1, "memory/own/cgroup.procs": "", "blkio/cgroup.procs": "" };
  const { cgroups, find, read } = await open(
    t,
    files,
    `${V1_PROC.replace("memory:/", "memory:/own")}1:blkio:/\n`,
  );
  assert.deepEqual([cgroups.mode, cgroups.enforced], ["v1", ALL]);
  const run = await cgroups.create("run-1");
  await run.bound(LIMITS);
  await run.throttle(LIMITS);
  const paths = await find("run-1");
  assert.deepEqual(
    paths.map((path) => path.split("/boxer/")[0]),
    ["cpu,cpuacct", "memory/own", "pids"],
  );
  assert.equal(await read(`${paths[1]}/memory.limit_in_bytes`), BYTES);
  assert.equal(await read(`${paths[0]}/cpu.cfs_quota_us`), "50000");
});

for (const [cpus, expected] of [
  ["0-1", []],
  ["0-3", ["cpuset"]],
] as const) {
  test(`v1: CPUs ${cpus} need ${expected.length} hierarchies that narrow what a run sees of them`, async (t) => {
    const ours = `boxer/${createHash("sha256").update("/home/a").digest("hex").slice(0, 12)}`;
    const files = Object.fromEntries(
      ["", "/boxer", `/${ours}`].flatMap((path) => [
        [`cpuset${path}/cpuset.cpus`, cpus],
        [`cpuset${path}/cpuset.mems`, "0"],
        [`cpuset${path}/cpuset.effective_cpus`, cpus],
      ]),
    );
    const { cgroups, find } = await open(
      t,
      { ...V1, ...files, "cpuset/cgroup.procs": "" },
      `${V1_PROC}1:cpuset:/\n`,
    );
    await cgroups.create("run-1");
    const hierarchies = (await find("run-1")).map((path) => path.split("/")[0]);
    assert.deepEqual(hierarchies, ["cpu,cpuacct", ...expected, "memory", "pids"]);
    await cgroups.sweep();
    assert.equal(await cgroups.close(), undefined);
    assert.deepEqual(await find("run-1"), []);
  });
}

test("hybrid: the unified hierarchy counts and kills beside the others", async (t) => {
  const { cgroups, find } = await open(t, { ...V1, "unified/cgroup.procs": "" }, `${V1_PROC}0::/\n`);
  assert.equal(cgroups.mode, "hybrid");
  await cgroups.create("run-1");
  assert.deepEqual(
    (await find("run-1")).map((path) => path.split("/")[0]),
    ["cpu,cpuacct", "memory", "pids", "unified"],
  );
});

test("a missing controller is told, and the others work", async (t) => {
  const v2 = await open(t, { ...V2, "cgroup.controllers": "memory" }, "0::/\n");
  assert.deepEqual([v2.cgroups.mode, v2.cgroups.enforced], ["v2", { memory: true, cpu: false, pids: false }]);
  assert.deepEqual(v2.cgroups.unenforced, [
    "cpu_cores: no cpu cgroup: the host has none",
    "pids_limit: no pids cgroup: the host has none",
  ]);
  const v1 = await open(t, { "cpu/cgroup.procs": "" }, "2:cpu:/\n1:memory:/\n");
  assert.deepEqual([v1.cgroups.mode, v1.cgroups.enforced], ["v1", { memory: false, cpu: true, pids: false }]);
});

test("where no cgroup may be made, there are none, with the reason, and runs start all the same", async (t) => {
  // A file in the way stands for what the kernel refuses with EACCES or EROFS: root may write anywhere here.
  const files = { ...V1, "memory/boxer": "x", "cpu,cpuacct/boxer": "x", "pids/boxer": "x" };
  const { cgroups } = await open(t, files, V1_PROC);
  assert.equal(cgroups.mode, "none");
  assert.match(cgroups.unenforced[0] ?? "", /^memory_mb: no memory cgroup: E.*memory\/boxer/);
  const run = await cgroups.create("run-1");
  await run.bound(LIMITS);
  await run.throttle(LIMITS);
  assert.deepEqual(run.argv(["a", "b"], "/log"), ["a", "b"]);
  assert.equal(await run.oomKilled(), false);
  await run.remove();
});

test("a machine without cgroups, and a server that ignores them, enforce nothing and say so", async (t) => {
  const { cgroups } = await open(t, {}, "");
  for (const { mode, enforced, unenforced } of [cgroups, withoutCgroups("no cgroups are mounted at /x")]) {
    assert.deepEqual([mode, Object.values(enforced), unenforced.length], ["none", [false, false, false], 3]);
    assert.match(unenforced.join(), /memory_mb: no memory cgroup: no cgroups are mounted/);
  }
});

test("a sweep removes the runs of this home, and no others", async (t) => {
  const { cgroups, again, find } = await open(t, { ...V1, "unified/cgroup.procs": "" }, `${V1_PROC}0::/\n`);
  await cgroups.create("run-1");
  await cgroups.create("run-2");
  const other = await again({ home: "/home/b" });
  await other.create("run-3");
  assert.equal(await (await again()).sweep(), 2);
  assert.deepEqual(await find("run-1"), []);
  assert.equal((await find("run-3")).length, 4);
});

test("a sweep finds what a server left that was started elsewhere", async (t) => {
  const files = { ...V1, "memory/session-1/cgroup.procs": "" };
  const { cgroups, again, find, directory } = await open(t, files, "4:memory:/session-1\n");
  await cgroups.create("run-1");
  const elsewhere = join(directory, "elsewhere");
  await writeFile(elsewhere, "4:memory:/\n");
  const later = await again({ procSelfCgroup: elsewhere });
  assert.equal(await later.sweep(), 1);
  assert.deepEqual(await find("run-1"), []);
  await later.close();
  assert.deepEqual(await find("boxer"), []);
});

test("closing leaves no cgroup, but those in which another server has runs", async (t) => {
  const { cgroups, again, find } = await open(t, V2, "0::/\n");
  const other = await again({ home: "/home/b" });
  const run = await other.create("run-1");
  await cgroups.close();
  const [path = "", ...more] = await find("run-1");
  assert.deepEqual([more, dirname(path).startsWith("boxer/")], [[], true]);
  await run.remove();
  await other.close();
  assert.deepEqual(await find("boxer"), []);
});

test("a run that cannot have its cgroup is a fault of ours, and leaves nothing", async (t) => {
  const { cgroups, find, mount } = await open(t, V1, V1_PROC);
  await cgroups.create("run-1");
  await assert.rejects(cgroups.create("run-1"), { code: "sandbox_failed" });
  assert.deepEqual(await find("run-1"), []);
  assert.ok(existsSync(mount));
});
