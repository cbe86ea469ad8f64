import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { removeCgroup } from "../../../src/sandbox/cgroup/remove-cgroup.ts";
import { cgroupRmdir, plant } from "../../support/fake-cgroups.ts";
import { platform } from "../../support/platform.ts";
import { killAfter } from "../../support/processes.ts";
import { PLAIN_ENV } from "../../support/run-to-end.ts";
import { tempDirectory } from "../../support/temp-directory.ts";

const fault = (code: string) => Object.assign(new Error(code), { code });

test("an empty cgroup is removed, and one that is gone is no fault", async (t) => {
  const cgroup = join(await tempDirectory(t), "x");
  await plant(cgroup, { "cgroup.procs": "" });
  await removeCgroup(cgroup, cgroupRmdir);
  assert.equal(existsSync(cgroup), false);
  await removeCgroup(cgroup, cgroupRmdir);
});

test("a cgroup that is busy for a while is tried again, and killed all at once where that can be", async (t) => {
  const cgroup = await tempDirectory(t);
  await plant(cgroup, { "cgroup.procs": String(process.pid), "cgroup.kill": "" });
  let calls = 0;
  const rmdir = async () => {
    calls += 1;
    if (calls < 3) throw fault("EBUSY");
  };
  await removeCgroup(cgroup, rmdir);
  assert.equal(calls, 3);
  assert.equal(await readFile(join(cgroup, "cgroup.kill"), "utf8"), "1");
});

test("an older kernel has its processes killed one by one, but never a group, and never the server", async (t) => {
  const cgroup = await tempDirectory(t);
  const child = platform.spawn(["sleep", "600"], { env: PLAIN_ENV });
  killAfter(t, child.pid);
  await plant(cgroup, { "cgroup.procs": `0\n1\n${process.pid}\n${child.pid}` });
  let calls = 0;
  await removeCgroup(cgroup, async () => {
    calls += 1;
    if (calls === 1) throw fault("EBUSY");
  });
  assert.equal((await child.exited).signal, "SIGKILL");
  assert.equal(existsSync(join(cgroup, "cgroup.kill")), false, "made a file");
});

test("a cgroup that stays busy is told, and so is any other fault", async () => {
  await assert.rejects(
    removeCgroup("/nosuch/cgroup", () => Promise.reject(fault("EBUSY"))),
    /\/nosuch\/cgroup: it stays busy/,
  );
  await assert.rejects(
    removeCgroup("/nosuch/cgroup", () => Promise.reject(fault("EPERM"))),
    { code: "EPERM" },
  );
});

test("the stand-in for rmdir(2) holds a cgroup with processes", async (t) => {
  const cgroup = await tempDirectory(t);
  await writeFile(join(cgroup, "cgroup.procs"), "1\n");
  await assert.rejects(cgroupRmdir(cgroup), { code: "EBUSY" });
});
