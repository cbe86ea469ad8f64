import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { errnoOf } from "../../src/core/errors.ts";
import { busyboxLayout } from "../support/fixtures.ts";
import { archiveOf, LayeredLayout } from "../support/layered-layout.ts";
import { assertNothingLeft, cgroupsOf, sandboxesOf, until } from "../support/leftovers.ts";
import { noCgroups } from "../support/no-cgroups.ts";
import {
  BUSYBOX,
  PYTHON,
  provideImages,
  type RunAnswer,
  startTestService,
  type TestService,
} from "../support/service.ts";
import { removeHome, ServiceProcess, writeServiceConfig } from "../support/service-process.ts";
import { file, tar } from "../support/tar-builder.ts";
import { withDirectory } from "../support/unpack-fixture.ts";
import { noWarm, runWarm, sentriesOf, startWarmService, untilReady } from "../support/warm-service.ts";
import { ARCHITECTURE } from "../support/with-rootfs.ts";

const skip = noWarm();
const CGROUPS = { ignore_cgroups: noCgroups() !== false };
const CONFIG = { ...CGROUPS, allow_root_user: true, output_limit_bytes: 1 << 20 };

const sh = (script: string, rest: object = {}) => ({ cmd: ["sh", "-c", script], ...rest });
const python = (code: string, rest: object = {}) => ({
  image: PYTHON,
  cmd: ["python3", "-c", code],
  ...rest,
});

/** It may just have ended. */
function kill(pid: number, signal: NodeJS.Signals = "SIGKILL"): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    assert.equal(errnoOf(error), "ESRCH");
  }
}

/** An answer without what is never the same twice. */
function comparable({ status, body }: RunAnswer): unknown {
  const { exec_id, wall_ms, queue_ms, boot_ms, cpu_ms, peak_memory_mb, warm, ...rest } = body;
  return { status, body: JSON.parse(JSON.stringify(rest).replaceAll(exec_id ?? "no id", "ID")) };
}

