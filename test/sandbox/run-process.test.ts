import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Child, ExitStatus } from "../../src/platform/platform.ts";
import { type ProcessLimits, runProcess } from "../../src/sandbox/run-process.ts";
import { until } from "../support/leftovers.ts";
import { platform } from "../support/platform.ts";
import { isAlive, killAfter } from "../support/processes.ts";
import { PLAIN_ENV } from "../support/run-to-end.ts";
import { type TestContext, tempDirectory } from "../support/temp-directory.ts";

const NEVER = new AbortController().signal;
const LIMITS: ProcessLimits = { wall_clock_ms: 30_000, output_limit_bytes: 1 << 20, signal: NEVER };
/** Long enough for a shell to start its children on a busy machine. */
const SHORT_MS = 3_000;

async function sh(script: string, limits: Partial<ProcessLimits> = {}, stdin?: Uint8Array) {
  const options = { env: PLAIN_ENV, ...(stdin && { stdin }) };
  const exit = await runProcess(() => platform.spawn(["sh", "-c", script], options), {
    ...LIMITS,
    ...limits,
  });
  const { code, signal } = exit.status;
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
  return { ...exit, code, signal, out: text(exit.stdout.bytes), err: text(exit.stderr.bytes) };
}

/** Pids that a script wrote, one in each file named, once all are there. */
async function pidsFrom(t: TestContext, directory: string, ...names: string[]): Promise<number[]> {
  const read = () =>
    Promise.all(names.map((name) => readFile(join(directory, name), "utf8").catch(() => "")));
  await until(async () => (await read()).every((text) => text.endsWith("\n")));
  const pids = (await read()).map(Number);
  for (const pid of pids) killAfter(t, pid);
  return pids;
}

/** Pids of the processes that have a word among their arguments. */
async function pidsWith(word: string): Promise<number[]> {
  const names = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(
    names.map((name) => readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "")),
  );
  return names.filter((_, index) => lines[index]?.split("\0").includes(word)).map(Number);
}

test("output is told as it comes, with what came before, while the process goes on, and within the limit", async (t) => {
  const directory = await tempDirectory(t);
  const told: string[] = [];
  const running = sh(
    `echo one; echo two >&2; until [ -e ${directory}/go ]; do sleep 0.05; done; echo ${"x".repeat(20)}`,
    {
      output_limit_bytes: 10,
      drop_excess_output: true,
      onOutput: (stream, chunk, kept) => told.push(`${stream} ${Buffer.from(chunk)}|${Buffer.from(kept)}`),
    },
  );
  await until(() => told.length === 2);
  assert.deepEqual(told.toSorted(), ["stderr two\n|two\n", "stdout one\n|one\n"]);
  await writeFile(join(directory, "go"), "");
  await running;
  assert.deepEqual(told.slice(2), ["stdout xxxxxx|one\nxxxxxx"]);
});

test("a listener that throws hears no more, and changes nothing", async () => {
  let told = 0;
  const onOutput = () => {
    told += 1;
    throw new Error("broken");
  };
  const { code, out } = await sh("echo one; sleep 0.3; echo two", { onOutput });
  assert.deepEqual([code, out, told], [0, "one\ntwo\n", 1]);
});

test("a process that ends by itself is told by exit code and output, without a reason to stop", async () => {
  const { code, signal, stop, out, err, wall_ms, stdout, stderr } = await sh(
    "echo out; echo err >&2; exit 3",
  );
  assert.deepEqual(
    { code, signal, stop, out, err },
    { code: 3, signal: null, stop: null, out: "out\n", err: "err\n" },
  );
  assert.deepEqual([stdout.truncated, stderr.truncated], [false, false]);
  assert.ok(Number.isInteger(wall_ms) && wall_ms >= 0);
});

test("a process killed from outside is told by its signal, without a reason to stop", async () => {
  const { code, signal, stop } = await sh("kill -KILL $$");
  assert.deepEqual({ code, signal, stop }, { code: null, signal: "SIGKILL", stop: null });
});

test("a process reads its stdin", async () => {
  assert.equal((await sh("cat", {}, new TextEncoder().encode("hello"))).out, "hello");
  assert.equal((await sh("cat")).out, "");
});

test("a process without a wall clock ends when it likes", async () => {
  assert.equal((await sh("exit 0", { wall_clock_ms: null })).code, 0);
});

test("a process may have been there before it is made to do its work", async () => {
  const child = platform.spawn(["sh", "-c", "read word; echo $word; exit 4"], {
    env: PLAIN_ENV,
    stdin: "pipe",
  });
  const start = async () => {
    child.stdin?.write(new TextEncoder().encode("hello\n"));
    return child;
  };
  const { status, stdout } = await runProcess(start, LIMITS);
  assert.deepEqual([status.code, Buffer.from(stdout.bytes).toString()], [4, "hello\n"]);
});

