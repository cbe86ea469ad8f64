import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { BoxerError } from "../../../src/core/errors.ts";
import type { Platform } from "../../../src/platform/platform.ts";
import type { Cgroups, RunCgroup } from "../../../src/sandbox/cgroup/types.ts";
import { giveOutput, type Launchpad, makeLaunchpad } from "../../../src/sandbox/launchpad/launchpad.ts";
import { NOBODY } from "../../../src/sandbox/spec.ts";
import { fakeRunsc } from "../../support/fake-runsc.ts";
import { noMounts } from "../../support/no-mounts.ts";
import { platform } from "../../support/platform.ts";
import { isAlive, killAfter } from "../../support/processes.ts";
import { textOf } from "../../support/run-to-end.ts";
import { type TestContext, tempDirectory } from "../../support/temp-directory.ts";

const ID = "boxer-00000000-0000-4000-8000-0123456789ab";
const ROOM = { max_bytes: 100_000, max_files: 10, max_entries: 20 };

/** Cgroups that are plain directories. */
function plainCgroups(parent: string): Pick<Cgroups, "create"> {
  return {
    async create(id) {
      const path = join(parent, id);
      await mkdir(path);
      const cgroup: Partial<RunCgroup> = {
        argv: (command) => [...command],
        remove: () => rm(path, { recursive: true }),
      };
      return cgroup as RunCgroup;
    },
  };
}

interface Changes {
  readonly cgroups?: Pick<Cgroups, "create">;
  readonly spawn?: Platform["spawn"];
  readonly mounts?: Platform["mounts"];
}

/** Makes launchpads in a directory that must be empty again in the end. */
async function padsIn(t: TestContext, { cgroups, ...changes }: Changes = {}) {
  const made: Launchpad[] = [];
  // Before the directory goes.
  t.after(async () => {
    for (const { cleanup } of made) await cleanup.run();
  });
  const root = await tempDirectory(t);
  const [runsDirectory, cgroupsDirectory] = [join(root, "runs"), join(root, "cgroups")];
  for (const path of [runsDirectory, cgroupsDirectory]) await mkdir(path);
  const runsc = await fakeRunsc(root, "cat; exit 6");
  const parts = {
    platform: { ...platform, ...changes },
    runsc: { path: runsc.path, platform: "systrap", rootless: false } as const,
    cgroups: (cgroups ?? plainCgroups(cgroupsDirectory)) as Cgroups,
    runsDirectory,
    inputsDirectory: join(root, "inputs"),
    room: ROOM,
    shows_memory_total: false,
    onLeftover: (label: string, error: unknown) => assert.fail(`${label}: ${error}`),
  };
  const make = async (id = ID) => {
    const pad = await makeLaunchpad(parts, id);
    made.push(pad);
    killAfter(t, pad.launcher.child.pid);
    return pad;
  };
  const assertNothing = async () => {
    assert.deepEqual([await readdir(runsDirectory), await readdir(cgroupsDirectory)], [[], []]);
    assert.ok(!(await readFile("/proc/self/mounts", "utf8")).includes(`${root}/`), "a mount is left");
  };
  return { make, root, runsc, runsDirectory, cgroupsDirectory, assertNothing };
}

test("is whole once it is made: directory, /output, cgroup, and a launcher that becomes runsc for them", async (t) => {
  const { make, runsc, runsDirectory, cgroupsDirectory } = await padsIn(t);
  const { id, directory, outputFull, launcher } = await make();
  assert.deepEqual([id, directory.path], [ID, join(runsDirectory, ID)]);
  assert.deepEqual(await readdir(cgroupsDirectory), [ID]);
  assert.deepEqual(await readdir(directory.output), []);
  assert.equal(await outputFull(), null);
  assert.equal(launcher.isWaiting, true);
  await writeFile(`${directory.bundle}/config.json`, "{}");
  await launcher.launch({ memory_mb: 1, stdin: new TextEncoder().encode("hello") });
  const [out] = await Promise.all([textOf(launcher.child.stdout), textOf(launcher.child.stderr)]);
  assert.deepEqual([out, (await launcher.child.exited).code], ["hello", 6]);
  const [call] = await runsc.calls();
  assert.ok(call?.argv.includes(`--bundle=${directory.bundle}`));
  assert.equal(call?.argv.at(-1), "0123456789ab");
});

test("what is put into /output beyond its room is told", async (t) => {
  const { make } = await padsIn(t);
  const { directory, outputFull } = await make();
  for (let count = 0; count < 2; count += 1) {
    await writeFile(join(directory.output, `${count}`), new Uint8Array(ROOM.max_bytes)).catch(() => {});
  }
  assert.equal(await outputFull(), "output_files_limit");
});

