import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { boot } from "../../../scripts/vm/boot.ts";
import { until } from "../../support/leftovers.ts";
import { isAlive } from "../../support/processes.ts";
import { fakeProgram } from "../../support/setup-context.ts";
import { type TestContext, tempDirectory } from "../../support/temp-directory.ts";

/** Boots with a script in place of qemu. */
async function bootWith(t: TestContext, script: string, signal = new AbortController().signal) {
  const dir = await tempDirectory(t);
  const qemu = await fakeProgram(join(dir, "qemu"), script.replaceAll("DIR", dir));
  const lines: string[] = [];
  const machine = { qemu, kernel: "/the/kernel", initrd: "/the/initrd", consoleLog: join(dir, "a,b.log") };
  const ended = boot(machine, signal, (line) => lines.push(line));
  return { dir, lines, ended };
}

test("what the machine tells is passed on line by line, the last without line feed too", async (t) => {
  const { ended, lines } = await bootWith(t, "echo one; printf 'two\\nthree'");
  assert.equal(await ended, undefined);
  assert.deepEqual(lines, ["one", "two", "three"]);
});

test("the kernel, the root and the file for the console are those given, however they are called", async (t) => {
  const { dir, ended, lines } = await bootWith(t, 'printf "%s\\n" "$@"');
  await ended;
  const after = (option: string) => lines[lines.indexOf(option) + 1];
  assert.deepEqual([after("-kernel"), after("-initrd")], ["/the/kernel", "/the/initrd"]);
  assert.equal(after("-serial"), `file:${join(dir, "a,,b.log")}`);
});

test("a qemu that fails is told with its last words", async (t) => {
  const { ended } = await bootWith(t, "echo 'no such accelerator' >&2; exit 3");
  assert.equal(await ended, "qemu ended with 3: no such accelerator");
});

test("a qemu that is not there is told", async () => {
  const machine = { qemu: "/nonexistent", kernel: "", initrd: "", consoleLog: "" };
  assert.match((await boot(machine, new AbortController().signal, () => {})) ?? "", /nonexistent/);
});

test("an abort ends the machine, whatever it does", async (t) => {
  const controller = new AbortController();
  const script = "trap '' TERM INT; echo $$ > DIR/pid; echo up; while :; do sleep 0.1; done";
  const { dir, ended, lines } = await bootWith(t, script, controller.signal);
  await until(() => lines.length > 0);
  controller.abort();
  assert.equal(await ended, "stopped before the end");
  assert.equal(await isAlive(Number(await readFile(join(dir, "pid"), "utf8"))), false);
});
