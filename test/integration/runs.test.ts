import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { startService } from "../../src/compose.ts";
import { silentLog } from "../../src/core/log.ts";
import { runscPath } from "../support/fixtures.ts";
import { guestsUp } from "../support/guests-up.ts";
import { assertNothingLeft, sandboxesOf, until } from "../support/leftovers.ts";
import { noCgroups } from "../support/no-cgroups.ts";
import { platform } from "../support/platform.ts";
import { PYTHON, provideImages, startTestService, type TestService, testConfig } from "../support/service.ts";

/** What `GET` answers. */
async function get(service: Pick<TestService, "fetch">, path: string) {
  const response = await service.fetch(path);
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at what came over the wire
  return { status: response.status, body: (await response.json()) as any };
}

/** Stops a run by its id. */
async function stop(service: TestService, exec_id: string) {
  const response = await service.fetch(`/runs/${exec_id}`, { method: "DELETE" });
  return { status: response.status, body: await response.json() };
}

/** The only run under way, once its program runs. */
async function runningRun(service: TestService): Promise<string> {
  let exec_id = "";
  await until(async () => {
    const { body } = await get(service, "/runs");
    const running = body.runs.find(({ state }: { state: string }) => state === "running");
    exec_id = running?.exec_id ?? "";
    return exec_id !== "" && (await sandboxesOf(service.home)).length > 0;
  });
  return exec_id;
}

describe("runs that can be looked at and stopped", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService({ max_concurrent_runs: 1 });
  });
  after(() => service.stop());

  it("lists a run while it runs, stops it, answers its client with what it said, and records it", async () => {
    const script = "echo said; echo err >&2; echo half > /output/partial; : > /output/up; sleep 60";
    const running = service.run({ cmd: ["sh", "-c", script], env: ["TOKEN=hunter2"], persist: true });
    const exec_id = await runningRun(service);
    await guestsUp(service.home);
    const stopped = await stop(service, exec_id);
    assert.deepEqual([stopped.status, stopped.body.exec_id, stopped.body.state], [202, exec_id, "running"]);
    const { status, body } = await running;
    assert.deepEqual(
      [status, body.code, body.status, body.exec_id, body.stdout, body.stderr],
      [503, "canceled", "canceled", exec_id, "said\n", "err\n"],
    );
    assert.deepEqual(body.outputs, [
      { path: `output/${exec_id}/partial`, size_bytes: 5 },
      { path: `output/${exec_id}/up`, size_bytes: 0 },
    ]);
    const record = (await get(service, `/runs/${exec_id}`)).body;
    assert.deepEqual(
      [
        record.state,
        record.status,
        record.exit_code,
        record.signal,
        record.stdout_bytes,
        record.stderr_bytes,
      ],
      ["ended", "canceled", 137, "SIGKILL", 5, 4],
    );
    assert.deepEqual([record.outputs, record.env_names], [body.outputs, ["TOKEN"]]);
    assert.ok(!JSON.stringify(record).includes("hunter2"));
    const again = await stop(service, exec_id);
    assert.deepEqual([again.status, again.body.code], [409, "run_ended"]);
    await assertNothingLeft(service.home);
  });

  it("stops a run that waits, and lets the other go on", async () => {
    const first = service.run({ cmd: ["sleep", "60"] });
    const exec_id = await runningRun(service);
    const second = service.run({ cmd: ["true"] });
    let queued = "";
    await until(async () => {
      const { body } = await get(service, "/runs");
      queued = body.runs.find(({ state }: { state: string }) => state === "queued")?.exec_id ?? "";
      return queued !== "";
    });
    assert.equal((await stop(service, queued)).status, 202);
    const { status, body } = await second;
    assert.deepEqual([status, body.code, body.status, body.exec_id], [503, "canceled", "canceled", queued]);
    const record = (await get(service, `/runs/${queued}`)).body;
    assert.deepEqual([record.status, record.started_at, record.exit_code], ["canceled", null, null]);
    assert.equal((await get(service, `/runs/${exec_id}`)).body.state, "running");
    await stop(service, exec_id);
    assert.equal((await first).body.status, "canceled");
  });

  it("refuses that from a page of another site", async () => {
    const { body } = await service.run({ cmd: ["true"] });
    const response = await service.fetch(`/runs/${body.exec_id}`, {
      method: "DELETE",
      headers: { "sec-fetch-site": "cross-site" },
    });
    assert.deepEqual([response.status, (await response.json()).code], [403, "cross_site"]);
  });

  it("records what the request was refused for once its image was there", async () => {
    const { status, body } = await service.run({ cmd: ["true"], files: ["nosuch"] });
    assert.deepEqual([status, body.code, body.status], [400, "unknown_file", "refused"]);
    const record = (await get(service, `/runs/${body.exec_id}`)).body;
    assert.deepEqual([record.status, record.error.code], ["refused", "unknown_file"]);
  });
});

describe("too much output that is to be cut", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService({ output_limit_bytes: 1000 });
  });
  after(() => service.stop());

  it("lets the program go on to its end, with the first bytes of each stream", async () => {
    const code = "import sys\nfor s in (sys.stdout, sys.stderr): s.write('ab€' * 2_000_000)\nsys.exit(3)";
    const { status, body } = await service.run({
      image: PYTHON,
      cmd: ["python3", "-c", code],
      on_output_limit: "truncate",
    });
    assert.deepEqual(
      [status, body.status, body.exit_code, body.stdout_truncated, body.stderr_truncated],
      [200, "nonzero_exit", 3, true, true],
    );
    for (const text of [body.stdout, body.stderr]) assert.equal(text, "ab€".repeat(200));
  });

  it("still keeps to the wall clock", async () => {
    const { status, body } = await service.run({
      cmd: ["yes"],
      on_output_limit: "truncate",
      limits: { wall_clock_secs: 3 },
    });
    assert.deepEqual([status, body.status, body.stdout_truncated], [408, "timed_out", true]);
    assert.equal(body.stdout, "y\n".repeat(500));
  });
});