test("its cleanup gives all of it back, though it was never launched", async (t) => {
  const { make, assertNothing } = await padsIn(t);
  const { launcher, directory, cleanup } = await make();
  await writeFile(join(directory.output, "left"), "");
  await cleanup.run();
  assert.deepEqual([launcher.isWaiting, await isAlive(launcher.child.pid)], [false, false]);
  await assertNothing();
});

test("its cleanup gives all of it back once its command has ended", async (t) => {
  const { make, assertNothing } = await padsIn(t);
  const { launcher, cleanup } = await make();
  await launcher.launch({ memory_mb: null, stdin: undefined });
  await Promise.all([textOf(launcher.child.stdout), textOf(launcher.child.stderr), launcher.child.exited]);
  await cleanup.run();
  await assertNothing();
});

test("its launcher is gone before its cgroup and its directory are", async (t) => {
  const states: boolean[] = [];
  const pads: Launchpad[] = [];
  const remove = async () => {
    const [pad] = pads;
    states.push(await isAlive(pad?.launcher.child.pid ?? 0), existsSync(pad?.directory.path ?? ""));
  };
  const cgroup = { argv: (command: readonly string[]) => [...command], remove } as unknown as RunCgroup;
  const { make } = await padsIn(t, { cgroups: { create: async () => cgroup } });
  const pad = await make();
  pads.push(pad);
  await pad.cleanup.run();
  assert.deepEqual(states, [false, true]);
});

test("several are apart from each other", async (t) => {
  const { make, runsDirectory, cgroupsDirectory } = await padsIn(t);
  const ids = [ID, `${ID.slice(0, -1)}c`];
  const [first, second] = await Promise.all(ids.map((id) => make(id)));
  assert.notEqual(first?.launcher.child.pid, second?.launcher.child.pid);
  await first?.cleanup.run();
  assert.deepEqual([await readdir(runsDirectory), await readdir(cgroupsDirectory)], [[ids[1]], [ids[1]]]);
  assert.equal(second?.launcher.isWaiting, true);
});

const failing = () => {
  throw new BoxerError("sandbox_failed", "no cgroup");
};

for (const [what, changes, code] of [
  ["cgroup", { cgroups: { create: async () => failing() } }, "sandbox_failed"],
  ["process", { spawn: failing }, "sandbox_failed"],
] as const) {
  test(`a ${what} that cannot be had throws, and nothing stays behind`, async (t) => {
    const { make, assertNothing } = await padsIn(t, changes);
    await assert.rejects(make(), { code });
    await assertNothing();
  });
}

test("a mount that cannot be had throws, and nothing stays behind", { skip: noMounts() }, async (t) => {
  const tmpfs = () => Promise.reject(Object.assign(new Error("no room"), { code: "ENOSPC" }));
  const { make, assertNothing } = await padsIn(t, { mounts: { ...platform.mounts, tmpfs } });
  await assert.rejects(make(), { code: "ENOSPC" });
  await assertNothing();
});

test("what cannot be given back is told, and the rest is given back", async (t) => {
  const told: string[] = [];
  const root = await tempDirectory(t);
  const remove = () => Promise.reject(new Error("busy"));
  const cgroup = { argv: (command: readonly string[]) => [...command], remove } as unknown as RunCgroup;
  const parts = {
    platform,
    runsc: { path: "/nosuch/runsc", platform: "systrap", rootless: false } as const,
    cgroups: { create: async () => cgroup } as unknown as Cgroups,
    runsDirectory: root,
    inputsDirectory: join(root, "inputs"),
    room: ROOM,
    shows_memory_total: false,
    onLeftover: (label: string, error: unknown) => void told.push(`${label}: ${error}`),
  };
  const { cleanup, launcher } = await makeLaunchpad(parts, ID);
  await cleanup.run();
  assert.deepEqual([told, await readdir(root)], [["cgroup: Error: busy"], []]);
  assert.equal(await isAlive(launcher.child.pid), false);
});

test("/output is given to the guest's user, and to nobody else than it was made for where that is the usual one", {
  skip: noMounts(),
}, async (t) => {
  const { make } = await padsIn(t);
  const pad = await make();
  const owner = async () => {
    const { uid, gid, mode } = await stat(pad.directory.output);
    return [uid, gid, mode & 0o777];
  };
  await giveOutput(pad, NOBODY);
  assert.deepEqual(await owner(), [NOBODY.uid, NOBODY.gid, 0o700]);
  await giveOutput(pad, { uid: 1000, gid: 1001 });
  assert.deepEqual(await owner(), [1000, 1001, 0o700]);
  await giveOutput(pad, { uid: NOBODY.uid, gid: 7 });
  assert.deepEqual(await owner(), [NOBODY.uid, 7, 0o700]);
});
