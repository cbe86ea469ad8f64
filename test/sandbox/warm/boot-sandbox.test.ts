import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { errnoOf } from "../../../src/core/errors.ts";
import type { RunCgroup } from "../../../src/sandbox/cgroup/types.ts";
import { type Launchpad, makeLaunchpad } from "../../../src/sandbox/launchpad/launchpad.ts";
import { bootSandbox } from "../../../src/sandbox/warm/boot-sandbox.ts";
import { takeOver } from "../../../src/sandbox/warm/take-over.ts";
import type { BootShape } from "../../../src/sandbox/warm-pool/boot-shape.ts";
import { fakeRunsc } from "../../support/fake-runsc.ts";
import { GUEST } from "../../support/guest.ts";
import { until } from "../../support/leftovers.ts";
import { platform } from "../../support/platform.ts";
import { isAlive } from "../../support/processes.ts";
import { type TestContext, tempDirectory } from "../../support/temp-directory.ts";

const SHAPE: BootShape = {
  image: `sha256:${"0".repeat(64)}`,
  rootfs: "/images/x.erofs",
  rootfsType: "erofs",
  memory_mb: 256,
  cpus: 2,
};
const INIT = Buffer.from("the first program");
const ID = "boxer-00000000-0000-4000-8000-0123456789ab";
const USAGE = { cpu_user_ms: 1, cpu_system_ms: 2, peak_memory_bytes: 3, peak_pids: 4 };
/** Tells its pid and keeps its input until that ends. */
const BOOTS = 'echo $$ > "$pid_file"; exec cat > input';

interface Options {
  readonly start_limit_ms?: number;
  readonly signal?: AbortSignal;
  readonly claimed?: Promise<void>;
}

const NEVER = new Promise<void>(() => {});

/** What can be booted by a runsc that does what a script says. */
async function bootWith(t: TestContext, behaviour: string) {
  const root = await tempDirectory(t);
  const fake = await fakeRunsc(root, behaviour);
  const runsc = { path: fake.path, platform: "systrap", rootless: false } as const;
  const noted: string[] = [];
  const cgroup: RunCgroup = {
    argv: (command) => [...command],
    oomKilled: async () => false,
    usage: async () => USAGE,
    current: async () => ({ cpu_ms: 3, memory_bytes: 3, pids: 4 }),
    bound: async (limits) => void noted.push(`bound ${JSON.stringify(limits)}`),
    throttle: async ({ cpu_cores }) => void noted.push(`throttled to ${cpu_cores}`),
    remove: async () => void noted.push("removed"),
  };
  const pads: Launchpad[] = [];
  const takePad = async () => {
    const parts = {
      platform,
      runsc,
      cgroups: {
        mode: "none" as const,
        enforced: { memory: false, cpu: false, pids: false },
        unenforced: [],
        create: async () => cgroup,
        sweep: async () => 0,
        close: async () => {},
      },
      runsDirectory: join(root, "runs"),
      inputsDirectory: join(root, "inputs"),
      room: { max_bytes: 100_000, max_files: 10, max_entries: 20 },
      shows_memory_total: false,
      onLeftover: (label: string, error: unknown) => assert.fail(`${label}: ${error}`),
    };
    const pad = await makeLaunchpad(parts, ID);
    pads.push(pad);
    return pad;
  };
  t.after(() => Promise.all(pads.map((pad) => pad.cleanup.run())));
  const parts = { runsc, emptyRoot: join(root, "empty"), init: INIT, takePad };
  const boot = ({ start_limit_ms = 30_000, claimed = NEVER, ...options }: Options = {}) => {
    const { signal = new AbortController().signal } = options;
    return bootSandbox({ ...parts, start_limit_ms }, SHAPE, { signal, claimed });
  };
  const assertNothingLeft = async () => {
    const [pad] = pads;
    assert.ok(pad && !existsSync(pad.directory.path) && !existsSync(pad.directory.control.in));
    assert.equal(noted.at(-1), "removed");
    await until(async () => !(await isAlive(pad.launcher.child.pid)));
  };
  return { boot, root, noted, fake, assertNothingLeft };
}

