import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { assertNothingLeft, cgroupsOf, runDirectoriesOf, sandboxesOf, until } from "../support/leftovers.ts";
import { noCgroups } from "../support/no-cgroups.ts";
import { BUSYBOX, PYTHON, provideImages, startTestService, type TestService } from "../support/service.ts";
import { ServiceProcess, writeServiceConfig } from "../support/service-process.ts";
import { SLOWNESS } from "../support/slowness.ts";

/** CPU time that gVisor's own start may take. */
const START_CPU_MS = 300 * SLOWNESS;
const LONG = { wall_clock_secs: 120 };

describe("limits by cgroups, as by default", { skip: noCgroups() }, () => {
  let service: TestService;
  before(async () => {
    service = await startTestService({ ignore_cgroups: false });
  });
  after(async () => {
    await service.stop();
  });

  const python = (code: string, limits: object = {}) =>
    service.run({ image: PYTHON, cmd: ["python3", "-c", code], limits: { ...LONG, ...limits } });

  it("are all enforced, and /readyz says by which cgroups", async () => {
    const { cgroup } = (await (await service.fetch("/readyz")).json()) as { cgroup: { mode: string } };
    assert.ok(["v2", "v1", "hybrid"].includes(cgroup.mode), cgroup.mode);
    assert.deepEqual(cgroup, { mode: cgroup.mode, unenforced: [] });
  });

  it("a guest that takes more memory than it may is oom_killed, and its neighbour is not", async () => {
    const [greedy, modest] = await Promise.all([
      python("print('up', flush=True); x = bytearray(10**9)", { memory_mb: 64 }),
      python("import time; time.sleep(1); x = bytearray(10**7); print('fine')", { memory_mb: 64 }),
    ]);
    const { status, exit_code, signal, stdout } = greedy.body;
    assert.deepEqual([greedy.status, status, exit_code, signal], [200, "oom_killed", 137, "SIGKILL"]);
    assert.equal(stdout, "up\n");
    assert.deepEqual([modest.status, modest.body.status, modest.body.stdout], [200, "ok", "fine\n"]);
  });

  it("a guest may use the memory that it was given", async () => {
    for (const memory_mb of [16, 128]) {
      const { body } = await python(`x = b"x" * (${memory_mb - 8} << 20); print(len(x) >> 20)`, {
        memory_mb,
      });
      assert.deepEqual([body.status, body.stdout], ["ok", `${memory_mb - 8}\n`]);
    }
  });

  for (const [name, code] of Object.entries({
    "in many processes": `
import os, time
for i in range(20):
    if os.fork() == 0:
        x = b"x" * (20 << 20)
        time.sleep(100)
        os._exit(0)
time.sleep(100)`,
    "in nameless files": `
import os
f = os.memfd_create("x")
while True: os.write(f, b"x" * 1000000)`,
    "in directories of /tmp without end": `
import os
i = 0
while True:
    os.mkdir(f"/tmp/{i}")
    i += 1`,
  })) {
    it(`memory taken ${name} ends the run as oom_killed`, async () => {
      const { body } = await python(code, { memory_mb: 32, cpu_cores: 2 });
      assert.deepEqual([body.status, body.exit_code], ["oom_killed", 137], body.stderr);
    });
  }

  for (const path of ["/tmp", "/dev/shm"]) {
    it(`${path} has 64 MB, and a guest that fills it meets ENOSPC and lives on`, async () => {
      const code = `
try:
    with open("${path}/x", "wb", 0) as f:
        while True: f.write(b"x" * (1 << 20))
except OSError as e:
    import os
    print(e.strerror, os.stat("${path}/x").st_size >> 20)`;
      const { body } = await python(code);
      assert.deepEqual([body.status, body.stdout], ["ok", "No space left on device 64\n"], body.stderr);
    });
  }

  it("a guest gets no more processes than it may, and lives on", async () => {
    const code = `
import os, time
n = 0
try:
    while True:
        if os.fork() == 0:
            time.sleep(100); os._exit(0)
        n += 1
except BlockingIOError:
    print(n)
`;
    const { body } = await python(code, { pids_limit: 20 });
    assert.deepEqual([body.exit_code, body.stdout], [0, "19\n"], body.stderr);
  });

  it("a guest gets no more CPU time than it may, and the answer says how much it had", async () => {
    const code = `
import time
end = time.monotonic() + 4
while time.monotonic() < end: pass`;
    const { body } = await python(code, { cpu_cores: 0.25 });
    const used_ms = body.cpu_ms.user + body.cpu_ms.system;
    // The quota is a ceiling, however busy the machine is; gVisor's own start comes before it.
    const most_ms = 0.3 * body.wall_ms + START_CPU_MS;
    assert.ok(used_ms > 0 && used_ms < most_ms, `${used_ms} of ${body.wall_ms} ms`);
  });

  it("a guest sees as many CPUs as it may use, two at least where the host has them", async () => {
    const code = "import os; print(os.cpu_count(), len(os.sched_getaffinity(0)))";
    for (const cpu_cores of [1, 0.5, 2]) {
      const { body } = await python(code, { cpu_cores });
      const seen = Math.min(2, availableParallelism());
      assert.equal(body.stdout, `${seen} ${seen}\n`);
    }
  });

  it("every process of a run is in its cgroups, goes before all others when memory is short, and may use all CPUs", async () => {
    const controller = new AbortController();
    const running = service.run({ cmd: ["sleep", "100"], limits: LONG }, { signal: controller.signal });
    const ended = running.catch(() => null);
    try {
      let sandboxes = await sandboxesOf(service.home);
      await until(async () => {
        sandboxes = await sandboxesOf(service.home);
        return sandboxes.some(({ commandLine }) => commandLine.includes("\0boot\0"));
      });
      const [id = ""] = await runDirectoriesOf(service.home);
      const own = (await readFile("/proc/self/status", "utf8")).match(/^Cpus_allowed:.*$/m)?.[0];
      for (const { pid } of sandboxes) {
        const lines = (await readFile(`/proc/${pid}/cgroup`, "utf8")).split("\n");
        const limiting = lines.filter((line) => /^\d+:(memory|cpu[^:s]*|pids|):/.test(line));
        assert.ok(
          limiting.length > 0 && limiting.every((line) => line.endsWith(`/${id}`) || /cpuacct:/.test(line)),
          lines.join(),
        );
        assert.ok(Number(await readFile(`/proc/${pid}/oom_score_adj`, "utf8")) >= 500);
        await until(async () => (await readFile(`/proc/${pid}/status`, "utf8")).includes(`${own}\n`));
      }
    } finally {
      controller.abort();
      await ended;
    }
  });

  it("ended and stopped runs leave no cgroup", async () => {
    await python("print(1)");
    await python("import time; time.sleep(60)", { wall_clock_secs: 0.5 });
    await service.run({ cmd: ["true"] }, { signal: AbortSignal.timeout(60) }).catch(() => {});
    await assertNothingLeft(service.home);
    const { runs } = (await (await service.fetch("/runs?limit=100")).json()) as {
      runs: { exec_id: string }[];
    };
    assert.ok(runs.length >= 2);
    const ids = runs.map(({ exec_id }) => exec_id);
    await until(async () => (await cgroupsOf(ids)).length === 0);
  });
});

