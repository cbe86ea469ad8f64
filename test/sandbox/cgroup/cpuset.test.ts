import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { type Cpuset, openCpuset } from "../../../src/sandbox/cgroup/cpuset.ts";
import { plant } from "../../support/fake-cgroups.ts";
import { tempDirectory } from "../../support/temp-directory.ts";

const limits = (cpu_cores: number | null) => ({ cpu_cores, memory_mb: null, pids_limit: null });
const cpusOf = (cpuset: Cpuset, cores: number | null, version: 1 | 2) =>
  cpuset.settings(limits(cores), version).find(({ file }) => file === "cpuset.cpus")?.value;

test("runs start on as many CPUs as they may use, two at least, each on others in turn", async (t) => {
  const root = await tempDirectory(t);
  await plant(root, { "cpuset.cpus.effective": "0-1,4,6" });
  const cpuset = await openCpuset(root, 2);
  assert.equal(cpuset.all, "0,1,4,6");
  const taken = [1, 0.5, 2, 3, 2.5].map((cores) => cpusOf(cpuset, cores, 2));
  assert.deepEqual(taken, ["0,1", "4,6", "0,1", "4,6,0", "1,4,6"]);
  assert.ok(cpuset.narrows(limits(1)) && cpuset.narrows(limits(3)));
});

test("a run that may use all CPUs, or has no limit, is left alone", async (t) => {
  const root = await tempDirectory(t);
  await plant(root, { "cpuset.cpus.effective": "0-1" });
  const cpuset = await openCpuset(root, 2);
  for (const cores of [0.1, 1, 2, 1.1, 64, null]) {
    assert.equal(cpusOf(cpuset, cores, 2), undefined);
    assert.equal(cpuset.narrows(limits(cores)), false);
  }
});

test("in v1 new cgroups are given CPUs and memory nodes, without which they take no process", async (t) => {
  const root = await tempDirectory(t);
  await plant(root, { "cpuset.cpus": "0-3", "cpuset.mems": "0", "cpuset.effective_cpus": "0-3" });
  for (const cgroup of ["boxer", "boxer/x"]) {
    await plant(join(root, cgroup), { "cpuset.cpus": "", "cpuset.mems": "" });
  }
  const cpuset = await openCpuset(join(root, "boxer/x"), 1);
  assert.equal((await readFile(join(root, "boxer/x/cpuset.cpus"), "utf8")).trim(), "0-3");
  assert.deepEqual(
    cpuset.settings(limits(null), 1).map(({ file, value }) => [file, value]),
    [
      ["cpuset.mems", "0"],
      ["cpuset.sched_load_balance", "0"],
      ["cpuset.cpus", "0,1,2,3"],
    ],
  );
});

test("a host that tells no CPUs has no cpuset", async (t) => {
  await assert.rejects(openCpuset(await tempDirectory(t), 2), /has no cpuset.cpus.effective/);
});
