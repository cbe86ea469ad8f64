import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { delegate } from "../../../src/sandbox/cgroup/delegate.ts";
import { plant } from "../../support/fake-cgroups.ts";
import { type TestContext, tempDirectory } from "../../support/temp-directory.ts";

/** No pid can be so large. */
const STRANGER = "99999999";
const ALL = "cpuset cpu io memory pids";
/** A cgroup v2 below the root has a type. */
const SERVICE = (controllers: string) => ({
  "cgroup.type": "domain",
  "cgroup.controllers": controllers,
  "cgroup.subtree_control": "",
  "cgroup.procs": `${STRANGER}\n${process.pid}\n${process.ppid}`,
});
const ROOT = { "cgroup.controllers": ALL, "cgroup.subtree_control": "", "cgroup.procs": "1" };

async function mount(t: TestContext, own: string, files: Record<string, string>) {
  const root = await tempDirectory(t);
  await plant(root, ROOT);
  await plant(join(root, own), files);
  const hierarchy = { version: 2, root, own: join(root, own), controllers: [], isBare: false } as const;
  return { root, hierarchy, read: (path: string) => readFile(join(root, path), "utf8") };
}

test("a unit's own cgroup hands its controllers down, with the service moved into a leaf", async (t) => {
  const own = "system.slice/boxer.service";
  const { root, hierarchy, read } = await mount(t, own, SERVICE(ALL));
  assert.deepEqual(await delegate(hierarchy), {
    base: join(root, own),
    controllers: ["memory", "cpu", "pids", "cpuset"],
  });
  assert.equal(await read(`${own}/boxer-service/cgroup.procs`), String(process.ppid), "the last of two");
  assert.equal(await read(`${own}/cgroup.subtree_control`), "+cpuset", "the last of four");
  assert.equal((await read("cgroup.subtree_control")).trim(), "", "the root is left alone");
});

test("only what is missing is handed down, and a service in its leaf already stays there", async (t) => {
  const files = { ...SERVICE(ALL), "cgroup.subtree_control": "memory cpu pids cpuset" };
  const { root, hierarchy, read } = await mount(t, "x.service", files);
  await mkdir(join(root, "x.service/boxer-service"));
  const { base } = await delegate({ ...hierarchy, own: join(root, "x.service/boxer-service") });
  assert.equal(base, join(root, "x.service"));
  assert.equal((await read("x.service/cgroup.subtree_control")).trim(), "memory cpu pids cpuset");
});

test("a session has other processes, which are left alone", async (t) => {
  const { hierarchy, read } = await mount(t, "user.slice/session-1.scope", SERVICE(ALL));
  await delegate(hierarchy);
  const moved = await read("user.slice/session-1.scope/boxer-service/cgroup.procs");
  assert.equal(moved, String(process.ppid), "the last of two, the stranger not among them");
});

test("an own cgroup that lacks controllers is passed over for the root, where nothing needs to move", async (t) => {
  const { root, hierarchy } = await mount(t, "user.slice/x.scope", SERVICE("memory pids"));
  assert.equal((await delegate(hierarchy)).base, root);
  assert.equal(existsSync(join(root, "boxer-service")), false);
});

test("where the own cgroup refuses, the service moves back, and the root is tried", async (t) => {
  const own = "user.slice/session-1.scope";
  const { root, hierarchy, read } = await mount(t, own, SERVICE(ALL));
  // Nothing can be written to a directory.
  const { "cgroup.subtree_control": _, ...files } = SERVICE(ALL);
  const refusing = join(root, "refusing.scope");
  await plant(refusing, files);
  await mkdir(join(refusing, "cgroup.subtree_control"));
  assert.equal((await delegate({ ...hierarchy, own: refusing })).base, root);
  assert.equal(await readFile(join(refusing, "cgroup.procs"), "utf8"), String(process.ppid));
  assert.ok((await read(`${own}/cgroup.procs`)).includes(STRANGER));
});

test("a host that hands nothing down says why, for each place", async (t) => {
  const root = await tempDirectory(t);
  await plant(root, { "cgroup.controllers": "io" });
  const own = join(root, "x.service");
  await plant(own, SERVICE("io"));
  await chmod(own, 0o755);
  const hierarchy = { version: 2, root, own, controllers: [], isBare: false } as const;
  await assert.rejects(delegate(hierarchy), /no such controllers.*x\.service: it has no such controllers/);
});
