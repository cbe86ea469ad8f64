import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chown, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { imageStoreOptions } from "../../src/compose-images.ts";
import { homeAt } from "../../src/core/home.ts";
import { silentLog } from "../../src/core/log.ts";
import { openImageStore } from "../../src/image/image-store.ts";
import type { Child, ExitStatus } from "../../src/platform/platform.ts";
import { NO_NETWORK } from "../../src/sandbox/guest-network.ts";
import { type RunDirectory, runDirectoryAt, runscRunArgv } from "../../src/sandbox/runsc.ts";
import { buildSpec, NOBODY, type SpecInput } from "../../src/sandbox/spec.ts";
import { bootSpec } from "../../src/sandbox/warm/boot-spec.ts";
import { type GuestArch, guestInit } from "../../src/sandbox/warm/guest-init.ts";
import { guestTape } from "../../src/sandbox/warm/guest-tape.ts";
import { parseReport, type StartReport } from "../../src/sandbox/warm/report.ts";
import { mkfsPath, runscPath } from "../support/fixtures.ts";
import { platform } from "../support/platform.ts";
import { PYTHON, provideImages, testConfig } from "../support/service.ts";

/** Forks as often as it may. */
const FORKS = `
import os, time
count = 0
try:
    while True:
        if os.fork() == 0:
            time.sleep(60)
        count += 1
except OSError as error:
    print(count, error)
`;

/** Tells all that a guest can see of itself, and what comes of trying what it must not do. */
const PROBE = `
import ctypes, json, os, re, resource, signal, sys
libc = ctypes.CDLL(None, use_errno=True)
def text(path):
    return open(path).read()
def attempt(call):
    try:
        return repr(call())
    except (OSError, ValueError) as error:
        return str(error)
def entry(path):
    s = os.lstat(path)
    return [path, oct(s.st_mode), s.st_uid, s.st_gid]
def entries(path):
    return sorted(entry(os.path.join(path, name)) for name in os.listdir(path))
def status():
    varying = ("VmRSS", "VmSize", "VmData")
    return [line for line in text("/proc/self/status").splitlines() if not line.startswith(varying)]
def mounts():
    return sorted(re.sub("[rw]fdno=[0-9]+,", "", line) for line in text("/proc/mounts").splitlines())
number = ctypes.c_int()
seen = {
    "argv": sys.argv[1:], "env": dict(os.environ), "cwd": attempt(os.getcwd), "umask": os.umask(0),
    "ids": [os.getresuid(), os.getresgid(), os.getgroups()],
    "processes": [os.getpid(), os.getppid(), os.getsid(0), os.getpgid(0)],
    "status": status(), "mounts": mounts(), "limits": text("/proc/self/limits"),
    "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    "ignored": [n for n in range(1, 65) if n not in (32, 33) and signal.getsignal(n) == signal.SIG_IGN],
    "prctl": [libc.prctl(n, 0, 0, 0, 0) for n in (3, 7, 27, 30, 39, 42)],
    "bounding": [libc.prctl(23, n, 0, 0, 0) for n in range(41)],
    "death": [libc.prctl(2, ctypes.byref(number)), number.value],
    "personality": libc.personality(0xffffffff), "cpus": len(os.sched_getaffinity(0)),
    "priority": [os.getpriority(0, 0), os.sched_getscheduler(0)],
    "cmdline": text("/proc/1/cmdline"), "comm": text("/proc/1/comm"), "exe": attempt(lambda: os.readlink("/proc/1/exe")),
    "oom": text("/proc/self/oom_score_adj"), "host": os.uname().nodename, "memory": text("/proc/meminfo").splitlines()[0],
    "fds": sorted(set(os.listdir("/proc/self/fd")) - {"3"}),
    "streams": [attempt(lambda: os.close(os.open("/proc/self/fd/%d" % fd, os.O_WRONLY))) for fd in (1, 2)],
    "owners": [[oct(os.fstat(fd).st_mode), os.fstat(fd).st_uid, os.fstat(fd).st_gid] for fd in (1, 2)],
    "stdin": sys.stdin.read(),
    "files": [entries(each) for each in ("/", "/dev", "/tmp") if os.access(each, os.R_OK)],
    "places": [attempt(lambda: entry(each)) for each in (".", "/output", "/dev/.boxer", "/data", "/data/deep", "/made")],
    "inputs": [attempt(lambda: [text(each), entry(each)]) for each in ("/data/deep/in.txt", "/etc/passwd")],
    "write": [attempt(lambda: open(each, "a").close()) for each in ("/data/deep/in.txt", "/data/new", "new", "/output/x")],
    "remove": [attempt(lambda: os.rename(each, "/elsewhere")) for each in ("/data/deep/in.txt", "/etc/passwd")],
    "mount": [
        [libc.mount(b"x", b"/tmp", b"tmpfs", 0, None), ctypes.get_errno()],
        [libc.mount(None, b"/etc/passwd", None, 4096 | 32, None), ctypes.get_errno()],
        [libc.umount2(b"/etc/passwd", 2), ctypes.get_errno()],
    ],
    "raise": [attempt(lambda: resource.setrlimit(n, (1 << 30, 1 << 30))) for n in (4, 6, 7)],
    "chown": attempt(lambda: os.chown("/tmp", 5, 5)), "root": attempt(lambda: os.setuid(0)),
    "left": entries("/output") if os.access("/output", os.R_OK) else None,
}
print(json.dumps(seen, indent=1, sort_keys=True))
`;

