import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmod, open, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { platform } from "../support/platform.ts";
import { isAlive, killAfter } from "../support/processes.ts";
import { PLAIN_ENV, runToEnd, textOf } from "../support/run-to-end.ts";
import { type TestContext, tempDirectory } from "../support/temp-directory.ts";

const sh = (script: string, options?: Parameters<typeof runToEnd>[1]) =>
  runToEnd(["sh", "-c", script], options);
const bytes = (text: string) => new TextEncoder().encode(text);

test("the output of a process comes from both streams, each apart", async () => {
  const { stdout, stderr } = await sh("echo out; echo err >&2; echo out2");
  assert.equal(stdout, "out\nout2\n");
  assert.equal(stderr, "err\n");
});

test("the output of a process is complete when it is larger than a pipe holds, on both streams at once", async () => {
  const { stdout, stderr } = await sh("head -c 3000000 /dev/zero >&2 & head -c 3000000 /dev/zero; wait");
  assert.equal(stdout.length, 3_000_000);
  assert.equal(stderr.length, 3_000_000);
});

test("the output of a process is the very bytes, whatever they are", async () => {
  const child = platform.spawn(["printf", "\\377\\000\\n"], { env: PLAIN_ENV });
  const chunks: Uint8Array[] = [];
  for await (const chunk of child.stdout) chunks.push(chunk);
  await textOf(child.stderr);
  await child.exited;
  assert.deepEqual([...Buffer.concat(chunks)], [0xff, 0, 0x0a]);
});

test("the output of a process goes through pipes: a child can open /dev/stdout and /dev/stderr again", async () => {
  const { stdout, stderr, code } = await sh("echo a > /dev/stdout && echo b > /dev/stderr");
  assert.deepEqual({ stdout, stderr, code }, { stdout: "a\n", stderr: "b\n", code: 0 });
  const links = await sh("readlink /proc/$$/fd/1; readlink /proc/$$/fd/2");
  assert.match(links.stdout, /^pipe:\[\d+\]\npipe:\[\d+\]\n$/);
});

test("a reader that stops early ends the pipe for the writer", async (t) => {
  const child = platform.spawn(["yes"], { env: PLAIN_ENV });
  killAfter(t, child.pid);
  for await (const _ of child.stdout) break;
  await textOf(child.stderr);
  const { code, signal } = await child.exited;
  assert.ok(signal === "SIGPIPE" || (code !== null && code !== 0), `${code} ${signal}`);
});

for (const code of [0, 1, 2, 127, 255]) {
  test(`a process that ends with exit code ${code} says so`, async () => {
    const ended = await sh(`exit ${code}`);
    assert.equal(ended.code, code);
    assert.equal(ended.signal, null);
  });
}

for (const signal of ["SIGKILL", "SIGTERM", "SIGSEGV"]) {
  test(`a process killed by ${signal} says so`, async () => {
    const ended = await sh(`kill -${signal.slice(3)} $$`);
    assert.equal(ended.code, null);
    assert.equal(ended.signal, signal);
  });
}

test("kill() sends the signal that is named, and the exit is the process's own", async () => {
  const child = platform.spawn(["sh", "-c", 'trap "exit 7" USR1; echo ready; while :; do sleep 0.02; done'], {
    env: PLAIN_ENV,
  });
  const stderr = textOf(child.stderr);
  for await (const _ of child.stdout) child.kill("SIGUSR1");
  await stderr;
  assert.equal((await child.exited).code, 7);
});

test("kill() after the end does nothing", async () => {
  const child = platform.spawn(["true"], { env: PLAIN_ENV });
  await Promise.all([textOf(child.stdout), textOf(child.stderr), child.exited]);
  child.kill("SIGKILL");
  assert.equal((await child.exited).code, 0);
});

test("the end of a process is told although a descendant holds the pipes open", async (t) => {
  const child = platform.spawn(["sh", "-c", "sleep 600 & echo $!"], { env: PLAIN_ENV });
  const reader = child.stdout[Symbol.asyncIterator]();
  const first = await reader.next();
  const sleeper = Number(Buffer.from(first.value ?? []).toString());
  killAfter(t, sleeper);
  assert.equal((await child.exited).code, 0);
  assert.equal(await isAlive(sleeper), true);
  process.kill(sleeper, "SIGKILL");
  assert.equal((await reader.next()).done, true);
  await textOf(child.stderr);
});

test("spawn throws ENOENT at once for a path that does not exist", () => {
  assert.throws(() => platform.spawn(["/nosuch/program"], { env: PLAIN_ENV }), { code: "ENOENT" });
});