describe("a run in a sandbox that was booted ahead is answered as one in its own", { skip }, () => {
  let warm: TestService;
  let cold: TestService;
  before(async () => {
    warm = await startWarmService(CONFIG);
    cold = await startTestService({ ...CONFIG, warm_pool: { max: 0 } });
  });
  after(async () => {
    await warm?.stop();
    await cold?.stop();
  });

  const SAYS_WHERE =
    'pwd; id; stat -c "%n %A %u %g" . /output; touch x && stat -c "%A %u %g" x; echo "$HOME $PATH"';
  const USER = { user: "1000:70000" };
  const bothStreams = "echo out; echo err >&2; exit 3";
  for (const [what, request, isWarm = true] of [
    ["output on both streams, and an exit code", sh(bothStreams)],
    [
      "a command of its own PATH",
      {
        cmd: ["there"],
        env: ["PATH=/nowhere:/bin"],
        inline_files: [{ path: "bin/there", content: "#!/bin/sh\necho ran $0\n" }],
      },
    ],
    ["environment", sh("env | sort", { env: ["A=1", "B=ä\nö", "PATH=/bin"] })],
    ["a working directory of the image", sh(SAYS_WHERE, { cwd: "/etc" })],
    ["a working directory that the image lacks", sh(SAYS_WHERE, { cwd: "/made/for/it/", ...USER })],
    ["a working directory below /output", sh(SAYS_WHERE, { cwd: "/output/a/../b/c", ...USER })],
    ["/output itself", sh(SAYS_WHERE, { cwd: "/output", ...USER })],
    ["/tmp", sh(SAYS_WHERE, { cwd: "/tmp/deep/er" })],
    ["another user", sh(SAYS_WHERE, USER)],
    ["root", sh(`${SAYS_WHERE}; touch /etc/new && chown 5 /etc/new || echo no`, { user: "0:0" })],
    ["no input", sh("cat; wc -c")],
    ["empty input", sh("wc -c", { stdin: "" })],
    ["1 MB of input", sh("md5sum; cat", { stdin: "0123456789abcde\n".repeat(65_536) })],
    ["input that nobody reads", sh("exec true", { stdin: "x".repeat(1 << 20) })],
    ["input that is read by halves", sh("head -c 3; echo; exec 0<&-; echo done", { stdin: "abcdef" })],
    [
      "inline files",
      sh("cat /data/a /data/b/c; ls -lnR /data; echo x >> /data/a", {
        inline_files: [
          { path: "data/a", content: "A" },
          { path: "data/b/c", content: "Qg==", encoding: "base64" },
        ],
      }),
    ],
    [
      "an inline file in place of one of the image",
      sh("cat /etc/passwd; id", {
        inline_files: [{ path: "etc/passwd", content: "me:x:65534:65534::/:/bin/sh\n" }],
      }),
    ],
    [
      "an uploaded file",
      sh("cat /in/up.txt; ls -ln /in/up.txt; rm /in/up.txt 2> /dev/null || echo refused", {
        files: ["in/up.txt"],
        persist: true,
      }),
    ],
    [
      "an inline file as the command",
      { cmd: ["/run/me"], inline_files: [{ path: "run/me", content: "#!/bin/sh\necho $0 $@\n" }] },
    ],
    [
      "an inline file as the command, by a relative name",
      {
        cmd: ["./me", "x"],
        cwd: "/run",
        inline_files: [{ path: "run/me", content: "#!/bin/sh\necho $0 $@\n" }],
      },
    ],
    [
      "outputs",
      sh(
        "mkdir -p /output/a/b; echo 1 > /output/a/b/c; ln -s /etc/passwd /output/l; mkfifo /output/f; echo 2 > /output/d",
        { persist: true },
      ),
    ],
    [
      "outputs of another user",
      sh("echo 1 > /output/c; chmod 0 /output/c; umask 77; mkdir /output/d; echo 2 > /output/d/e", USER),
    ],
    ["the entrypoint of the image", { cmd: ["echo", "entered"], use_entrypoint: true }],
    ["bytes that are no UTF-8", sh(String.raw`printf 'a\377b'; printf '\377' >&2`)],
    ["a death by a signal", sh("kill -SEGV $$")],
    ["a killed child", sh("(kill -9 $(sh -c 'echo $PPID')); echo $?")],
    ["orphans that go on", sh("(sleep 100 &) ; echo said")],
    [
      "limits within the guest",
      python("import resource as r; print(r.getrlimit(r.RLIMIT_NOFILE), r.getrlimit(r.RLIMIT_CORE))", {
        limits: { nofile: 99 },
      }),
    ],
    ["too much output", sh("exec yes"), true],
    ["too much output, dropped", sh("yes | head -c 2000000; echo end >&2", { on_output_limit: "truncate" })],
    [
      "the usual limits, stated",
      sh("echo said", { limits: { memory_mb: 256, cpu_cores: 1, wall_clock_secs: 20 } }),
    ],
    ["more memory", sh("grep MemTotal /proc/meminfo", { limits: { memory_mb: 300 } }), false],
    ["more CPUs", sh("grep -c ^processor /proc/cpuinfo", { limits: { cpu_cores: 3 } }), false],
    ["less than a CPU", sh("echo said", { limits: { cpu_cores: 0.5 } })],
    ["a command that is nowhere", { cmd: ["nosuch"] }, false],
    ["a command below a file", { cmd: ["/etc/passwd/x"] }, false],
    ["a command that cannot be executed", { cmd: ["/etc/passwd"] }, false],
    ["a command that is a directory", { cmd: ["/etc"] }, false],
    [
      "a script without an interpreter",
      { cmd: ["/me"], inline_files: [{ path: "me", content: "#!/no/such\n" }] },
      false,
    ],
    ["a file without a magic", { cmd: ["/me"], inline_files: [{ path: "me", content: "echo hi\n" }] }, false],
    ["a program that the kernel holds", { cmd: ["/proc/self/exe"] }, false],
    ["a working directory that is a file", sh("true", { cwd: "/etc/passwd" }), false],
    ["a working directory below a file", sh("true", { cwd: "/etc/passwd/x" }), false],
    ["a working directory in /proc", sh("pwd", { cwd: "/proc/self" }), false],
    ["a working directory that is not in /proc", sh("pwd", { cwd: "/proc/nosuch" }), false],
    [
      "a file below a link",
      python("print(open('/bin/in').read())", { inline_files: [{ path: "bin/in", content: "x" }] }),
      false,
    ],
    ["an argument that is too long", { cmd: ["echo", "x".repeat(200_000)] }, false],
    [
      "more arguments than a tape has room for",
      { cmd: ["true", ...Array.from({ length: 50 }, () => "x".repeat(100_000))] },
      false,
    ],
  ] as [string, Record<string, unknown>, boolean?][]) {
    it(`${what}${isWarm ? "" : ": which is no task for it"}`, async () => {
      for (const service of [warm, cold]) if (request.files) await service.upload("in/up.txt", "uploaded");
      const [expected, answer] = [await cold.run(request), await runWarm(warm, request)];
      const { stdout, stderr, ...rest } = expected.body;
      assert.deepEqual(comparable(answer), comparable(expected), JSON.stringify(rest).slice(0, 500));
      if (expected.body.warm !== undefined)
        assert.deepEqual([expected.body.warm, answer.body.warm], [false, isWarm]);
    });
  }

  it("as many processes as are allowed", async () => {
    const code =
      "import os, time\nn = 0\ntry:\n  while os.fork() or time.sleep(60): n += 1\nexcept OSError as e: print(n, e)";
    for (const user of ["65534", "0", "1000"]) {
      const request = python(code, { user, limits: { pids_limit: 12 } });
      const [expected, answer] = [await cold.run(request), await runWarm(warm, request)];
      assert.match(expected.body.stdout, /^11 /);
      assert.deepEqual([answer.body.stdout, answer.body.warm], [expected.body.stdout, true]);
    }
  });

  it("the wall clock", async () => {
    const request = sh("echo said; echo so >&2; sleep 100", { limits: { wall_clock_secs: 3 } });
    const [expected, answer] = [await cold.run(request), await runWarm(warm, request)];
    const withoutTime = (each: RunAnswer) => JSON.parse(JSON.stringify(comparable(each)));
    assert.deepEqual(withoutTime(answer), withoutTime(expected));
    assert.deepEqual([answer.status, answer.body.code, answer.body.stdout], [408, "timed_out", "said\n"]);
  });

  it("a client that goes away ends it", async () => {
    await untilReady(warm);
    const controller = new AbortController();
    const running = warm.run(sh("sleep 100"), { signal: controller.signal });
    await until(() => warm.runner.active().some(({ phase }) => phase === "running"));
    controller.abort();
    await assert.rejects(running);
    await until(() => warm.runner.stats().active === 0);
    await untilReady(warm);
    // Not at once: one may be on its way there.
    await until(async () => {
      const names = await readdir(join(warm.home, "runs"));
      const waiting = new Set(warm.sandboxes.ready());
      return names.every((name) => waiting.has(name));
    });
  });

  it("too much in /output", async () => {
    const request = sh("head -c 200000000 /dev/zero > /output/x; echo $?");
    const limited = { ...CONFIG, output_files_limit_bytes: 1 << 20 };
    const services = [
      await startTestService({ ...limited, warm_pool: { max: 0 } }),
      await startWarmService(limited),
    ];
    try {
      const [expected, answer] = [
        await (services[0] as TestService).run(request),
        await runWarm(services[1] as TestService, request),
      ];
      assert.equal(answer.body.status, "output_files_limit");
      assert.deepEqual([answer.status, answer.body.status], [expected.status, expected.body.status]);
    } finally {
      for (const service of services) await service.stop();
    }
  });

  it("memory that runs out, by its cgroup", { skip: noCgroups() }, async () => {
    const request = python("x = []\nwhile True: x.append(bytearray(1 << 20))");
    const [expected, answer] = [await cold.run(request), await runWarm(warm, request)];
    assert.deepEqual(
      [answer.body.status, answer.body.exit_code, answer.body.warm],
      ["oom_killed", 137, true],
    );
    assert.deepEqual(comparable(answer), comparable(expected));
  });

  it("its share of a CPU, by its cgroup, and told without that of the boot", {
    skip: noCgroups(),
  }, async () => {
    const code = "import time\nend = time.monotonic() + 4\nwhile time.monotonic() < end: pass";
    const { body } = await runWarm(warm, python(code, { limits: { cpu_cores: 0.25 } }));
    const used_ms = body.cpu_ms.user + body.cpu_ms.system;
    assert.equal(body.warm, true);
    assert.ok(used_ms > 0 && used_ms < 0.3 * body.wall_ms + 100, `${used_ms} of ${body.wall_ms} ms`);
  });
});

