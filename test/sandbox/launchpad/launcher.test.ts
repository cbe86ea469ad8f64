import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { totalmem } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { enterArgv } from "../../../src/sandbox/cgroup/enter-argv.ts";
import type { RunCgroup } from "../../../src/sandbox/cgroup/types.ts";
import { type Launch, type Launcher, startLauncher } from "../../../src/sandbox/launchpad/launcher.ts";
import { runDirectoryAt } from "../../../src/sandbox/runsc.ts";
import { until } from "../../support/leftovers.ts";
import { noMounts } from "../../support/no-mounts.ts";
import { platform } from "../../support/platform.ts";
import { isAlive, killAfter } from "../../support/processes.ts";
import { PLAIN_ENV, textOf } from "../../support/run-to-end.ts";
import { scriptArgv } from "../../support/script-argv.ts";
import { type TestContext, tempDirectory } from "../../support/temp-directory.ts";

const PLAIN: Launch = { memory_mb: null, stdin: undefined };
const bytes = (text: string) => new TextEncoder().encode(text);

/** Cgroups to be entered, none by default. */
const cgroupOf = (...paths: string[]) =>
  ({ argv: (command, log) => enterArgv(paths, command, log) }) as Partial<RunCgroup> as RunCgroup;

/** A launcher that becomes a command; the last that is left of it is killed after the test. */
async function launcherOf(
  t: TestContext,
  command: readonly string[],
  { cgroup = cgroupOf(), shows_memory_total = false } = {},
) {
  const directory = runDirectoryAt(await tempDirectory(t));
  const launcher = await startLauncher(platform, { directory, cgroup, command, shows_memory_total });
  killAfter(t, launcher.child.pid);
  return { launcher, directory };
}

/** What a launcher that has been launched says, and how it ends. */
async function endOf({ child }: Launcher) {
  const chunks: Uint8Array[] = [];
  const read = async () => {
    for await (const chunk of child.stdout) chunks.push(chunk);
  };
  const [err, { code, signal }] = await Promise.all([textOf(child.stderr), child.exited, read()]);
  const stdout = Buffer.concat(chunks);
  return { stdout, out: stdout.toString(), err, code, signal };
}

/** Launches at once, and waits for the end. */
async function launched(t: TestContext, command: readonly string[], launch: Partial<Launch> = {}) {
  const { launcher } = await launcherOf(t, command);
  await launcher.launch({ ...PLAIN, ...launch });
  return endOf(launcher);
}

test("waits, and then becomes the usual command by its own pid", async (t) => {
  const { launcher } = await launcherOf(t, ["sh", "-c", "echo $$; exit 3"]);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual([launcher.isWaiting, await isAlive(launcher.child.pid)], [true, true]);
  await launcher.launch(PLAIN);
  assert.equal(launcher.isWaiting, false);
  const { out, err, code } = await endOf(launcher);
  assert.deepEqual([out, err, code], [`${launcher.child.pid}\n`, "", 3]);
});

test("becomes another command where it is told one", async (t) => {
  const { out } = await launched(t, ["echo", "usual"], { command: ["printf", "<%s>", "another", "one"] });
  assert.equal(out, "<another><one>");
});

const ODD_WORDS = [
  "two words",
  " ",
  "a'b",
  'c"d',
  "$(echo x)",
  "`echo y`",
  "*",
  "\\n\\",
  "-n",
  "$HOME",
  "ü\t",
  "null",
];

test("words are taken as they are, in the usual command and in another", async (t) => {
  const command = ["printf", "<%s>", ...ODD_WORDS];
  const expected = ODD_WORDS.map((word) => `<${word}>`).join("");
  assert.equal((await launched(t, command)).out, expected);
  assert.equal((await launched(t, ["false"], { command })).out, expected);
});

test("a program may have any name", async (t) => {
  const program = join(await tempDirectory(t), " a 'b' \\ $(id) \t");
  await writeFile(program, "#!/bin/sh\necho ran\n", { mode: 0o755 });
  assert.equal((await launched(t, [program])).out, "ran\n");
  assert.equal((await launched(t, ["false"], { command: [program] })).out, "ran\n");
  const away = { command: [" program\\"] };
  assert.match((await launched(t, ["false"], away)).err, / {2}program\\: /);
});

test("a command of many and long words arrives whole", async (t) => {
  const words = Array.from({ length: 300 }, (_, index) => `${index}`.repeat(100));
  const { out } = await launched(t, ["false"], { command: ["printf", "%s,", ...words], stdin: bytes("x") });
  assert.equal(out, words.map((word) => `${word},`).join(""));
});

