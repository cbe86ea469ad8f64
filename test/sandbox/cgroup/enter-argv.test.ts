import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { enterArgv } from "../../../src/sandbox/cgroup/enter-argv.ts";
import { parseStartFailure } from "../../../src/sandbox/start-failure.ts";
import { platform } from "../../support/platform.ts";
import { PLAIN_ENV, textOf } from "../../support/run-to-end.ts";
import { tempDirectory } from "../../support/temp-directory.ts";

async function run(argv: readonly string[]) {
  const child = platform.spawn(argv, { env: PLAIN_ENV });
  const [out, err, { code }] = await Promise.all([textOf(child.stdout), textOf(child.stderr), child.exited]);
  return { out, err, code, pid: child.pid };
}

test("every cgroup is entered before the command, which takes the place of the shell", async (t) => {
  const root = await tempDirectory(t);
  const cgroups = ["a", "b c", "$(touch x)"].map((name) => join(root, name));
  for (const cgroup of cgroups) await mkdir(cgroup);
  const script = 'for f; do cat "$f/cgroup.procs"; done; echo $$; cat /proc/self/oom_score_adj';
  const argv = enterArgv(cgroups, ["/bin/sh", "-c", script, "sh", ...cgroups], join(root, "log"));
  const { out, err, code, pid } = await run(argv);
  assert.deepEqual([out, err, code], [`0\n0\n0\n${pid}\n500\n`, "", 0]);
});

test("words of the command are never parsed by the shell", async (t) => {
  const root = await tempDirectory(t);
  const words = ["a b", "$(id)", "'", '"', "\\", "", "*", "-n", "two\nlines"];
  const { out } = await run(enterArgv([root], ["printf", "%s|", ...words], join(root, "log")));
  assert.equal(out, words.map((word) => `${word}|`).join(""));
});

test("a cgroup that cannot be entered ends it before the command, with an entry in the log", async (t) => {
  const root = await tempDirectory(t);
  const log = join(root, "log");
  const { out, code } = await run(enterArgv([root, join(root, "gone")], ["echo", "started"], log));
  assert.deepEqual([out, code], ["", 128]);
  assert.match(parseStartFailure(await readFile(log, "utf8"))?.message ?? "", /cannot enter the cgroup/);
});