test("a booted sandbox waits with what its first program needs, bound as its shape says", async (t) => {
  const { boot, fake, noted, assertNothingLeft } = await bootWith(t, BOOTS);
  const { pad, discard } = await boot();
  const { control } = pad.directory;
  assert.deepEqual([await readFile(control.init), String(await readFile(control.report))], [INIT, ""]);
  const modes = [control.init, control.inputs].map(async (path) => (await stat(path)).mode & 0o777);
  assert.deepEqual(await Promise.all(modes), [0o755, 0o700]);
  assert.deepEqual(noted, ['bound {"memory_mb":256,"cpu_cores":2,"pids_limit":null}', "throttled to 2"]);
  const [call] = await fake.calls();
  assert.deepEqual(call?.spec.process.args, ["/dev/.boxer/in/init"]);
  assert.equal(call?.spec.annotations["dev.gvisor.spec.rootfs.source"], SHAPE.rootfs);
  await discard();
  await assertNothingLeft();
});

test("it gets the tape and then the input of its guest, once its limits are set", async (t) => {
  const { boot, root, noted } = await bootWith(t, BOOTS);
  const sandbox = await boot();
  noted.length = 0;
  const before = await takeOver(sandbox, { ...GUEST, stdin: Buffer.from("input") }, Buffer.from("tape,"));
  await sandbox.ended;
  assert.deepEqual(before, USAGE);
  assert.equal(await readFile(join(root, "input"), "utf8"), "tape,input");
  assert.deepEqual(noted, ['bound {"memory_mb":null,"cpu_cores":null,"pids_limit":64}', "throttled to 1"]);
  await sandbox.discard();
});

test("one that waits for long is held still, and goes on when it is woken", async (t) => {
  const { boot, assertNothingLeft } = await bootWith(t, BOOTS);
  const { pad, wake, discard } = await boot();
  const isHeld = async () => /\) T /.test(await readFile(`/proc/${pad.launcher.child.pid}/stat`, "utf8"));
  await until(isHeld);
  wake();
  await until(async () => !(await isHeld()));
  await discard();
  await assertNothingLeft();
});

test("one that is held still can be discarded", async (t) => {
  const { boot, assertNothingLeft } = await bootWith(t, BOOTS);
  const { pad, discard } = await boot();
  await until(async () => /\) T /.test(await readFile(`/proc/${pad.launcher.child.pid}/stat`, "utf8")));
  await discard();
  await assertNothingLeft();
});

test("a file of its pid that is still empty is waited for", async (t) => {
  const { boot } = await bootWith(t, `: > "$pid_file"; sleep 0.5; ${BOOTS}`);
  const { pad, discard } = await boot();
  assert.equal(Number(await readFile(pad.directory.pidFile)), pad.launcher.child.pid);
  await discard();
});

test("the end of one that waits is told, and it can still be discarded", async (t) => {
  const { boot, assertNothingLeft } = await bootWith(t, 'echo $$ > "$pid_file"; sleep 0.5; exit 3');
  const { ended, discard } = await boot();
  assert.deepEqual(await ended, { code: 3, signal: null });
  await discard();
  await assertNothingLeft();
});

test("one that does not end with its input is killed", async (t) => {
  const { boot, assertNothingLeft } = await bootWith(t, 'echo $$ > "$pid_file"; while :; do sleep 1; done');
  const { discard } = await boot();
  await discard();
  await assertNothingLeft();
});

for (const [what, behaviour, options, error] of [
  ["dies while it boots", "exit 128", {}, /runsc has ended/],
  ["is not there in time", "exec sleep 100", { start_limit_ms: 200 }, /runsc makes no sandbox/],
  ["is not wanted any more", "exec sleep 100", { signal: AbortSignal.timeout(200) }, /abort|timed? ?out/i],
  // As on a host out of descriptors.
  [
    "tells a pid that cannot be read",
    'mkdir "$pid_file"; exec sleep 100',
    { start_limit_ms: 500 },
    /runsc makes no sandbox/,
  ],
  ["tells no pid", 'echo x > "$pid_file"; exec sleep 100', { start_limit_ms: 500 }, /runsc makes no sandbox/],
] as const) {
  test(`nothing stays of one that ${what}`, async (t) => {
    const { boot, assertNothingLeft } = await bootWith(t, behaviour);
    await assert.rejects(boot(options), error);
    await assertNothingLeft();
  });
}

test("without a launchpad there is none", async () => {
  const takePad = () => Promise.reject(Object.assign(new Error("full"), { code: "ENOSPC" }));
  const runsc = { path: "/nosuch", platform: "systrap", rootless: false } as const;
  const parts = { runsc, emptyRoot: "/nosuch", init: INIT, takePad, start_limit_ms: 1 };
  await assert.rejects(
    bootSandbox(parts, SHAPE, { signal: new AbortController().signal, claimed: NEVER }),
    (error) => errnoOf(error) === "ENOSPC",
  );
});
