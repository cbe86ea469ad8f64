import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { appendFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { enterArgv } from "../../src/sandbox/cgroup/enter-argv.ts";
import type { Cgroups } from "../../src/sandbox/cgroup/types.ts";
import { type Launchpad, type LaunchpadParts, makeLaunchpad } from "../../src/sandbox/launchpad/launchpad.ts";
import type { ProcessLimits } from "../../src/sandbox/run-process.ts";
import { runDirectoryAt } from "../../src/sandbox/runsc.ts";
import { createSandbox, type Guest } from "../../src/sandbox/sandbox.ts";
import { fakeRunsc } from "../support/fake-runsc.ts";
import { GUEST as PLAIN_GUEST } from "../support/guest.ts";
import { noMounts } from "../support/no-mounts.ts";
import { platform } from "../support/platform.ts";
import { isAlive } from "../support/processes.ts";
import { type TestContext, tempDirectory } from "../support/temp-directory.ts";

const GUEST: Guest = { ...PLAIN_GUEST, cwd: "/work" };
/** Names the launchpad. */
const ID = "boxer-00000000-0000-4000-8000-0123456789ab";
const IMAGE = `sha256:${"0".repeat(64)}`;
const ROOM = { max_bytes: 100_000, max_files: 10, max_entries: 20 };
const LIMITS: ProcessLimits = {
  wall_clock_ms: 30_000,
  output_limit_bytes: 1000,
  signal: new AbortController().signal,
};
const NO_CWD =
  'creating process: failed to find initial working directory \\"/work\\": no such file or directory';
const logError = (msg: string) => `printf '%s\\n' '{"level":"error","msg":"${msg}"}' >> $log`;

/** Where a script finds the cgroups. */
const HERE = "cgroups";
const USAGE = { cpu_user_ms: 1, cpu_system_ms: 2, peak_memory_bytes: 3, peak_pids: 4 };

/** Cgroups that are plain directories; a file `oom` in one says that memory ran out, `limits` what was set and when. */
function plainCgroups(parent: string, enterPath: string | undefined): Cgroups {
  return {
    mode: "v2",
    enforced: { memory: false, cpu: false, pids: false },
    unenforced: [],
    async create(id) {
      const path = join(parent, id);
      await mkdir(path, { recursive: true });
      return {
        argv: (command, log) => enterArgv(enterPath === undefined ? [] : [enterPath], command, log),
        oomKilled: async () => existsSync(join(path, "oom")),
        usage: async () => USAGE,
        current: async () => ({ cpu_ms: 3, memory_bytes: 3, pids: 4 }),
        bound: () => appendFile(join(path, "limits"), "bound\n"),
        throttle: () => appendFile(join(path, "limits"), "throttled\n"),
        remove: () => rm(path, { recursive: true }),
      };
    },
    sweep: async () => 0,
    close: async () => {},
  };
}

interface Options {
  readonly cgroupPath?: string;
  readonly unenforced_limits?: "warn" | "refuse";
  readonly start_limit_ms?: number;
  /** In place of none that was booted ahead. */
  readonly takeBooted?: () => Promise<null>;
  /** In place of the fake runsc. */
  readonly runscPath?: string;
}

/** A sandbox whose runsc does what a script says, and a way to run a guest in it. */
async function sandboxWith(t: TestContext, behaviour: string, options: Options = {}) {
  const pads: Launchpad[] = [];
  const cleanup = async () => {
    for (const pad of pads) await pad.cleanup.run();
  };
  // Before the directory goes.
  t.after(cleanup);
  const root = await tempDirectory(t);
  const fake = await fakeRunsc(root, behaviour);
  const runsc = { path: options.runscPath ?? fake.path, platform: "systrap", rootless: false } as const;
  const cgroups = plainCgroups(join(root, HERE), options.cgroupPath);
  const parts: LaunchpadParts = {
    platform,
    runsc,
    cgroups,
    runsDirectory: join(root, "runs"),
    inputsDirectory: join(root, "inputs"),
    room: ROOM,
    shows_memory_total: false,
    onLeftover: (label, error) => assert.fail(`${label}: ${error}`),
  };
  const sandbox = createSandbox({
    platform,
    runsc,
    emptyRoot: join(root, "empty"),
    cgroups,
    async takePad() {
      const id = pads.length === 0 ? ID : `${ID.slice(0, -1)}${pads.length}`;
      const pad = await makeLaunchpad(parts, id);
      pads.push(pad);
      return pad;
    },
    takeBooted: options.takeBooted ?? (async () => null),
    refill() {},
    arch: "x64",
    unenforced_limits: options.unenforced_limits ?? "warn",
    mistakes_namespaces: false,
    shows_memory_total: false,
    start_limit_ms: options.start_limit_ms ?? 30_000,
  });
  const run = async (changes: Partial<Guest> = {}, limits: Partial<ProcessLimits> = {}) => {
    const guest = { ...GUEST, ...changes };
    const place = await sandbox.place({ ...guest, image: IMAGE });
    const exit = await sandbox.run(place, guest, { ...LIMITS, ...limits });
    return { ...exit, out: Buffer.from(exit.stdout.bytes).toString() };
  };
  return {
    runsc: fake,
    directory: runDirectoryAt(join(root, "runs", ID)),
    run,
    root,
    cleanup,
    sandbox,
    pads,
  };
}

test("a guest runs once, by the bundle of its own directory", async (t) => {
  const { runsc, directory, run, root } = await sandboxWith(t, "cat; exit 3");
  const exit = await run({ stdin: new TextEncoder().encode("hello") });
  assert.deepEqual(exit.status, { code: 3, signal: null });
  assert.deepEqual([exit.out, exit.stop, exit.startFailure, exit.panic], ["hello", null, null, null]);
  const [call, ...more] = await runsc.calls();
  assert.deepEqual(more, []);
  assert.ok(call?.argv.includes(`--bundle=${directory.bundle}`));
  assert.deepEqual(call?.spec.process.args, ["true"]);
  assert.equal(call?.spec.root.path, join(root, "empty"));
  const output = call?.spec.mounts.find((mount: { destination: string }) => mount.destination === "/output");
  assert.equal(output.source, directory.output);
});

test("a run is in its cgroup, tells what it used, and leaves the removal to the cleanup", async (t) => {
  const { run, root, cleanup } = await sandboxWith(t, `ls ${HERE}`);
  const exit = await run();
  assert.equal(exit.out, `${ID}\n`);
  assert.deepEqual([exit.oomKilled, exit.usage], [false, USAGE]);
  assert.deepEqual(await readdir(join(root, "cgroups")), [ID]);
  await cleanup();
  assert.deepEqual(await readdir(join(root, "cgroups")), []);
});

test("what the kernel has killed for want of memory is told, also where runsc waits for it in vain", async (t) => {
  const ended = await sandboxWith(t, `touch ${HERE}/${ID}/oom; exit 137`);
  assert.deepEqual([(await ended.run()).oomKilled, (await ended.run()).stop], [true, null]);
  const waiting = await sandboxWith(t, `touch ${HERE}/${ID}/oom; sleep 600 & wait $!`);
  const exit = await waiting.run();
  assert.deepEqual([exit.oomKilled, exit.stop], [true, "oom_killed"]);
});

test("a run is bound before runsc starts, and throttled once its sandbox is there", async (t) => {
  const limits = `${HERE}/${ID}/limits`;
  const { run } = await sandboxWith(
    t,
    `cat ${limits}; echo 1 > $pid_file; until grep -q throttled ${limits}; do sleep 0.01; done; cat ${limits}`,
  );
  assert.equal((await run()).out, "bound\nbound\nthrottled\n");
});

test("a run without a sandbox is not throttled", async (t) => {
  const { run, root } = await sandboxWith(t, "sleep 0.1");
  await run();
  assert.equal(await readFile(join(root, HERE, ID, "limits"), "utf8"), "bound\n");
});

test("a run that cannot be bound or throttled does not go on", async (t) => {
  for (const [what, behaviour, calls] of [
    ["bound", "exit 0", 0],
    ["throttle", "echo 1 > $pid_file; exec sleep 60", 1],
  ] as const) {
    const { sandbox, runsc } = await sandboxWith(t, behaviour);
    const { pad, ...rest } = await sandbox.place({ ...GUEST, image: IMAGE });
    const fault = new Error(`no ${what}`);
    const cgroup = { ...pad.cgroup, [what]: () => Promise.reject(fault) };
    await assert.rejects(sandbox.run({ ...rest, pad: { ...pad, cgroup } }, GUEST, LIMITS), fault);
    assert.equal((await runsc.calls()).length, calls);
    await pad.cleanup.run();
    assert.equal(await isAlive(pad.launcher.child.pid), false);
  }
});

test("a second attempt has a cgroup of its own, and both are given back", async (t) => {
  const { run, root, cleanup } = await sandboxWith(
    t,
    `[ $call = 1 ] && { ${logError(NO_CWD)}; exit 128; }; exit 0`,
  );
  await run();
  assert.deepEqual((await readdir(join(root, "cgroups"))).sort(), [ID, `${ID}-2`]);
  await cleanup();
  assert.deepEqual(await readdir(join(root, "cgroups")), []);
});

test("a cgroup that cannot be entered is a failure to start, and not the program's exit code", async (t) => {
  const { run } = await sandboxWith(t, "exit 0", { cgroupPath: "/nosuch/cgroup" });
  const { startFailure, status } = await run();
  assert.equal(status.code, 128);
  assert.match(startFailure?.message ?? "", /cannot enter the cgroup/);
});

test("a limit that nothing enforces is refused where the operator wants that, before anything starts", async (t) => {
  const { run, runsc } = await sandboxWith(t, "exit 0", { unenforced_limits: "refuse" });
  await assert.rejects(run(), { code: "limit_unenforceable", field: "limits.memory_mb" });
  assert.deepEqual(await runsc.calls(), []);
  const limits = { ...GUEST.limits, memory_mb: null, cpu_cores: null };
  assert.equal((await run({ limits })).status.code, 0);
});

test("two runs have different container ids", async (t) => {
  const { runsc, run } = await sandboxWith(t, "exit 0");
  await run();
  await run();
  const ids = (await runsc.calls()).map(({ argv }) => argv.at(-1));
  assert.deepEqual(ids, ["0123456789ab", "0123456789a1"]);
});

test("a guest that cannot be started is told by runsc's own words", async (t) => {
  const words = 'error finding executable \\"nosuch\\" in PATH [/bin]: no such file or directory';
  const { run } = await sandboxWith(t, `${logError(words)}; exit 128`);
  const { startFailure } = await run();
  assert.equal(startFailure?.kind, "command_not_found");
  assert.equal(startFailure?.message, JSON.parse(`"${words}"`));
});

test("a guest's own exit code 128 is no failure to start", async (t) => {
  const { run } = await sandboxWith(t, "exit 128");
  const exit = await run();
  assert.deepEqual([exit.status.code, exit.startFailure], [128, null]);
});

test("an error in the log of a guest that did start is no failure to start", async (t) => {
  const { run } = await sandboxWith(t, `${logError("removing cgroup: device or resource busy")}; exit 7`);
  const exit = await run();
  assert.deepEqual([exit.status.code, exit.startFailure], [7, null]);
});

test("a working directory that the image lacks is made in a second attempt, from a clean state", async (t) => {
  const { runsc, run } = await sandboxWith(
    t,
    `if [ $call = 1 ]; then mkdir $root; touch $root/left; ${logError(NO_CWD)}; exit 128; fi
     [ -e $root/left ] || [ -e $log ] || echo clean`,
  );
  const exit = await run();
  assert.deepEqual([exit.status.code, exit.startFailure, exit.out], [0, null, "clean\n"]);
  const mountsOf = (call: { spec: { mounts: { destination: string }[] } } | undefined) =>
    call?.spec.mounts.map(({ destination }) => destination);
  const [first, second, ...more] = await runsc.calls();
  assert.deepEqual(more, []);
  assert.equal(mountsOf(first)?.includes("/work"), false);
  assert.equal(mountsOf(second)?.includes("/work"), true);
});

test("a working directory that cannot be made is not tried for ever", async (t) => {
  const { runsc, run } = await sandboxWith(t, `${logError(NO_CWD)}; exit 128`);
  await assert.rejects(run(), { code: "invalid_request", field: "cwd" });
  assert.equal((await runsc.calls()).length, 2);
});

test("the second attempt has its stdin and is stopped by its limits", async (t) => {
  const { run } = await sandboxWith(
    t,
    `if [ $call = 1 ]; then ${logError(NO_CWD)}; exit 128; fi; cat; exec yes`,
  );
  const { out, stop } = await run({ stdin: new TextEncoder().encode("hello") });
  assert.equal(stop, "output_limit");
  assert.ok(out.startsWith("hello"));
});

test("a run stopped in its first attempt has no second one", async (t) => {
  const { runsc, run } = await sandboxWith(t, `${logError(NO_CWD)}; sleep 600 & wait $!; exit 128`);
  assert.equal((await run({}, { wall_clock_ms: 3_000 })).stop, "timed_out");
  assert.equal((await runsc.calls()).length, 1);
});

test("a crash of the sentry is told by the head of its report", async (t) => {
  const { run } = await sandboxWith(
    t,
    "printf 'panic: running on goroutine' > $panic_log; head -c 100000 /dev/zero | tr '\\0' x >> $panic_log; exit 2",
  );
  const { panic, status } = await run();
  assert.equal(status.code, 2);
  assert.ok(panic?.startsWith("panic: running on goroutine"));
  assert.ok((panic?.length ?? 0) <= 4096);
});

test("what else the sentry says while its start fails is no crash", async (t) => {
  const noise = "Error reading mounts file: error unmarshaling mounts: unexpected end of JSON input";
  const { run } = await sandboxWith(t, `echo '${noise}' > $panic_log; ${logError("starting: x")}; exit 128`);
  const { panic, startFailure } = await run();
  assert.deepEqual([panic, startFailure?.message], [null, "starting: x"]);
});

test("a guest's own exit code 2 is no crash", async (t) => {
  const { run } = await sandboxWith(t, ": > $panic_log; exit 2");
  assert.equal((await run()).panic, null);
});

test("a crash that ended runsc by a signal is told as well", async (t) => {
  const { run } = await sandboxWith(t, "echo 'panic: x' > $panic_log; kill -ABRT $$");
  const { panic, status } = await run();
  assert.deepEqual([panic, status.signal], ["panic: x\n", "SIGABRT"]);
});

for (const [name, path] of Object.entries({
  "is missing": "nosuch",
  "cannot be executed": "plain",
})) {
  test(`runsc that ${name} is told as such, whether a cgroup is entered first or not`, async (t) => {
    const root = await tempDirectory(t);
    await writeFile(join(root, "plain"), "");
    for (const cgroupPath of [undefined, root]) {
      const options = { runscPath: join(root, path), ...(cgroupPath && { cgroupPath }) };
      const { run } = await sandboxWith(t, "exit 0", options);
      await assert.rejects(run(), { code: "runsc_missing" });
    }
  });
}

test("a guest's own exit codes 126 and 127 are its own", async (t) => {
  for (const code of [126, 127]) {
    const { run } = await sandboxWith(t, `exit ${code}`);
    assert.equal((await run()).status.code, code);
  }
});

test("a directory that is not there any more throws", async (t) => {
  const { sandbox, pads } = await sandboxWith(t, "exit 0");
  const place = await sandbox.place({ ...GUEST, image: IMAGE });
  const pad = { ...place.pad, directory: runDirectoryAt("/nosuch/run") };
  await assert.rejects(sandbox.run({ ...place, pad }, GUEST, LIMITS), { code: "ENOENT" });
  assert.equal(pads.length, 1);
});

test("the launcher of a run is runsc in the end: its pid stays the same", async (t) => {
  const { run, pads } = await sandboxWith(t, "echo $$");
  const { out } = await run();
  assert.equal(out, `${pads[0]?.launcher.child.pid}\n`);
});

test("a guest whose image is a directory has it mounted first, and once more in a second attempt", {
  skip: noMounts(),
}, async (t) => {
  const { run, root, runsc } = await sandboxWith(
    t,
    `cat $bundle/root/merged/rootfs/file; cat $log; [ $call = 1 ] && { ${logError(NO_CWD)}; exit 128; }; exit 5`,
  );
  const rootfs = join(root, "image", "rootfs");
  await mkdir(rootfs, { recursive: true });
  await writeFile(join(rootfs, "file"), "seen ");
  const exit = await run({ rootfs, rootfsType: "directory" });
  assert.deepEqual([exit.out, exit.status.code], ["seen ", 5]);
  assert.equal((await runsc.calls()).length, 2);
  const missing = await run({ rootfs: join(root, "nosuch", "rootfs"), rootfsType: "directory" });
  assert.match(missing.startFailure?.message ?? "", /cannot mount the image/);
  assert.equal((await runsc.calls()).length, 2);
});

test("a runsc that says nothing of a sandbox has started none, whatever its exit code", async (t) => {
  for (const [behaviour, started] of [
    ["echo lie; exit 0", false],
    ["echo 1 > $pid_file; exit 0", true],
  ] as const) {
    const { run } = await sandboxWith(t, behaviour);
    const exit = await run();
    assert.deepEqual([exit.started, exit.status.code], [started, 0]);
  }
});

test("a runsc that makes no sandbox in its time is stopped for that", async (t) => {
  const { run } = await sandboxWith(t, "exec sleep 60", { start_limit_ms: 300 });
  assert.equal((await run()).stop, "not_started");
});

test("a sandbox that was there in its time may go on", async (t) => {
  const { run } = await sandboxWith(t, "echo 1 > $pid_file; sleep 4; exit 7", { start_limit_ms: 3_000 });
  const exit = await run();
  assert.deepEqual([exit.stop, exit.status.code], [null, 7]);
});

test("a runsc that hangs once is started again, and the program has all of its time", async (t) => {
  const { run } = await sandboxWith(t, "[ $call = 1 ] && exec sleep 60; echo 1 > $pid_file; exit 5", {
    start_limit_ms: 3_000,
  });
  const exit = await run({}, { wall_clock_ms: 30_000 });
  assert.deepEqual([exit.stop, exit.started, exit.status.code], [null, true, 5]);
});

test("a guest with a network has a sandbox booted for it, and its network again at a second start", async (t) => {
  const asked: string[] = [];
  const takeBooted = async () => {
    asked.push("booted");
    return null;
  };
  const { run, runsc } = await sandboxWith(t, "[ $call = 1 ] && echo 'panic: x' > $panic_log; exit 2", {
    takeBooted,
  });
  const restore = async () => void asked.push("restored");
  await run({ network: { mode: "sandbox", netns_path: "/run/netns/x", files: [], restore } });
  assert.deepEqual(asked, ["restored"]);
  const calls = await runsc.calls();
  assert.equal(calls.length, 2);
  for (const { argv, spec } of calls) {
    assert.ok(argv.includes("--network=sandbox"), String(argv));
    assert.equal(spec.linux.namespaces.at(-1).path, "/run/netns/x");
  }
  await run();
  assert.deepEqual(asked, ["restored", "booted"]);
});