for (const [what, word] of [
  ["with a newline", "a\nb"],
  ["that is empty", ""],
] as const) {
  test(`a word ${what} is refused, and the launcher goes on waiting`, async (t) => {
    const { launcher } = await launcherOf(t, ["echo", "usual"]);
    const launch = { ...PLAIN, command: ["echo", word] };
    await assert.rejects(launcher.launch(launch), {
      message: `a command cannot hold ${JSON.stringify(word)}`,
    });
    assert.equal(launcher.isWaiting, true);
    await launcher.launch(PLAIN);
    assert.equal((await endOf(launcher)).out, "usual\n");
  });
}

test("without bytes for it stdin is /dev/null, with none of them it is an empty pipe", async (t) => {
  const command = ["sh", "-c", "readlink /proc/$$/fd/0; wc -c"];
  assert.match((await launched(t, command)).out, /^\/dev\/null\n\s*0\n$/);
  assert.match((await launched(t, command, { stdin: new Uint8Array() })).out, /^pipe:\[\d+\]\n\s*0\n$/);
});

test("stdin can be opened again as /dev/stdin", async (t) => {
  assert.equal((await launched(t, ["cat", "/dev/stdin"], { stdin: bytes("hello") })).out, "hello");
});

const BINARY = new Uint8Array(1 << 20).map((_, index) => (index * 31 + (index >> 8)) & 0xff);

for (const [what, stdin] of Object.entries({
  "a word": bytes("hello"),
  "lines like those that it reads itself": bytes("null\n\nstdin\necho x\n\n"),
  "a newline first": bytes("\nrest"),
  "bytes of all kinds": BINARY.subarray(0, 512),
  "a megabyte of bytes": BINARY,
})) {
  test(`stdin is whole, none of it is taken: ${what}`, async (t) => {
    for (const command of [undefined, ["cat"]]) {
      const usual = command ? ["false"] : ["cat"];
      const { stdout, code } = await launched(t, usual, { stdin, ...(command && { command }) });
      assert.equal(Buffer.compare(stdout, stdin), 0);
      assert.equal(code, 0);
    }
  });
}

test("a command that does not read its stdin ends as it likes", async (t) => {
  assert.equal((await launched(t, ["sh", "-c", "exit 9"], { stdin: BINARY })).code, 9);
});

test("stdin stays open where that is asked for, and is the command's", async (t) => {
  const { launcher } = await launcherOf(t, ["cat"]);
  await launcher.launch(PLAIN, true);
  const reader = launcher.child.stdout[Symbol.asyncIterator]();
  for (const word of ["one", "two"]) {
    launcher.child.stdin?.write(bytes(word));
    assert.equal(Buffer.from((await reader.next()).value ?? []).toString(), word);
  }
  launcher.child.stdin?.end();
  assert.equal((await reader.next()).done, true);
  assert.deepEqual([await textOf(launcher.child.stderr), (await launcher.child.exited).code], ["", 0]);
});

test("a command gets nothing of our environment but where programs are", async (t) => {
  process.env.BOXER_TEST_SECRET = "secret";
  t.after(() => delete process.env.BOXER_TEST_SECRET);
  const { out } = await launched(t, ["env"]);
  assert.ok(out.split("\n").includes(`PATH=${process.env.PATH}`));
  assert.ok(!out.includes("secret") && !out.includes("HOME="), out);
});

test("a command that cannot be started ends as a shell's does", async (t) => {
  assert.equal((await launched(t, ["/nosuch/program"])).code, 127);
});

test("a launcher that cannot enter its cgroup is not waiting, and says why in the log", async (t) => {
  const { launcher, directory } = await launcherOf(t, ["true"], { cgroup: cgroupOf("/nosuch/cgroup") });
  const { code } = await endOf(launcher);
  assert.deepEqual([code, launcher.isWaiting], [128, false]);
  assert.match(await readFile(directory.log, "utf8"), /cannot enter the cgroup/);
  await launcher.launch({ ...PLAIN, stdin: BINARY });
});

test("a launcher that ends while it waits is not waiting any more", async (t) => {
  const { launcher } = await launcherOf(t, ["true"]);
  process.kill(launcher.child.pid, "SIGKILL");
  assert.equal((await endOf(launcher)).signal, "SIGKILL");
  assert.equal(launcher.isWaiting, false);
});