describe("what a run left in /output before it was stopped is kept", () => {
  const STOPPED: [string, string, Record<string, unknown>, number][] = [
    ["timed_out", "sleep 60", { limits: { wall_clock_secs: 5 } }, 408],
    ["output_limit", "exec yes", {}, 507],
  ];
  let service: TestService;
  before(async () => {
    service = await startTestService({ output_limit_bytes: 1000 });
  });
  after(() => service.stop());

  for (const [status, end, more, http] of STOPPED) {
    it(`as ${status}`, async () => {
      const cmd = ["sh", "-c", `echo err >&2; echo half > /output/partial; ${end}`];
      const answer = await service.run({ cmd, persist: true, ...more });
      const { body } = answer;
      assert.deepEqual([answer.status, body.status, body.stderr], [http, status, "err\n"]);
      const kept = await service.fetch(`/files?path=output/${body.exec_id}/partial`);
      assert.equal(await kept.text(), "half\n");
      const record = (await get(service, `/runs/${body.exec_id}`)).body;
      assert.deepEqual([record.status, record.outputs], [status, body.outputs]);
    });
  }
});

describe("a program that takes more memory than it may", { skip: noCgroups() }, () => {
  let service: TestService;
  before(async () => {
    service = await startTestService({ ignore_cgroups: false });
  });
  after(() => service.stop());

  const python = (code: string, more = {}) =>
    service.run({
      image: PYTHON,
      cmd: ["python3", "-c", code],
      limits: { memory_mb: 64 },
      persist: true,
      ...more,
    });

  it("is told as oom_killed, with what it said and left, and what it used", async () => {
    const code =
      "print('said', flush=True); open('/output/partial', 'w').write('half'); x = b'x' * (1 << 30)";
    const { status, body } = await python(code);
    assert.deepEqual(
      [status, body.status, body.exit_code, body.signal, body.stdout],
      [200, "oom_killed", 137, "SIGKILL", "said\n"],
    );
    const kept = await service.fetch(`/files?path=output/${body.exec_id}/partial`);
    assert.equal(await kept.text(), "half");
    assert.ok(body.cpu_ms.user + body.cpu_ms.system > 0 && body.peak_memory_mb > 30, JSON.stringify(body));
    const record = (await get(service, `/runs/${body.exec_id}`)).body;
    assert.deepEqual([record.status, record.cpu_ms], ["oom_killed", body.cpu_ms]);
  });

  it("is told from one that kills itself", async () => {
    const { body } = await python("import os; os.kill(os.getpid(), 9)");
    assert.deepEqual([body.status, body.exit_code, body.signal], ["signaled", 137, "SIGKILL"]);
  });
});

describe("records", () => {
  it("survive a restart", async () => {
    const home = await mkdtemp(join(tmpdir(), "boxer-test-"));
    try {
      await provideImages(home);
      const start = async () => {
        const service = await startService(testConfig(home), platform, silentLog);
        const url = `http://127.0.0.1:${service.server.port}`;
        const ask = (path: string, init?: RequestInit) => fetch(url + path, init);
        return { fetch: ask, stop: () => service.stop() };
      };
      const first = await start();
      const answer = await first.fetch("/run", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ image: PYTHON, cmd: ["python3", "-c", "print(42); raise SystemExit(7)"] }),
      });
      const { exec_id } = await answer.json();
      const before = (await get(first, `/runs/${exec_id}`)).body;
      await first.stop();
      const second = await start();
      const { runs } = (await get(second, "/runs?status=nonzero_exit&image=local/python:3")).body;
      await second.stop();
      assert.deepEqual(runs, [before]);
      assert.deepEqual([before.exit_code, before.stdout_bytes, before.image], [7, 3, PYTHON]);
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  });

  it("tell of a fault of gVisor as sandbox_error, with its code", async () => {
    const directory = await mkdtemp(join(tmpdir(), "boxer-test-"));
    const wrapper = join(directory, "runsc");
    // gVisor's own switch for this: the system call afs_syscall makes the sentry panic.
    await writeFile(wrapper, `#!/bin/sh\nexec ${runscPath()} --TESTONLY-afs-syscall-panic "$@"\n`);
    await chmod(wrapper, 0o755);
    const service = await startTestService({ runsc_path: wrapper });
    try {
      const crash = 'import ctypes; print("x", flush=True); ctypes.CDLL(None).syscall(183)';
      const { status, body } = await service.run({ image: PYTHON, cmd: ["python3", "-c", crash] });
      assert.deepEqual([status, body.code, body.status], [500, "sandbox_crashed", "sandbox_error"]);
      const { runs } = (await get(service, "/runs?status=sandbox_error")).body;
      assert.deepEqual(
        runs.map((run: Record<string, unknown>) => [run.exec_id, run.error, run.exit_code]),
        [[body.exec_id, { code: "sandbox_crashed", message: body.error }, null]],
      );
    } finally {
      await service.stop();
      await rm(directory, { recursive: true });
    }
  });
});