describe("sandboxes booted ahead", { skip }, () => {
  let service: TestService;
  before(async () => {
    service = await startWarmService(CONFIG);
  });
  after(() => service?.stop());

  const waiting = (of = service) => of.sandboxes.pool.ready().map(({ pad }) => pad.id);

  it("are used once: nothing of a run is there for the next", async () => {
    const plant =
      "echo secret | tee /tmp/s /dev/shm/s /output/s > /dev/null; (sleep 100 &); echo x > /var/s; hostname";
    const look = "ls -A /tmp /dev/shm /output; ls /var/s; ps | grep -c [s]leep; ls -a /dev/.boxer";
    const used = new Set<string>();
    for (let time = 0; time < 3; time += 1) {
      await untilReady(service);
      const before = waiting();
      const found = await service.run(sh(look, { user: "0:0" }));
      assert.equal(found.body.stdout.replaceAll(/^(\/\S+:|)\n/gm, ""), "0\n");
      const planted = await runWarm(service, sh(plant, { user: "0:0" }));
      assert.deepEqual([found.body.warm, planted.body.warm, planted.body.exit_code], [true, true, 0]);
      await untilReady(service);
      for (const id of before.filter((each) => !waiting().includes(each))) {
        assert.ok(!used.has(id));
        used.add(id);
      }
    }
    assert.ok(used.size >= 3);
  });

  it("when they run dry, runs have their own booted, and the next find some again", async () => {
    await untilReady(service);
    const many = Array.from({ length: 6 }, (_, index) => service.run(sh(`echo ${index}`)));
    const answers = await Promise.all(many);
    assert.deepEqual(
      answers.map(({ body }) => body.stdout),
      answers.map((_, index) => `${index}\n`),
    );
    const kinds = new Set(answers.map(({ body }) => body.warm));
    assert.deepEqual([...kinds].sort(), [false, true]);
    assert.equal((await runWarm(service, sh("echo again"))).body.warm, true);
  });

  it("take no processor time when they wait for long: they are held still", async () => {
    await untilReady(service);
    const pids = await sentriesOf(service);
    const fieldsOf = async (pid: number) => {
      const stat = await readFile(`/proc/${pid}/stat`, "utf8");
      const [state = "", ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return { state, ticks: fields.slice(10, 12) };
    };
    const all = () => Promise.all(pids.map(fieldsOf));
    await until(async () => (await all()).every(({ state }) => state === "T"));
    const before = await all();
    await sleep(2_000);
    assert.deepEqual(await all(), before);
    assert.equal((await service.run(sh("echo woken"))).body.warm, true);
  });

  it("one whose sentry is killed while it waits is given to no run", async () => {
    await untilReady(service);
    const before = waiting();
    for (const pid of await sentriesOf(service)) process.kill(pid, "SIGKILL");
    await until(() => !waiting().some((id) => before.includes(id)));
    const { body } = await service.run(sh("echo right"));
    assert.equal(body.stdout, "right\n");
    assert.equal((await readdir(join(service.home, "runs"))).filter((id) => before.includes(id)).length, 0);
  });

  it("one whose sentry is killed as it is taken is replaced, and its run answered right", async () => {
    await untilReady(service);
    const { pool } = service.sandboxes;
    const take = pool.take;
    let killed = 0;
    pool.take = async (shape) => {
      const booted = await take.call(pool, shape);
      if (booted) {
        kill(Number(readFileSync(booted.pad.directory.pidFile, "utf8")));
        killed += 1;
      }
      return booted;
    };
    try {
      const files = { stdin: "given", inline_files: [{ path: "in", content: "file" }] };
      const { status, body } = await service.run(sh("echo right; cat /in; cat", files));
      assert.deepEqual([status, body.stdout, body.exit_code, body.warm], [200, "right\nfilegiven", 0, false]);
      assert.equal(killed, 1);
    } finally {
      pool.take = take;
    }
  });
});

describe("what is kept ready", { skip }, () => {
  const importImage = async (
    service: TestService,
    reference: string,
    layers: readonly Uint8Array[],
    env: string[] = [],
  ) =>
    await withDirectory(async (directory) => {
      const layout = await LayeredLayout.create(join(directory, "layout"));
      const image = layers.map((archive) => ({ archive, compression: "gzip" as const }));
      await layout.tag("1", await layout.addImage(image, ARCHITECTURE, env));
      const body = execFileSync("tar", ["-C", join(directory, "layout"), "-cf", "-", "."], {
        maxBuffer: 64 << 20,
      });
      const answer = await service.fetch(`/images/import?reference=${reference}`, { method: "POST", body });
      assert.equal(answer.status, 200, await answer.text());
    });
  const remove = (service: TestService, reference: string) =>
    service.fetch(`/images?reference=${encodeURIComponent(reference)}`, { method: "DELETE" });
  const using = async (pool: object, use: (service: TestService) => Promise<void>) => {
    const service = await startWarmService(CONFIG, pool);
    try {
      await use(service);
    } finally {
      await service.stop();
    }
  };

  it("is learned from what is asked for", () =>
    using({ images: [] }, async (service) => {
      const answers = [];
      for (let time = 0; time < 3; time += 1) {
        if (time === 2) await untilReady(service, 1);
        answers.push((await service.run(sh("echo hi"))).body.warm);
        await until(() => service.runner.stats().active === 0);
      }
      assert.deepEqual(answers, [false, false, true]);
    }));

  it("is waited for by a run that finds it booting", () =>
    using({ images: [BUSYBOX] }, async (service) => {
      const { pool } = service.sandboxes;
      await until(() => pool.stats().booting > 0);
      const { body } = await service.run(sh("echo right"));
      assert.deepEqual([body.stdout, body.warm], ["right\n", true]);
      assert.deepEqual([pool.stats().hits, pool.stats().misses], [1, 0]);
      await untilReady(service, 1);
    }));

  it("is nothing that a run is lost by when it dies while that waits for it", () =>
    using({ images: [BUSYBOX] }, async (service) => {
      await until(() => service.sandboxes.pool.stats().booting > 0);
      // Held, so that it cannot be faster than the run.
      const pids = (await sandboxesOf(service.home)).map(({ pid }) => pid);
      for (const pid of pids) kill(pid, "SIGSTOP");
      const running = service.run(sh("echo right"));
      await until(() => service.runner.active().some(({ phase }) => phase === "preparing"));
      for (const pid of pids) kill(pid);
      const { status, body } = await running;
      assert.deepEqual([status, body.stdout], [200, "right\n"], JSON.stringify(body));
      await untilReady(service, 1);
    }));

  it("goes with its image, whose removal it never hinders; nothing is left of it", () =>
    using({ images: [BUSYBOX] }, async (service) => {
      await untilReady(service, 1);
      const ids = service.sandboxes.ready();
      const warmOnes = service.sandboxes.pool.ready().map(({ pad }) => pad.id);
      const answer = await remove(service, BUSYBOX);
      assert.equal(answer.status, 204, await answer.text());
      await until(() => service.sandboxes.pool.stats().memory_mb === 0);
      assert.deepEqual(service.sandboxes.pool.ready(), []);
      assert.ok(ids.length > 0 && warmOnes.length === 1);
      assert.ok(!(await readdir(join(service.home, "runs"))).some((name) => warmOnes.includes(name)));
      assert.deepEqual(await cgroupsOf(warmOnes), []);
    }));

  it("follows a name that comes to mean another image", async () => {
    const layer = await archiveOf(busyboxLayout);
    const service = await startWarmService(CONFIG, { images: ["local/moving:1"] });
    try {
      const run = async () => (await service.run({ image: "local/moving:1", cmd: ["cat", "/which"] })).body;
      await importImage(service, "local/moving:1", [layer, tar(file("which", "one"))]);
      for (let time = 0; time < 2; time += 1) assert.equal((await run()).stdout, "one");
      await untilReady(service, 1);
      assert.deepEqual([(await run()).warm], [true]);
      await importImage(service, "local/moving:1", [layer, tar(file("which", "two"))]);
      for (let time = 0; time < 2; time += 1) assert.equal((await run()).stdout, "two");
      await untilReady(service, 1);
      const { stdout, warm } = await run();
      assert.deepEqual([stdout, warm], ["two", true]);
    } finally {
      await service.stop();
    }
  });

  it("needs nothing of an image: not even a shell", () =>
    using({ images: [] }, async (service) => {
      const busybox = await withDirectory(async (directory) => {
        const archive = join(directory, "layer.tar");
        await writeFile(archive, await archiveOf(busyboxLayout));
        return execFileSync("tar", ["-xOf", archive, "./bin/busybox"], { maxBuffer: 64 << 20 });
      });
      await importImage(service, "local/bare:1", [tar(file("cat", busybox, { mode: 0o755 }))]);
      const run = () =>
        service.run({
          image: "local/bare:1",
          cmd: ["/cat", "/in"],
          inline_files: [{ path: "in", content: "hello" }],
        });
      for (let time = 0; time < 2; time += 1) assert.equal((await run()).body.stdout, "hello");
      await untilReady(service, 1);
      const { body } = await run();
      assert.deepEqual([body.stdout, body.warm], ["hello", true], JSON.stringify(body));
    }));

  it("is replaced when it has waited long enough", () =>
    using({ images: [BUSYBOX], max_age_secs: 1 }, async (service) => {
      await untilReady(service, 1);
      const [first] = service.sandboxes.pool.ready();
      await until(() => service.sandboxes.pool.stats().discarded >= 2);
      await untilReady(service, 1);
      assert.ok(!service.sandboxes.pool.ready().some((each) => each === first));
      assert.equal((await runWarmOf(service)).body.stdout, "right\n");
    }));
  const runWarmOf = (service: TestService) => service.run(sh("echo right"));
});

describe("the end of a service with sandboxes that wait", { skip }, () => {
  const start = async (home: string) =>
    new ServiceProcess(
      await writeServiceConfig(home, {
        ...CGROUPS,
        prepared_runs: 2,
        warm_pool: { max: 3, max_memory_mb: 512, images: [BUSYBOX, PYTHON] },
      }),
    );
  /** Waits for those of both images, and gives the names of all that waits. */
  const ready = async (home: string): Promise<string[]> => {
    const held = async () => {
      const states = (await sandboxesOf(home)).map(async ({ pid, commandLine }) => {
        const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
        return commandLine.includes("\0boot\0") && /\) [Tt] /.test(stat);
      });
      return (await Promise.all(states)).filter(Boolean).length;
    };
    await until(async () => (await held()) >= 2);
    return readdir(join(home, "runs"));
  };
  const assertAllGone = async (home: string, ids: string[]) => {
    await assertNothingLeft(home);
    assert.ok(!(await readFile("/proc/self/mountinfo", "utf8")).includes(home));
    assert.deepEqual(await cgroupsOf(ids), []);
  };

  it("leaves nothing", async () => {
    const home = await mkdtemp(join(tmpdir(), "boxer-test-"));
    await provideImages(home);
    const service = await start(home);
    try {
      await service.url();
      const ids = await ready(home);
      assert.ok(ids.length >= 2);
      assert.equal(await service.end("SIGTERM"), 0);
      await assertAllGone(home, ids);
    } finally {
      await service.end("SIGKILL");
      await removeHome(home);
    }
  });

  it("is made up for by the next start when it was killed", async () => {
    const home = await mkdtemp(join(tmpdir(), "boxer-test-"));
    await provideImages(home);
    const first = await start(home);
    let next: ServiceProcess | undefined;
    try {
      await first.url();
      const ids = await ready(home);
      await first.end("SIGKILL");
      next = await start(home);
      await next.url();
      const left = (await sandboxesOf(home)).filter(({ commandLine }) =>
        ids.some((id) => commandLine.includes(id)),
      );
      assert.deepEqual([left, await cgroupsOf(ids)], [[], []]);
      await ready(home);
      assert.equal((await next.run({ image: BUSYBOX, cmd: ["echo", "again"] })).body.stdout, "again\n");
      assert.equal(await next.end("SIGTERM"), 0);
      await assertAllGone(home, ids);
    } finally {
      await first.end("SIGKILL");
      await next?.end("SIGKILL");
      await removeHome(home);
    }
  });
});