describe("the cgroups of a server that was killed", { skip: noCgroups() }, () => {
  it("are emptied and removed by the next one", async () => {
    const home = await mkdtemp(join(tmpdir(), "boxer-test-"));
    await provideImages(home);
    const config = await writeServiceConfig(home, { ignore_cgroups: false });
    const first = new ServiceProcess(config);
    const cut = fetch(`${await first.url()}/run`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ image: BUSYBOX, cmd: ["sleep", "100"], limits: LONG }),
    }).catch(() => null);
    await until(async () =>
      (await sandboxesOf(home)).some(({ commandLine }) => /\0boot\0/.test(commandLine)),
    );
    const ids = await readdir(join(home, "runs"));
    assert.notDeepEqual(await cgroupsOf(ids), []);
    process.kill(first.pid ?? 0, "SIGKILL");
    await Promise.all([first.exited, cut]);
    const second = new ServiceProcess(config);
    await second.url();
    const left = (await sandboxesOf(home)).filter(({ commandLine }) =>
      ids.some((id) => commandLine.includes(id)),
    );
    assert.deepEqual([left, await cgroupsOf(ids)], [[], []]);
    process.kill(second.pid ?? 0, "SIGTERM");
    assert.equal(await second.exited, 0);
    await rm(home, { recursive: true });
  });
});
