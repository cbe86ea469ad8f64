import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { assertNothingLeft, cgroupsOf, sandboxesOf, until } from "../support/leftovers.ts";
import { BUSYBOX, PYTHON, provideImages, startTestService, type TestService } from "../support/service.ts";
import { removeHome, ServiceProcess, writeServiceConfig } from "../support/service-process.ts";
import { SLOWNESS } from "../support/slowness.ts";

const MOUNT = "/sys/fs/cgroup";
const MIB = 1 << 20;
/** Most that a limit of memory may have on top for gVisor itself. */
const SENTRY_MB = 128;
/** For a guest that is expected to end otherwise. */
const LONG = { wall_clock_secs: 60 * SLOWNESS };

/** Why limits of cgroup v2 cannot be tried here, or false. */
function noCgroupV2(): string | false {
  try {
    const controllers = readFileSync(join(MOUNT, "cgroup.controllers"), "utf8").trim().split(" ");
    const missing = ["cpu", "memory", "pids"].filter((name) => !controllers.includes(name));
    return missing.length > 0 && `cgroup v2 is without ${missing.join(", ")} here`;
  } catch {
    return "cgroup v2 is not mounted here";
  }
}

/** The paths of the cgroups of a home's runs that are on, once there are some. */
async function cgroupsOfRuns(home: string): Promise<string[]> {
  let found: string[] = [];
  await until(async () => {
    found = await cgroupsOf(await readdir(join(home, "runs")));
    return found.length > 0 && (await sandboxesOf(home)).length > 0;
  });
  return found.map((path) => join(MOUNT, path));
}

const readValue = async (cgroup: string, name: string) => (await readFile(join(cgroup, name), "utf8")).trim();

/** The cgroups of whatever server, by name. */
async function ownCgroups(): Promise<string[]> {
  const entries = await readdir(MOUNT, { recursive: true });
  return entries.filter((path) => basename(path).startsWith("boxer")).sort();
}

/** The numbers of a flat keyed file, such as memory.events. */
async function numbersOf(cgroup: string, name: string): Promise<Map<string, number>> {
  const lines = (await readValue(cgroup, name)).split("\n").map((line) => line.split(" "));
  return new Map(lines.map(([key = "", value]) => [key, Number(value)]));
}

const skip = noCgroupV2();