test("a process is not waited for beyond its end by a descendant that holds its pipes", async (t) => {
  const { out, code, stop } = await sh("sleep 600 & echo $!");
  killAfter(t, Number(out));
  assert.deepEqual({ code, stop }, { code: 0, stop: null });
  assert.equal(await isAlive(Number(out)), true);
});

test("a program that cannot be started throws", async () => {
  const spawn = () => platform.spawn(["/nosuch/program"], { env: PLAIN_ENV });
  await assert.rejects(runProcess(spawn, LIMITS), { code: "ENOENT" });
});

test("the wall clock stops the process; what it had written is kept", async () => {
  const { stop, out, err, code } = await sh("echo partial; echo too >&2; exec sleep 600", {
    wall_clock_ms: SHORT_MS,
  });
  assert.deepEqual({ stop, out, err }, { stop: "timed_out", out: "partial\n", err: "too\n" });
  assert.notEqual(code, 0);
});

test("the wall clock ends the whole tree: what ignores signals, is stopped, or has a session of its own", async (t) => {
  const directory = await tempDirectory(t);
  const script = `cd ${directory}
    sh -c 'trap "" TERM INT HUP; sleep 600 & echo $! > a; echo $$ > ignoring; wait' &
    setsid sh -c 'sleep 600 & echo $! > b; echo $$ > session; wait' &
    sh -c 'echo $$ > stopped; kill -STOP $$; :' &
    trap '' TERM INT HUP; echo $$ > main; wait`;
  const running = sh(script, { wall_clock_ms: SHORT_MS });
  const pids = await pidsFrom(t, directory, "a", "ignoring", "b", "session", "stopped", "main");
  assert.equal((await running).stop, "timed_out");
  for (const pid of pids) await until(async () => !(await isAlive(pid)));
});

test("the wall clock leaves nothing of a process that starts its child anew when that is killed", async () => {
  const marker = `${600 + Math.random()}`;
  const runs = Array.from({ length: 12 }, () =>
    sh(`while :; do sleep ${marker}; done`, { wall_clock_ms: SHORT_MS }),
  );
  for (const { stop } of await Promise.all(runs)) assert.equal(stop, "timed_out");
  const left = await pidsWith(marker);
  for (const pid of left) process.kill(pid, "SIGKILL");
  assert.deepEqual(left, []);
});

test("the wall clock ends a process that has stopped itself", async () => {
  const { stop, signal } = await sh("kill -STOP $$", { wall_clock_ms: SHORT_MS });
  assert.deepEqual({ stop, signal }, { stop: "timed_out", signal: "SIGKILL" });
});

for (const [stream, redirect] of [
  ["stdout", ""],
  ["stderr", ">&2"],
] as const) {
  test(`the output limit is met exactly on ${stream}: no reason to stop`, async () => {
    const exit = await sh(`head -c 100000 /dev/zero ${redirect}`, { output_limit_bytes: 100_000 });
    assert.deepEqual({ stop: exit.stop, code: exit.code }, { stop: null, code: 0 });
    assert.equal(exit[stream].bytes.length, 100_000);
    assert.equal(exit[stream].truncated, false);
  });

  test(`the output limit stops a process that goes on writing to ${stream}, and keeps what came first`, async () => {
    const exit = await sh(`exec yes ${redirect}`, { output_limit_bytes: 100_001 });
    assert.equal(exit.stop, "output_limit");
    assert.equal(exit[stream].bytes.length, 100_001);
    assert.equal(exit[stream].truncated, true);
    const other = stream === "stdout" ? exit.stderr : exit.stdout;
    assert.deepEqual(
      { length: other.bytes.length, truncated: other.truncated },
      { length: 0, truncated: false },
    );
  });
}

test("the output limit counts for each stream apart", async () => {
  const { stop, out, err } = await sh("printf 12345678; printf 12345678 >&2", { output_limit_bytes: 8 });
  assert.deepEqual({ stop, out, err }, { stop: null, out: "12345678", err: "12345678" });
});

test("the output limit counts as passed also when the process ended before that was seen", async () => {
  const exited = Promise.resolve({ code: 0, signal: null });
  const { stop, stdout } = await runProcess(() => fakeChild({ exited, stdout: afterATick("123456789") }), {
    ...LIMITS,
    output_limit_bytes: 8,
  });
  assert.equal(Buffer.from(stdout.bytes).toString(), "12345678");
  assert.equal(stdout.truncated, true);
  assert.equal(stop, "output_limit");
});