import { noWarm } from "../support/warm-service.ts";

interface Request extends Pick<SpecInput, "args" | "env" | "cwd" | "user" | "limits"> {
  /** Contents by destination. */
  readonly files: Readonly<Record<string, string>>;
  readonly stdin: string | undefined;
  /** Whether the image lacks the working directory. */
  readonly makeCwd: boolean;
}

interface Ended {
  readonly status: ExitStatus;
  readonly stdout: string;
  readonly stderr: string;
  readonly report: StartReport | null;
}

const PLAIN: Request = {
  args: ["python3", "-c", PROBE, "an argument"],
  env: ["PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/tmp", "TEXT=ä\nb"],
  cwd: "/",
  user: NOBODY,
  limits: { cpu_cores: null, memory_mb: null, wall_clock_secs: null, pids_limit: 64, nofile: 256 },
  files: {},
  stdin: "some input",
  makeCwd: false,
};
const FILES = { "/data/deep/in.txt": "given", "/etc/passwd": "root:x:0:0::/:/bin/sh\n" };

const skip = noWarm();

describe("a sandbox that was booted ahead", { skip }, () => {
  let home = "";
  let rootfs = "";
  let count = 0;

  before(async () => {
    home = await mkdtemp(join(tmpdir(), "boxer-test-"));
    await provideImages(home);
    const store = await openImageStore(
      imageStoreOptions(testConfig(home), platform, homeAt(home), mkfsPath(), silentLog),
    );
    const lease = await store.acquire(PYTHON, { signal: new AbortController().signal, pull: "never" });
    rootfs = lease.image.rootfs;
    lease.release();
    await store.close();
    await mkdir(join(home, "none"));
  });
  after(() => rm(home, { recursive: true, force: true }));

  const common = (directory: RunDirectory) => ({
    rootfs,
    rootfsType: "erofs" as const,
    emptyRoot: join(home, "none"),
    outputDirectory: directory.output,
  });

  async function start(directory: RunDirectory, spec: object): Promise<Child> {
    await writeFile(join(directory.bundle, "config.json"), JSON.stringify(spec));
    const runsc = { path: runscPath(), platform: "systrap", rootless: false } as const;
    const argv = runscRunArgv(runsc, directory, `warm${process.pid}x${count}`);
    return platform.spawn(argv, { env: { PATH: process.env.PATH ?? "" }, stdin: "pipe" });
  }

  async function ended(child: Child, directory: RunDirectory): Promise<Ended> {
    const [status, stdout, stderr] = await Promise.all([child.exited, all(child.stdout), all(child.stderr)]);
    const report = await readFile(directory.control.report).catch(() => new Uint8Array());
    return { status, stdout, stderr, report: parseReport(report) };
  }

  async function makeDirectory(owner: SpecInput["user"]): Promise<RunDirectory> {
    const directory = runDirectoryAt(join(home, `r${count++}`));
    for (const path of [directory.output, directory.control.inputs, directory.control.out]) {
      await mkdir(path, { recursive: true, mode: 0o700 });
    }
    await chown(directory.output, owner.uid, owner.gid);
    return directory;
  }

  async function stage(directory: RunDirectory, { files }: Request) {
    const inputs = Object.entries(files).map(([destination, content], index) => {
      return { source: join(directory.control.inputs, `in-${index}`), destination, content };
    });
    for (const { source, content } of inputs) await writeFile(source, content, { mode: 0o644 });
    return inputs;
  }

  async function runCold(change: Partial<Request>): Promise<Ended> {
    const request = { ...PLAIN, ...change };
    const directory = await makeDirectory(request.user);
    const inputs = await stage(directory, request);
    const child = await start(
      directory,
      buildSpec({ ...request, ...common(directory), inputs, network: NO_NETWORK }),
    );
    if (request.stdin !== undefined) child.stdin?.write(Buffer.from(request.stdin));
    child.stdin?.end();
    return ended(child, directory);
  }

  async function boot() {
    const directory = await makeDirectory(NOBODY);
    const { control } = directory;
    await writeFile(control.init, guestInit(process.arch as GuestArch), { mode: 0o755 });
    await writeFile(control.report, "");
    const child = await start(directory, bootSpec({ ...common(directory), control }));
    while (!existsSync(directory.pidFile)) await sleep(10);
    return { directory, child };
  }

  async function runWarm(change: Partial<Request>): Promise<Ended> {
    const request = { ...PLAIN, ...change };
    const { directory, child } = await boot();
    const inputs = (await stage(directory, request)).map((each) => ({
      ...each,
      name: basename(each.source),
    }));
    const hasStdin = request.stdin !== undefined;
    const tape = guestTape(process.arch as GuestArch, { ...request, inputs, hasStdin });
    if (tape) child.stdin?.write(tape);
    if (request.stdin !== undefined) child.stdin?.write(Buffer.from(request.stdin));
    child.stdin?.end();
    return ended(child, directory);
  }

  const [guest, root] = [
    { uid: 1000, gid: 70000 },
    { uid: 0, gid: 0 },
  ];
  const few = { ...PLAIN.limits, nofile: 33, pids_limit: 9 };
  for (const [what, change] of Object.entries<Partial<Request>>({
    "a plain request": {},
    "a request with files": { files: FILES, cwd: "/data" },
    "a request of root": { files: FILES, user: root },
    "a request of another user, with tighter limits": { user: guest, limits: few, files: FILES },
    "a working directory that the image lacks": { user: guest, cwd: "/made/for/it", makeCwd: true },
    "no limits": { limits: { ...PLAIN.limits, nofile: null, pids_limit: null } },
    "limits above the usual": { limits: { ...PLAIN.limits, nofile: 1 << 20, pids_limit: 1 << 22 } },
  })) {
    it(`shows the guest the same as one booted for it: ${what}`, async () => {
      const cold = await runCold(change);
      const warm = await runWarm(change);
      assert.equal(cold.status.code, 0, cold.stderr);
      assert.deepEqual(warm.report, { step: "began", errno: 0 }, warm.stderr);
      const expected = JSON.parse(cold.stdout);
      if (change.user?.uid !== 0) expected.limits = withOneProcessFewer(expected.limits);
      assert.deepEqual(JSON.parse(warm.stdout), expected);
      assert.deepEqual([warm.status, warm.stderr], [cold.status, cold.stderr]);
    });
  }

  for (const [what, user] of Object.entries({ nobody: NOBODY, "another user": guest, root })) {
    it(`lets the guest have as many processes as in one booted for it: ${what}`, async () => {
      const limits = { ...PLAIN.limits, pids_limit: 20 };
      const change = { args: ["python3", "-c", FORKS], user, limits };
      const cold = await runCold(change);
      const warm = await runWarm(change);
      assert.equal(cold.stdout, "19 [Errno 11] Resource temporarily unavailable\n", cold.stderr);
      assert.equal(warm.stdout, cold.stdout, warm.stderr);
    });
  }

  it("gives a guest without input the end of one", async () => {
    const code = "import os, sys; print(repr(sys.stdin.read()), os.readlink('/proc/self/fd/0'))";
    const warm = await runWarm({ args: ["python3", "-c", code], stdin: undefined });
    assert.equal(warm.stdout, "'' /dev/null\n");
  });

  it("makes a working directory below /output that is the guest's", async () => {
    const code = "import os; s = os.stat('.'); print(os.getcwd(), oct(s.st_mode), s.st_uid, s.st_gid)";
    const warm = await runWarm({ args: ["python3", "-c", code], user: guest, cwd: "/output/a/b" });
    assert.equal(warm.stdout, "/output/a/b 0o40755 1000 70000\n");
  });

  it("ends as the guest does", async () => {
    const exit = await runWarm({ args: ["sh", "-c", "exit 7"] });
    assert.deepEqual([exit.status.code, exit.report?.step], [7, "began"]);
    const killed = await runWarm({ args: ["python3", "-c", "import os; os.abort()"] });
    assert.deepEqual([killed.status.code, killed.report?.step], [134, "began"]);
  });

  for (const [what, change, step] of [
    ["a command that is nowhere", { args: ["no-such"] }, "command"],
    ["a file that is no program", { args: ["/etc/passwd"] }, "command"],
    ["an argument that is too long", { args: ["sh", "-c", "exit", "x".repeat(200_000)] }, "command"],
    ["a working directory that is a file", { cwd: "/etc/passwd" }, "cwd"],
    ["a working directory that is not the guest's", { cwd: "/root" }, "cwd"],
    ["a file below a link of the image", { files: { "/bin/in.txt": "given" } }, "inputs"],
    ["a file in place of a link of the image", { files: { "/bin": "given" } }, "inputs"],
  ] as const) {
    it(`starts nothing and says so, given ${what}`, async () => {
      const { status, stdout, stderr, report } = await runWarm(change);
      assert.deepEqual([status.code, stdout, stderr, report?.step], [125, "", "", step]);
    });
  }

  it("ends by itself when nobody needs it", async () => {
    const { directory, child } = await boot();
    child.stdin?.end();
    const { status, stdout, stderr, report } = await ended(child, directory);
    assert.deepEqual([status.code, stdout, stderr, report], [0, "", "", null]);
  });
});

/** The first program counts as root's for good, so that others' limit says one fewer to mean the same. */
function withOneProcessFewer(limits: string): string {
  return limits.replace(/^(Max processes +)(\d+)( +)(\d+)( +)/m, (_, name, soft, gap, hard, rest) => {
    const [fewer, fewerHard] = [soft, hard].map((each) => String(Number(each) - 1).padEnd(each.length));
    return [name, fewer, gap, fewerHard, rest].join("");
  });
}

async function all(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk.slice());
  return Buffer.concat(chunks).toString();
}