test("spawn throws ENOENT at once for a name that is not in PATH", () => {
  assert.throws(() => platform.spawn(["no-such-program"], { env: PLAIN_ENV }), { code: "ENOENT" });
});

test("spawn throws EACCES at once for a file without execute permission", async (t) => {
  const path = join(await tempDirectory(t), "program");
  await writeFile(path, "#!/bin/sh\n", { mode: 0o644 });
  assert.throws(() => platform.spawn([path], { env: PLAIN_ENV }), { code: "EACCES" });
});

test("spawn throws ENOENT at once for a working directory that does not exist", () => {
  assert.throws(() => platform.spawn(["true"], { env: PLAIN_ENV, cwd: "/nosuch" }), { code: "ENOENT" });
});

test("the environment of a process is the one named and nothing of ours", async (t) => {
  process.env.BOXER_TEST_SECRET = "secret";
  t.after(() => delete process.env.BOXER_TEST_SECRET);
  const { stdout } = await runToEnd(["/usr/bin/env"], { env: { A: "1", B: "two\nlines", C: "" } });
  assert.deepEqual(stdout.split("\n").sort(), ["", "A=1", "B=two", "C=", "lines"]);
  assert.equal((await runToEnd(["/usr/bin/env"], { env: {} })).stdout, "");
});

test("arguments arrive unchanged, empty and odd ones too", async () => {
  const args = ["", "two words", "*", "'\"$HOME", "-n", "ü\n"];
  const { stdout } = await runToEnd(["printf", "[%s]", ...args]);
  assert.equal(stdout, args.map((arg) => `[${arg}]`).join(""));
});

test("a process starts in the working directory named", async (t) => {
  const directory = await tempDirectory(t);
  assert.equal((await runToEnd(["/bin/pwd"], { cwd: directory })).stdout, `${directory}\n`);
});

test("a bare name is looked up in the PATH of the new environment", async (t) => {
  const directory = await tempDirectory(t);
  const path = join(directory, "only-here");
  await writeFile(path, "#!/bin/sh\necho found\n");
  await chmod(path, 0o755);
  const { stdout } = await runToEnd(["only-here"], { env: { PATH: `${directory}:/bin` } });
  assert.equal(stdout, "found\n");
});

test("stdin is at its end at once when none is given", async () => {
  assert.equal((await sh("wc -c")).stdout.trim(), "0");
});

test("stdin is at its end at once when it is empty", async () => {
  assert.equal((await sh("wc -c", { stdin: new Uint8Array() })).stdout.trim(), "0");
});

test("stdin is the very bytes, then the end of file", async () => {
  assert.equal((await sh("od -An -tx1", { stdin: Uint8Array.of(0, 255, 10) })).stdout.trim(), "00 ff 0a");
});

test("stdin may be larger than a pipe holds", async () => {
  assert.equal((await sh("wc -c", { stdin: new Uint8Array(3_000_000) })).stdout.trim(), "3000000");
});

test("stdin can be opened again as /dev/stdin", async () => {
  assert.equal((await sh("cat /dev/stdin", { stdin: bytes("hello") })).stdout, "hello");
});

test("stdin need not be read", async () => {
  assert.equal((await sh("exit 3", { stdin: new Uint8Array(3_000_000) })).code, 3);
});

/** A child whose stdin is a pipe of ours. */
function piped(t: TestContext, script: string) {
  const child = platform.spawn(["sh", "-c", script], { env: PLAIN_ENV, stdin: "pipe" });
  killAfter(t, child.pid);
  const output = Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  const { stdin } = child;
  assert.ok(stdin);
  return { child, stdin, output };
}

test("stdin that is a pipe takes what is written in turn, until its end", async (t) => {
  const { child, stdin, output } = piped(t, 'while read -r line; do echo "<$line>"; done; echo end');
  stdin.write(bytes("one\n"));
  stdin.write(bytes("two\n"));
  stdin.write(bytes(""));
  stdin.end();
  assert.equal((await output)[0], "<one>\n<two>\nend\n");
  assert.equal((await child.exited).code, 0);
});

test("what is written to stdin is there at once, while it stays open", async (t) => {
  const child = platform.spawn(["cat"], { env: PLAIN_ENV, stdin: "pipe" });
  killAfter(t, child.pid);
  const stderr = textOf(child.stderr);
  const reader = child.stdout[Symbol.asyncIterator]();
  for (const word of ["one", "two"]) {
    child.stdin?.write(bytes(word));
    assert.equal(Buffer.from((await reader.next()).value ?? []).toString(), word);
  }
  child.stdin?.end();
  assert.equal((await reader.next()).done, true);
  assert.deepEqual([await stderr, (await child.exited).code], ["", 0]);
});

