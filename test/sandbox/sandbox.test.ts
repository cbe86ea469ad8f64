import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { CleanupStack } from "../../src/core/cleanup-stack.ts";
import { enterArgv } from "../../src/sandbox/cgroup/enter-argv.ts";
import type { Cgroups } from "../../src/sandbox/cgroup/types.ts";
import type { ProcessLimits } from "../../src/sandbox/run-process.ts";
import { runDirectoryAt } from "../../src/sandbox/runsc.ts";
import { createSandbox, type Guest } from "../../src/sandbox/sandbox.ts";
import { NOBODY } from "../../src/sandbox/spec.ts";
import { fakeRunsc } from "../support/fake-runsc.ts";
import { platform } from "../support/platform.ts";
import { type TestContext, tempDirectory } from "../support/temp-directory.ts";

const GUEST: Guest = {
  id: "boxer-00000000-0000-4000-8000-0123456789ab",
  args: ["true"],
  env: ["PATH=/bin"],
  cwd: "/work",
  user: NOBODY,
  limits: { cpu_cores: 1, memory_mb: 256, wall_clock_secs: 30, pids_limit: 64, nofile: 256 },
  rootfs: "/images/x.erofs",
  rootfsType: "erofs",
  inputs: [],
  stdin: undefined,
};
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

/** Cgroups that are plain directories; a file `oom` in one says that memory ran out. */
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
        widen: null,
        remove: () => rm(path, { recursive: true }),
      };
    },
    sweep: async () => 0,
    close: async () => {},
  };
}

/** A sandbox whose runsc does what a script says, and a way to run a guest in it. */
async function sandboxWith(
  t: TestContext,
  behaviour: string,
  options: { cgroupPath?: string; unenforced_limits?: "warn" | "refuse"; start_limit_ms?: number } = {},
) {
  const root = await tempDirectory(t);
  const runsc = await fakeRunsc(root, behaviour);
  const directory = runDirectoryAt(join(root, "run"));
  await mkdir(directory.output, { recursive: true });
  const sandbox = createSandbox({
    platform,
    runsc: {
      path: runsc.path,
      platform: "systrap",
      rootless: false,
    },
    emptyRoot: join(root, "empty"),
    cgroups: plainCgroups(join(root, HERE), options.cgroupPath),
    unenforced_limits: options.unenforced_limits ?? "warn",
    shows_memory_total: false,
    ...(options.start_limit_ms && { start_limit_ms: options.start_limit_ms }),
  });
  const cleanup = new CleanupStack((label, error) => assert.fail(`${label}: ${error}`));
  const run = async (guest: Partial<Guest> = {}, limits: Partial<ProcessLimits> = {}) => {
    const exit = await sandbox.run(directory, { ...GUEST, ...guest }, { ...LIMITS, ...limits }, cleanup);
    return { ...exit, out: Buffer.from(exit.stdout.bytes).toString() };
  };
  return { runsc, directory, run, root, cleanup };
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
  const { run, root, cleanup } = await sandboxWith(t, `ls ${HERE}; pwd`);
  const exit = await run();
  assert.deepEqual(exit.out.split("\n")[0], GUEST.id);
  assert.deepEqual([exit.oomKilled, exit.usage], [false, USAGE]);
  assert.deepEqual(await readdir(join(root, "cgroups")), [GUEST.id]);
  await cleanup.run();
  assert.deepEqual(await readdir(join(root, "cgroups")), []);
});

test("what the kernel has killed for want of memory is told, also where runsc waits for it in vain", async (t) => {
  const ended = await sandboxWith(t, `touch ${HERE}/${GUEST.id}/oom; exit 137`);
  assert.deepEqual([(await ended.run()).oomKilled, (await ended.run()).stop], [true, null]);
  const waiting = await sandboxWith(t, `touch ${HERE}/${GUEST.id}/oom; sleep 600 & wait $!`);
  const exit = await waiting.run();
  assert.deepEqual([exit.oomKilled, exit.stop], [true, "oom_killed"]);
});

test("a second attempt has a cgroup of its own, and both are given back", async (t) => {
  const { run, root, cleanup } = await sandboxWith(
    t,
    `[ $call = 1 ] && { ${logError(NO_CWD)}; exit 128; }; exit 0`,
  );
  await run();
  assert.deepEqual((await readdir(join(root, "cgroups"))).sort(), [GUEST.id, `${GUEST.id}-2`]);
  await cleanup.run();
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
  await run({ id: "boxer-00000000-0000-4000-8000-ba9876543210" });
  const [first, second] = (await runsc.calls()).map(({ argv }) => argv.at(-1));
  assert.notEqual(first, second);
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
  assert.equal((await run({}, { wall_clock_ms: 1_500 })).stop, "timed_out");
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
    const { directory, root } = await sandboxWith(t, "exit 0");
    await writeFile(join(root, "plain"), "");
    for (const enterPath of [undefined, root]) {
      const runsc = { path: join(root, path), platform: "systrap", rootless: false } as const;
      const cgroups = plainCgroups(join(root, HERE), enterPath);
      const sandbox = createSandbox({
        platform,
        runsc,
        emptyRoot: root,
        cgroups,
        unenforced_limits: "warn",
        shows_memory_total: false,
      });
      const cleanup = new CleanupStack(() => {});
      await assert.rejects(sandbox.run(directory, GUEST, LIMITS, cleanup), { code: "runsc_missing" });
    }
  });
}

test("a guest's own exit codes 126 and 127 are its own", async (t) => {
  for (const code of [126, 127]) {
    const { run } = await sandboxWith(t, `exit ${code}`);
    assert.equal((await run()).status.code, code);
  }
});

test("a directory that is not there throws", async (t) => {
  const { root, runsc, cleanup } = await sandboxWith(t, "exit 0");
  const sandbox = createSandbox({
    platform,
    runsc: { path: runsc.path, platform: "systrap", rootless: false },
    emptyRoot: root,
    cgroups: plainCgroups(join(root, HERE), undefined),
    unenforced_limits: "warn",
    shows_memory_total: false,
  });
  const elsewhere = runDirectoryAt(join(root, "none"));
  await assert.rejects(sandbox.run(elsewhere, GUEST, LIMITS, cleanup), { code: "ENOENT" });
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
  const { run } = await sandboxWith(t, "echo 1 > $pid_file; sleep 1; exit 7", { start_limit_ms: 300 });
  const exit = await run();
  assert.deepEqual([exit.stop, exit.status.code], [null, 7]);
});

test("a runsc that hangs once is started again, and the program has all of its time", async (t) => {
  const { run } = await sandboxWith(t, "[ $call = 1 ] && exec sleep 60; echo 1 > $pid_file; exit 5", {
    start_limit_ms: 300,
  });
  const exit = await run({}, { wall_clock_ms: 5_000 });
  assert.deepEqual([exit.stop, exit.started, exit.status.code], [null, true, 5]);
});
