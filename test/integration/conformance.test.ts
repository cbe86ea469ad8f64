import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { PYTHON, startTestService, type TestService } from "../support/service.ts";
import { WARM_MODE } from "../support/warm-mode.ts";

/** Part 1 of the wire contract, case by case. */
describe("the wire contract", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService();
  });
  after(() => service.stop());

  const python = (code: string, rest: object = {}) =>
    service.run({ image: PYTHON, cmd: ["python3", "-c", code], ...rest });
  const sh = (script: string, rest: object = {}) => service.run({ cmd: ["sh", "-c", script], ...rest });

  it("answers GET /healthz with ok", async () => {
    const response = await service.fetch("/healthz");
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), { ok: true });
  });

  it("answers a run with the five fields", async () => {
    const { status, body } = await python("print(42)");
    assert.equal(status, 200);
    assert.match(body.exec_id, /^boxer-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(body.exit_code, 0);
    assert.equal(body.stdout, "42\n");
    assert.equal(body.stderr, "");
    assert.ok(Number.isInteger(body.wall_ms) && body.wall_ms > 0);
  });

  it("answers 200 whatever the exit code", async () => {
    const { status, body } = await sh("echo out; echo err >&2; exit 7");
    assert.equal(status, 200);
    assert.deepEqual(
      [body.exit_code, body.stdout, body.stderr, body.status],
      [7, "out\n", "err\n", "nonzero_exit"],
    );
  });

  it("takes null, 0 and absent limits for the configured ones", async () => {
    const limits = { cpu_cores: null, memory_mb: 0, pids_limit: null, wall_clock_secs: 0, nofile: null };
    const { status, body } = await sh("ulimit -n", { limits });
    assert.deepEqual([status, body.stdout], [200, "256\n"]);
  });

  it("takes null for every optional field", async () => {
    const absent = { env: null, cwd: null, limits: null, files: null, persist: null, network: null };
    const { status, body } = await sh("echo hi", absent);
    assert.deepEqual([status, body.stdout], [200, "hi\n"]);
  });

  it("gives the guest the limits of the request", async () => {
    const { body } = await sh("ulimit -n; ulimit -u", { limits: { nofile: 77, pids_limit: 33 } });
    // The first program of a sandbox booted ahead counts as root's: one fewer for another user means the same.
    assert.equal(body.stdout, WARM_MODE ? "77\n32\n" : "77\n33\n");
  });

  it("puts the request's env over the image's and keeps PATH", async () => {
    const { body } = await sh("echo $A $PATH", { env: ["A=1", "A=2"] });
    assert.match(body.stdout, /^2 \/.*bin/);
  });

  it("runs in cwd, and makes it where the image lacks it", async () => {
    assert.equal((await sh("pwd", { cwd: "/etc" })).body.stdout, "/etc\n");
    const made = await sh("pwd; touch x && ls", { cwd: "/not/there" });
    assert.equal(made.body.stdout, "/not/there\nx\n");
  });

  it("says 127 for a command that is not there and 126 for one that cannot be executed", async () => {
    const missing = await service.run({ cmd: ["nosuch"] });
    assert.deepEqual([missing.status, missing.body.exit_code], [200, 127]);
    assert.equal(missing.body.stderr, "nosuch: command not found\n");
    const plain = await service.run({ cmd: ["/etc/passwd"] });
    assert.deepEqual([plain.status, plain.body.exit_code], [200, 126]);
    assert.equal(plain.body.stderr, "/etc/passwd: cannot be executed\n");
  });

  it("says 128+N for a program that signal N killed", async () => {
    for (const [signal, number] of Object.entries({ KILL: 9, SEGV: 11, TERM: 15 })) {
      const { body } = await sh(`kill -${signal} $$`);
      assert.deepEqual(
        [body.exit_code, body.status, body.signal],
        [128 + number, "signaled", `SIG${signal}`],
      );
    }
  });

  it("decodes what is not UTF-8 with U+FFFD", async () => {
    const { body } = await sh(String.raw`printf 'a\377b'; printf '\377' >&2`);
    assert.deepEqual([body.stdout, body.stderr], ["a\uFFFDb", "\uFFFD"]);
  });

  it("stops a run at its wall clock with 408 and what it said", async () => {
    const { status, body } = await sh("echo said; echo so >&2; sleep 60", {
      limits: { wall_clock_secs: 3 },
    });
    assert.equal(status, 408);
    assert.deepEqual([body.code, body.stdout, body.stderr], ["timed_out", "said\n", "so\n"]);
    assert.ok(body.error && body.exec_id && body.wall_ms >= 3_000);
  });

  for (const [name, body] of Object.entries<unknown>({
    "a missing image": { cmd: ["true"] },
    "a missing cmd": { image: "x" },
    "an empty cmd": { image: "x", cmd: [] },
    "a cmd that is a string": { image: "x", cmd: "true" },
    "a number in cmd": { image: "x", cmd: ["a", 1] },
    "a NUL in cmd": { image: "x", cmd: ["a\u0000b"] },
    "a negative limit": { image: "x", cmd: ["true"], limits: { memory_mb: -1 } },
    "a limit that is a string": { image: "x", cmd: ["true"], limits: { memory_mb: "1" } },
    "an unknown limit": { image: "x", cmd: ["true"], limits: { gpu: 1 } },
    "an unknown field": { image: "x", cmd: ["true"], imgae: "y" },
    "a bad network": { image: "x", cmd: ["true"], network: "bridge" },
    "a relative cwd": { image: "x", cmd: ["true"], cwd: "tmp" },
    "a bad image reference": { image: "UPPER CASE", cmd: ["true"] },
    "an unknown file": { image: "local/busybox:1", cmd: ["true"], files: ["nosuch.py"] },
    "a file path with ..": { image: "local/busybox:1", cmd: ["true"], files: ["../x"] },
    "an absolute file path": { image: "local/busybox:1", cmd: ["true"], files: ["/etc/passwd"] },
    "an array": [],
    "a string": "x",
  })) {
    it(`refuses ${name} with 400 and says why`, async () => {
      const response = await service.fetch("/run", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      assert.equal(response.status, 400);
      const answer = await response.json();
      assert.equal(typeof answer.error, "string");
      assert.match(answer.code, /^[a-z_]+$/);
    });
  }

  it("names the field at fault", async () => {
    const wrong = await service.run({ cmd: ["true"], limits: { memory_mb: -1 } });
    assert.deepEqual(
      [wrong.body.field, wrong.body.error],
      ["limits.memory_mb", "limits.memory_mb must be >= 0"],
    );
    const unknown = await service.run({ cmd: ["true"], imgae: "y" });
    assert.equal(unknown.body.error, "imgae is not a known field");
  });

  it("refuses what is not JSON", async () => {
    for (const [type, text, status] of [
      ["application/json", "{", 400],
      ["application/json", "", 400],
      ["text/plain", "{}", 415],
    ] as const) {
      const response = await service.fetch("/run", {
        method: "POST",
        headers: { "content-type": type },
        body: text,
      });
      assert.equal(response.status, status);
      assert.equal(typeof (await response.json()).error, "string");
    }
  });

  it("refuses network host", async () => {
    const { status, body } = await sh("true", { network: "host" });
    assert.deepEqual([status, body.code], [403, "network_not_allowed"]);
  });

  it("mounts uploaded files read-only and executable, and forgets them after the run", async () => {
    assert.equal((await service.upload("workspace/a.sh", "#!/bin/sh\necho ran $1\n")).status, 200);
    const script = "cat /workspace/a.sh; /workspace/a.sh x; echo no > /workspace/a.sh || echo refused";
    const { body } = await sh(script, { files: ["workspace/a.sh"] });
    assert.match(body.stdout, /^#!\/bin\/sh\necho ran \$1\nran x\nrefused\n$/);
    assert.equal((await service.fetch("/files?path=workspace/a.sh")).status, 404);
  });

  it("keeps inputs and outputs with persist", async () => {
    await service.upload("in.txt", "data");
    const { body } = await sh(
      "mkdir -p /output/a/b; cp /in.txt /output/a/b/out.txt; ln -s /etc/passwd /output/l",
      {
        files: ["in.txt"],
        persist: true,
      },
    );
    assert.equal(body.exit_code, 0, body.stderr);
    const path = `output/${body.exec_id}/a/b/out.txt`;
    assert.deepEqual(body.outputs, [{ path, size_bytes: 4 }]);
    assert.equal(await (await service.fetch(`/files?path=${path}`)).text(), "data");
    assert.equal(await (await service.fetch("/files?path=in.txt")).text(), "data");
    assert.equal((await service.fetch(`/files?path=output/${body.exec_id}/l`)).status, 404);
  });

  it("keeps no outputs without persist", async () => {
    const { body } = await sh("echo x > /output/x");
    assert.deepEqual(body.outputs, [{ path: `output/${body.exec_id}/x`, size_bytes: 2 }]);
    assert.equal((await service.fetch(`/files?path=output/${body.exec_id}/x`)).status, 404);
  });

  it("gives the guest uid 65534, no capabilities, no new privileges, /tmp of 64 MB and an empty writable /output", async () => {
    const { body } = await sh(
      "id -u; id -g; grep CapEff /proc/self/status; df -k /tmp | tail -n 1 | awk '{print $2}'; ls -A /output; echo x > /output/x && echo writable",
    );
    assert.equal(body.stdout, "65534\n65534\nCapEff:\t0000000000000000\n65536\nwritable\n");
  });

  it("serves Swagger UI and its document", async () => {
    const page = await service.fetch("/swagger");
    assert.match(page.headers.get("content-type") ?? "", /^text\/html/);
    const document = await (await service.fetch("/swagger/json")).json();
    for (const path of ["/files", "/healthz", "/run"]) assert.ok(path in document.paths, path);
  });
});