describe("limits on a host with cgroup v2 alone", () => {
  let service: TestService | undefined;
  before(async () => {
    if (skip) return;
    service = await startTestService({ ignore_cgroups: false });
  });
  after(() => service?.stop());

  const running = (): TestService => service ?? assert.fail("the service did not start");

  const python = (code: string, limits: object = {}) =>
    running().run({ image: PYTHON, cmd: ["python3", "-c", code], limits: { ...LONG, ...limits } });

  /** Looks at the cgroup of a run that would go on for long, then ends the run. */
  async function whileRunning(script: string, limits: object, look: (cgroup: string) => Promise<void>) {
    const controller = new AbortController();
    const body = { cmd: ["sh", "-c", script], limits: { ...LONG, ...limits } };
    const ended = running()
      .run(body, { signal: controller.signal })
      .catch(() => null);
    try {
      const [cgroup = ""] = await cgroupsOfRuns(running().home);
      await look(cgroup);
    } finally {
      controller.abort();
      await ended;
    }
    await assertNothingLeft(running().home);
  }

  it("the run's cgroup has the limits that were asked for, and all of the sandbox in it", { skip }, () =>
    whileRunning("sleep 600", { memory_mb: 96, cpu_cores: 0.5, pids_limit: 40 }, async (cgroup) => {
      const memory_mb = Number(await readValue(cgroup, "memory.max")) / MIB;
      assert.ok(memory_mb >= 96 && memory_mb <= 96 + SENTRY_MB, `memory.max is ${memory_mb} MiB`);
      assert.equal(await readValue(cgroup, "memory.swap.max"), "0");
      assert.equal(await readValue(cgroup, "memory.oom.group"), "1");
      // As soon as the sandbox is there.
      await until(async () => (await readValue(cgroup, "cpu.max")) === "50000 100000");
      assert.ok(Number(await readValue(cgroup, "pids.max")) > 40);
      const isSentry = ({ commandLine }: { commandLine: string }) => commandLine.includes("\0boot\0");
      await until(async () => (await sandboxesOf(running().home)).some(isSentry));
      const sandbox = await sandboxesOf(running().home);
      const inside = (await readValue(cgroup, "cgroup.procs")).split("\n").map(Number);
      assert.deepEqual(
        sandbox.filter(({ pid }) => !inside.includes(pid)),
        [],
        "processes outside",
      );
    }),
  );

  it("half a processor is no more than that, by the kernel's own account", { skip }, () =>
    whileRunning("while :; do :; done", { cpu_cores: 0.5 }, async (cgroup) => {
      const look = () => numbersOf(cgroup, "cpu.stat");
      const throttledMoreThan = (times: number) => async () =>
        ((await look()).get("nr_throttled") ?? 0) > times;
      // What gVisor's own start took came before.
      await until(throttledMoreThan(1));
      const before = await look();
      await until(throttledMoreThan(20));
      const after = await look();
      const since = (key: string) => (after.get(key) ?? Number.POSITIVE_INFINITY) - (before.get(key) ?? 0);
      const granted_usec = (since("nr_periods") + 2) * 50_000;
      const used_usec = since("usage_usec");
      assert.ok(used_usec < granted_usec * 1.2, `${used_usec} of ${granted_usec} µs`);
    }),
  );

  for (const [name, code] of Object.entries({
    "takes more memory than it may": "x = bytearray(10**9)",
    "fills its file system": "f = open('/var/tmp/x', 'wb')\nwhile True: f.write(bytes(1 << 20))",
  })) {
    it(`a guest that ${name} is killed by the kernel, and its neighbour is not`, { skip }, async () => {
      const [greedy, modest] = await Promise.all([
        python(`print('up', flush=True)\n${code}`, { memory_mb: 64 }),
        python("import time; time.sleep(5); x = bytearray(10**7); print('fine')", { memory_mb: 64 }),
      ]);
      const { status, exit_code, stdout } = greedy.body;
      assert.deepEqual([status, exit_code, stdout], ["oom_killed", 137, "up\n"], JSON.stringify(greedy));
      assert.equal(modest.body.stdout, "fine\n", JSON.stringify(modest));
    });
  }

  it("a fork bomb is ended by the clock, with all that it has started", { skip }, async () => {
    const code = "import os\nprint('up', flush=True)\nwhile True:\n  try: os.fork()\n  except OSError: pass";
    const { status, body } = await python(code, { wall_clock_secs: 3 * SLOWNESS, pids_limit: 32 });
    assert.deepEqual([status, body.status, body.stdout], [408, "timed_out", "up\n"], JSON.stringify(body));
    await assertNothingLeft(running().home);
  });

  it("cgroup.kill ends a run with a fork bomb, and the service goes on", { skip }, async () => {
    const bomb = running().run({ cmd: ["sh", "-c", "b() { b | b & }; b; sleep 600"], limits: LONG });
    const [cgroup = ""] = await cgroupsOfRuns(running().home);
    await until(async () => (await numbersOf(cgroup, "cpu.stat")).get("usage_usec") !== 0);
    await writeFile(join(cgroup, "cgroup.kill"), "1");
    assert.notEqual((await bomb).body.exit_code, 0);
    await assertNothingLeft(running().home);
    assert.equal((await running().run({ cmd: ["echo", "well"] })).body.stdout, "well\n");
  });

  it("a guest sees as many processors as it may use, two at least", { skip }, async () => {
    const seen = async (cpu_cores: number) =>
      (await running().run({ cmd: ["nproc"], limits: { cpu_cores } })).body;
    assert.deepEqual([(await seen(1)).stdout, (await seen(2)).stdout], ["2\n", "2\n"]);
  });
});

describe("kill -9 of the service on a host with cgroup v2 alone", () => {
  let home: string;
  let others: string[];
  const started: ServiceProcess[] = [];
  before(async () => {
    if (skip) return;
    home = await mkdtemp(join(tmpdir(), "boxer-test-"));
    await provideImages(home);
    others = await ownCgroups();
  });
  after(async () => {
    if (skip) return;
    for (const service of started) await service.end("SIGKILL");
    await removeHome(home);
  });

  it("the next start leaves no cgroup of the runs that were on", { skip }, async () => {
    const config = await writeServiceConfig(home, { ignore_cgroups: false });
    const start = () => started[started.push(new ServiceProcess(config)) - 1] as ServiceProcess;
    const service = start();
    const forever = {
      image: BUSYBOX,
      cmd: ["sh", "-c", "trap '' TERM; sleep 600 & sleep 600"],
      limits: LONG,
    };
    await service.url();
    const runs = Promise.allSettled([service.run(forever), service.run(forever)]);
    await until(async () => (await cgroupsOfRuns(home)).length === 2);
    await service.end("SIGKILL");
    await runs;
    const ids = await readdir(join(home, "runs"));
    assert.equal(ids.length, 2);
    const next = start();
    await next.url();
    await assertNothingLeft(home);
    assert.deepEqual(await cgroupsOf(ids), []);
    assert.equal(await next.end("SIGTERM"), 0);
    assert.deepEqual(await ownCgroups(), others, "a cgroup of the service itself is left");
  });
});