test("a launcher that waits ends once its stdin does, also in the middle of what it is told", async (t) => {
  for (const begun of ["", "stdin", "null\n", "null\necho\nhello", "null\necho\nhello\n"]) {
    const { launcher } = await launcherOf(t, ["echo", "usual"]);
    launcher.child.stdin?.write(bytes(begun));
    launcher.child.stdin?.end();
    const { out, code } = await endOf(launcher);
    assert.deepEqual([out, code], ["", 0]);
  }
});

test("a launcher ends when its server is killed, though the server has started others since", async (t) => {
  const script = join(import.meta.dirname, "../../support/scripts/start-launcher.ts");
  const server = platform.spawn(scriptArgv(script), { env: { ...PLAIN_ENV, HOME: process.env.HOME ?? "/" } });
  killAfter(t, server.pid);
  const { value } = await server.stdout[Symbol.asyncIterator]().next();
  const [launcher = 0, other = 0] = Buffer.from(value ?? [])
    .toString()
    .split(" ")
    .map(Number);
  for (const pid of [launcher, other]) killAfter(t, pid);
  assert.deepEqual([await isAlive(launcher), await isAlive(other)], [true, true]);
  server.kill("SIGKILL");
  await server.exited;
  await until(async () => !(await isAlive(launcher)));
  assert.equal(await isAlive(other), true);
});

test("dismissed, a launcher is gone and leaves no file descriptor; again that does nothing", async (t) => {
  const count = async () => (await readdir("/proc/self/fd")).length;
  const before = await count();
  for (let round = 0; round < 30; round += 1) {
    const { launcher } = await launcherOf(t, ["true"]);
    if (round % 2 === 0) process.kill(launcher.child.pid, "SIGKILL");
    if (round % 4 === 0) await launcher.child.exited;
    await launcher.dismiss();
    assert.deepEqual([launcher.isWaiting, await isAlive(launcher.child.pid)], [false, false]);
    await launcher.dismiss();
  }
  await until(async () => (await count()) < before + 30);
});

test("what was launched is not dismissed", async (t) => {
  const { launcher } = await launcherOf(t, ["sh", "-c", "cat; exit 5"]);
  await launcher.launch(PLAIN, true);
  await launcher.dismiss();
  launcher.child.stdin?.write(bytes("hello"));
  launcher.child.stdin?.end();
  const { out, code } = await endOf(launcher);
  assert.deepEqual([out, code], ["hello", 5]);
});

test("a command sees its limit as the machine's memory, and without one what the machine has", {
  skip: noMounts(),
}, async (t) => {
  const host = await readFile("/proc/meminfo", "utf8");
  const command = ["sh", "-c", "cat /proc/meminfo; cat"];
  const shown = async (launch: Partial<Launch>) => {
    const { launcher } = await launcherOf(t, command, { shows_memory_total: true });
    await launcher.launch({ ...PLAIN, ...launch });
    return (await endOf(launcher)).out;
  };
  assert.equal(await shown({ memory_mb: 300, stdin: bytes("rest") }), "MemTotal: 307200 kB\nrest");
  assert.equal(await shown({ memory_mb: 1 }), "MemTotal: 1024 kB\n");
  assert.equal(await shown({ memory_mb: 20_000 }), "MemTotal: 20480000 kB\n");
  assert.equal(await shown({}), `MemTotal: ${Math.round(totalmem() / 1024)} kB\n`);
  assert.equal((await readFile("/proc/meminfo", "utf8")).split("\n")[0], host.split("\n")[0]);
});

test("where memory is not shown, none is written, and the command sees the machine's", async (t) => {
  const { launcher, directory } = await launcherOf(t, ["head", "-n1", "/proc/meminfo"]);
  await launcher.launch({ ...PLAIN, memory_mb: 300 });
  const [first] = (await readFile("/proc/meminfo", "utf8")).split("\n");
  assert.equal((await endOf(launcher)).out, `${first}\n`);
  assert.equal(existsSync(directory.meminfo), false);
});

test("memory that cannot be written throws, and the launcher goes on waiting until it is dismissed", {
  skip: noMounts(),
}, async (t) => {
  const { launcher, directory } = await launcherOf(t, ["true"], { shows_memory_total: true });
  const mounts = () => readFile(`/proc/${launcher.child.pid}/mountinfo`, "utf8");
  await until(async () => (await mounts()).includes(" /proc/meminfo "));
  await rm(directory.meminfo);
  await mkdir(directory.meminfo);
  await assert.rejects(launcher.launch({ ...PLAIN, memory_mb: 300 }), { code: "EISDIR" });
  assert.equal(launcher.isWaiting, true);
  await launcher.dismiss();
  assert.equal(await isAlive(launcher.child.pid), false);
});
