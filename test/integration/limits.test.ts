import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { runscPath } from "../support/fixtures.ts";
import { assertNothingLeft, sandboxesOf, until } from "../support/leftovers.ts";
import { PYTHON, type RunAnswer, startTestService, type TestService } from "../support/service.ts";

const MIB = 1 << 20;
const OUTPUT_LIMIT = 10 * MIB;
const WALL_CLOCK_SECS = 5;

describe("output at its limit", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService();
  });
  after(() => service.stop());

  for (const stream of ["stdout", "stderr"] as const) {
    const write = (bytes: number) =>
      service.run({
        image: PYTHON,
        cmd: ["python3", "-c", `import sys\nsys.${stream}.write("x" * ${bytes})`],
      });

    for (const bytes of [OUTPUT_LIMIT - 1, OUTPUT_LIMIT]) {
      it(`passes ${bytes} bytes of ${stream} whole`, async () => {
        const { status, body } = await write(bytes);
        assert.equal(status, 200);
        assert.equal(body[stream].length, bytes);
        assert.equal(body[`${stream}_truncated`], false);
      });
    }

    it(`stops a program that writes 50 MiB to ${stream}, with 507 and the first 10 MiB`, async () => {
      const { status, body } = await write(50 * MIB);
      assert.deepEqual([status, body.code, body.status], [507, "output_limit", "output_limit"]);
      assert.equal(body[stream].length, OUTPUT_LIMIT);
      assert.equal(body[`${stream}_truncated`], true);
      assert.equal(body[stream === "stdout" ? "stderr" : "stdout"], "");
    });
  }

  it("stops a program that writes for ever", async () => {
    const { status, body } = await service.run({ cmd: ["yes"] });
    assert.deepEqual([status, body.stdout.length, body.stderr], [507, OUTPUT_LIMIT, ""]);
  });
});

describe("the wall clock", () => {
  let service: TestService;
  const GUESTS: Record<string, string> = {
    sleeps: "echo said; sleep 60",
    "forks and leaves": "echo said; (sleep 60 &); (setsid sleep 60 &); sleep 60",
    "ignores every signal": "trap '' TERM INT HUP QUIT USR1 USR2; echo said; while :; do sleep 1; done",
    "stops itself": "echo said; kill -STOP $$",
    spins: "echo said; while :; do :; done",
    "has closed its output": "echo said; exec >&- 2>&-; sleep 60",
  };
  const answers = new Map<string, Promise<RunAnswer>>();
  before(async () => {
    service = await startTestService({ max_concurrent_runs: Object.keys(GUESTS).length });
    // All at once, so that each can be given time to say something on a busy machine.
    for (const [name, script] of Object.entries(GUESTS)) {
      const cmd = ["sh", "-c", script];
      answers.set(name, service.run({ cmd, limits: { wall_clock_secs: WALL_CLOCK_SECS } }));
    }
  });
  after(() => service.stop());

  for (const name of Object.keys(GUESTS)) {
    it(`ends a guest that ${name}, with what it said`, async () => {
      const answer = await answers.get(name);
      assert.deepEqual(
        [answer?.status, answer?.body.status, answer?.body.stdout],
        [408, "timed_out", "said\n"],
      );
    });
  }

  it("leaves nothing of them", () => assertNothingLeft(service.home));

  it("keeps what a stopped guest had put into /output", async () => {
    const { body } = await service.run({
      cmd: ["sh", "-c", "echo half > /output/partial; sleep 60"],
      limits: { wall_clock_secs: WALL_CLOCK_SECS },
      persist: true,
    });
    assert.deepEqual(body.outputs, [{ path: `output/${body.exec_id}/partial`, size_bytes: 5 }]);
    assert.equal(await (await service.fetch(`/files?path=output/${body.exec_id}/partial`)).text(), "half\n");
  });

  it("lets a program be silent for its whole time", async () => {
    const { status, body } = await service.run({
      cmd: ["sh", "-c", "sleep 65; echo done"],
      limits: { wall_clock_secs: 90 },
    });
    assert.deepEqual([status, body.stdout], [200, "done\n"]);
  });
});

describe("/output at its limits", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService({ output_files_limit_bytes: MIB, output_files_limit_count: 3 });
  });
  after(() => service.stop());

  it("is captured whole up to them", async () => {
    const { status, body } = await service.run({
      cmd: ["sh", "-c", "cd /output; head -c 1048574 /dev/zero > a; echo -n b > b; echo -n c > c"],
    });
    assert.deepEqual([status, body.outputs.length, body.status], [200, 3, "ok"]);
  });

  for (const [name, script] of Object.entries({
    "too many files": "for i in 1 2 3 4 5; do echo $i > $i; done",
    "too many bytes": "head -c 600000 /dev/zero > a; head -c 452000 /dev/zero > b",
    "one sparse file of a terabyte": "dd if=/dev/zero of=big bs=1 count=1 seek=1099511627776 2>/dev/null",
    "endless nesting": "for i in $(seq 1 200); do mkdir d && cd d; done; touch deep",
  })) {
    it(`answers 507 for ${name}, with the exit code, what was said and what fits`, async () => {
      const cmd = ["sh", "-c", `cd /output; echo said; ${script}`];
      const { status, body } = await service.run({ cmd, persist: true });
      assert.deepEqual(
        [status, body.code, body.exit_code],
        [507, "output_files_limit", 0],
        JSON.stringify(body),
      );
      assert.equal(body.stdout, "said\n");
      let bytes = 0;
      for (const { path, size_bytes } of body.outputs) {
        bytes += size_bytes;
        const kept = await service.fetch(`/files?path=${path}`);
        assert.equal((await kept.arrayBuffer()).byteLength, size_bytes);
      }
      assert.ok(bytes <= MIB && body.outputs.length <= 3);
      await assertNothingLeft(service.home);
    });
  }
});

describe("a crash of gVisor itself", () => {
  let service: TestService;
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "boxer-test-"));
    const wrapper = join(directory, "runsc");
    // gVisor's own switch for this: the system call afs_syscall makes the sentry panic.
    await writeFile(wrapper, `#!/bin/sh\nexec ${runscPath()} --TESTONLY-afs-syscall-panic "$@"\n`, {
      mode: 0o755,
    });
    service = await startTestService({ runsc_path: wrapper });
  });
  after(async () => {
    await service.stop();
    await rm(directory, { recursive: true });
  });

  const AFS_SYSCALL = "import ctypes; ctypes.CDLL(None).syscall(183)";
  const python = (code: string) => service.run({ image: PYTHON, cmd: ["python3", "-c", code] });

  it("is an error of ours, whether the guest had said something or not, and leaves nothing", async () => {
    for (const code of [AFS_SYSCALL, `print("said", flush=True); ${AFS_SYSCALL}`]) {
      const { status, body } = await python(code);
      assert.deepEqual([status, body.code], [500, "sandbox_crashed"], JSON.stringify(body));
      assert.match(body.exec_id, /^boxer-/);
    }
    await assertNothingLeft(service.home);
  });

  it("is told from a guest's own exit code 2", async () => {
    const { status, body } = await python("raise SystemExit(2)");
    assert.deepEqual([status, body.exit_code, body.status], [200, 2, "nonzero_exit"]);
  });
});

describe("a client that goes away", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService();
  });
  after(() => service.stop());

  it("stops its run at once", async () => {
    const controller = new AbortController();
    const running = service.run({ cmd: ["sleep", "60"] }, { signal: controller.signal });
    await until(async () => (await sandboxesOf(service.home)).length > 0);
    controller.abort();
    await assert.rejects(running);
    await assertNothingLeft(service.home);
  });
});