test("stdin that is a pipe can be opened again as /dev/stdin, as that of a guest has to be", async (t) => {
  const { stdin, output } = piped(t, "readlink /proc/$$/fd/0; cat /dev/stdin");
  stdin.write(bytes("hello"));
  stdin.end();
  assert.match((await output).join(), /^pipe:\[\d+\]\nhello,$/);
});

test("much that is written to stdin arrives whole and in order, from one write and from many", async (t) => {
  const data = new Uint8Array(3_000_000).map((_, index) => (index * 7 + (index >> 8)) & 0xff);
  const digest = createHash("sha256").update(data).update(data).digest("hex");
  const { stdin, output } = piped(t, "sleep 0.2; sha256sum");
  stdin.write(data);
  for (let at = 0; at < data.length; at += 10_007) stdin.write(data.subarray(at, at + 10_007));
  stdin.end();
  assert.equal((await output)[0], `${digest}  -\n`);
});

test("a child whose stdin is a pipe waits for it, and sees its end", async (t) => {
  const { child, stdin, output } = piped(t, "cat; echo end");
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(await isAlive(child.pid), true);
  stdin.end();
  assert.equal((await output)[0], "end\n");
});

for (const [what, size] of [
  ["little", 3],
  ["much", 3_000_000],
] as const) {
  test(`a child that is gone, or does not read, may be written ${what}: nothing throws`, async (t) => {
    const rejected: unknown[] = [];
    const note = (reason: unknown) => void rejected.push(reason);
    process.on("unhandledRejection", note);
    t.after(() => process.off("unhandledRejection", note));
    const going = piped(t, "exit 3");
    going.stdin.write(new Uint8Array(size));
    going.stdin.end();
    assert.equal((await going.child.exited).code, 3);
    const gone = piped(t, "exit 4");
    assert.equal((await gone.child.exited).code, 4);
    gone.stdin.write(new Uint8Array(size));
    gone.stdin.write(new Uint8Array(size));
    gone.stdin.end();
    gone.stdin.end();
    gone.stdin.write(new Uint8Array(size));
    await Promise.all([going.output, gone.output]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(rejected, []);
  });
}

test("a child has a stdin of ours only where it was asked for", async (t) => {
  for (const stdin of [undefined, bytes("x")]) {
    const child = platform.spawn(["cat"], { env: PLAIN_ENV, ...(stdin && { stdin }) });
    killAfter(t, child.pid);
    assert.equal(child.stdin, null);
    await Promise.all([textOf(child.stdout), textOf(child.stderr), child.exited]);
  }
});

test("200 processes, some of which cannot start, leave no file descriptor behind", async () => {
  const count = async () => (await readdir("/proc/self/fd")).length;
  for (let warmUp = 0; warmUp < 10; warmUp += 1) await runToEnd(["true"], { stdin: bytes("x") });
  const before = await count();
  for (let round = 0; round < 50; round += 1) {
    await Promise.all([runToEnd(["true"]), runToEnd(["echo"]), runToEnd(["cat"], { stdin: bytes("x") })]);
    const left = platform.spawn(["cat"], { env: PLAIN_ENV, stdin: "pipe" });
    left.kill("SIGKILL");
    await Promise.all([textOf(left.stdout), textOf(left.stderr), left.exited]);
    assert.throws(() => platform.spawn(["/nosuch/program"], { env: PLAIN_ENV, stdin: "pipe" }));
  }
  const after = await count();
  // Some are closed a moment later; a leak would be one for each process at least.
  assert.ok(after < before + 50, `${before} before, ${after} after`);
});

test("a child gets no file of ours beside its three streams", async (t) => {
  const path = join(await tempDirectory(t), "secret");
  const file = await open(path, "w+");
  t.after(() => file.close());
  const { stdout } = await sh("for fd in /proc/self/fd/*; do readlink $fd; done");
  assert.match(stdout, /pipe:/);
  assert.ok(!stdout.includes(path), stdout);
});

test("a child that goes on does not hold open the pipes of those started before and after it", async (t) => {
  const before = platform.spawn(["sh", "-c", "read x; echo done"], { env: PLAIN_ENV });
  const lasting = platform.spawn(["sleep", "600"], { env: PLAIN_ENV });
  killAfter(t, lasting.pid);
  assert.equal(await textOf(before.stdout), "done\n");
  await textOf(before.stderr);
  assert.equal((await runToEnd(["echo", "after"])).stdout, "after\n");
  assert.equal(await isAlive(lasting.pid), true);
  lasting.kill("SIGKILL");
  await Promise.all([textOf(lasting.stdout), textOf(lasting.stderr), lasting.exited]);
});