describe("with the excess of output dropped", () => {
  const limits = { output_limit_bytes: 8, drop_excess_output: true };

  test("a process writes on to its end, never held up, and what came first is kept", async () => {
    const script = "head -c 5000000 /dev/zero | tr '\\0' x; printf 123456789 >&2; exit 3";
    const { stop, code, stdout, stderr, out, err } = await sh(script, limits);
    assert.deepEqual({ stop, code, out, err }, { stop: null, code: 3, out: "xxxxxxxx", err: "12345678" });
    assert.deepEqual([stdout.truncated, stderr.truncated], [true, true]);
  });

  test("a stream within the limit is whole", async () => {
    const { stop, out, stdout } = await sh("printf 12345678", limits);
    assert.deepEqual(
      { stop, out, truncated: stdout.truncated },
      { stop: null, out: "12345678", truncated: false },
    );
  });

  test("the wall clock still ends it", async () => {
    const { stop, stdout } = await sh("exec yes", { ...limits, wall_clock_ms: SHORT_MS });
    assert.deepEqual([stop, stdout.truncated, stdout.bytes.length], ["timed_out", true, 8]);
  });
});

test("an abort before the start ends the process at once", async () => {
  const { stop } = await sh("sleep 600", { signal: AbortSignal.abort() });
  assert.equal(stop, "canceled");
});

test("an abort while it runs ends the whole tree and keeps the output", async (t) => {
  const directory = await tempDirectory(t);
  const controller = new AbortController();
  const running = sh(`cd ${directory}; echo said; setsid sh -c 'sleep 600 & echo $! > child; wait' & wait`, {
    signal: controller.signal,
  });
  const [child = 0] = await pidsFrom(t, directory, "child");
  controller.abort();
  const { stop, out } = await running;
  assert.deepEqual({ stop, out }, { stop: "canceled", out: "said\n" });
  await until(async () => !(await isAlive(child)));
});

test("an abort after the end changes nothing, and no listener stays on the signal", async () => {
  const { signal } = new AbortController();
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners += 1;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners -= 1;
    remove(...args);
  };
  const { stop } = await sh("true", { signal });
  assert.equal(stop, null);
  assert.equal(listeners, 0);
});

/** A process that ends when it is told to, whatever happens meanwhile. */
function lasting(stdout: AsyncIterable<Uint8Array>) {
  const { promise: exited, resolve } = Promise.withResolvers<ExitStatus>();
  const end = () => resolve({ code: null, signal: "SIGKILL" });
  return { fake: fakeChild({ exited, stdout }), end };
}

test("an abort after an overflow does not change the reason", async () => {
  const controller = new AbortController();
  const { fake, end } = lasting(afterATick("123456789"));
  const limits = { ...LIMITS, output_limit_bytes: 8, signal: controller.signal };
  const running = runProcess(() => fake, limits);
  await new Promise((resolve) => setTimeout(resolve, 20));
  controller.abort();
  end();
  assert.equal((await running).stop, "output_limit");
});

test("an overflow after an abort does not change the reason, though it is told", async () => {
  const { fake, end } = lasting(afterATick("123456789"));
  const limits = { ...LIMITS, output_limit_bytes: 8, signal: AbortSignal.abort() };
  const running = runProcess(() => fake, limits);
  await new Promise((resolve) => setTimeout(resolve, 20));
  end();
  const { stop, stdout } = await running;
  assert.deepEqual({ stop, truncated: stdout.truncated }, { stop: "canceled", truncated: true });
});

async function* afterATick(text: string): AsyncGenerator<Uint8Array> {
  await new Promise((resolve) => setTimeout(resolve, 5));
  yield new TextEncoder().encode(text);
}

/** A child with a pid beyond the kernel's largest, so that no signal can hit anybody. */
function fakeChild(child: Partial<Child>): Child {
  const nothing = (async function* () {})();
  return {
    pid: 2 ** 22 + 1,
    stdin: null,
    stdout: nothing,
    stderr: nothing,
    exited: new Promise(() => {}),
    kill() {},
    ...child,
  };
}

test("a watch that sees a limit passed ends the process for its reason", async () => {
  let looks = 0;
  const watches = [
    async () => {
      throw new Error("nothing to look at yet");
    },
    async () => (++looks < 2 ? null : ("output_files_limit" as const)),
  ];
  const { stop, signal, out } = await sh("echo partial; exec sleep 60", { watches });
  assert.deepEqual(
    { stop, signal, out, looks },
    { stop: "output_files_limit", signal: "SIGKILL", out: "partial\n", looks: 2 },
  );
});
