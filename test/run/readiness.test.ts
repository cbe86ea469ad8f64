import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { Platform } from "../../src/platform/platform.ts";
import { createReadinessCheck, type ReadinessParts } from "../../src/run/readiness.ts";
import { platform } from "../support/platform.ts";
import { type TestContext, tempDirectory } from "../support/temp-directory.ts";

/** A home and a runsc that is a shell script. */
async function parts(t: TestContext, script: string): Promise<ReadinessParts> {
  const home = await tempDirectory(t);
  const runscPath = join(await tempDirectory(t), "runsc");
  await writeFile(runscPath, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return {
    platform,
    runscPath,
    mkfsErofsPath: process.execPath,
    home,
    rootless: false,
    cgroups: { mode: "v2", unenforced: ["cpu_cores: no cpu cgroup"] },
    networks: { unavailable: null, notes: async () => [] },
    isDraining: () => false,
  };
}

const GOOD = 'echo "runsc version release-1"; echo "spec: 1.1.0"; echo noise >&2';

test("all well is ready, with the version in runsc's own words, and leaves no trace", async (t) => {
  const given = await parts(t, GOOD);
  assert.deepEqual(await createReadinessCheck(given)(), {
    ready: true,
    reasons: [],
    notes: [],
    runsc_version: "runsc version release-1",
    cgroup: { mode: "v2", unenforced: ["cpu_cores: no cpu cgroup"] },
    network_sandbox: { available: true, reason: null },
  });
  assert.deepEqual(await readdir(given.home), []);
});

test("networks for runs are no condition, and what is to be known of them is told", async (t) => {
  const given = await parts(t, GOOD);
  const networks = { unavailable: "no nft", notes: async () => ["a firewall is in the way"] };
  const { ready, notes, network_sandbox } = await createReadinessCheck({ ...given, networks })();
  assert.deepEqual([ready, notes], [true, ["a firewall is in the way"]]);
  assert.deepEqual(network_sandbox, { available: false, reason: "no nft" });
});

test("runsc is asked for its version and nothing else", async (t) => {
  const { runsc_version } = await createReadinessCheck(await parts(t, 'echo "$# $1"'))();
  assert.equal(runsc_version, "1 --version");
});

test("a missing runsc is a reason, told with what to do", async (t) => {
  const check = createReadinessCheck({ ...(await parts(t, GOOD)), runscPath: null });
  const { ready, reasons, runsc_version } = await check();
  assert.deepEqual([ready, runsc_version, reasons.length], [false, null, 1]);
  assert.match(reasons[0] ?? "", /runsc not found.*runsc_path/);
});

test("a runsc that has gone since the start is a reason", async (t) => {
  const check = createReadinessCheck({ ...(await parts(t, GOOD)), runscPath: "/nosuch/runsc" });
  const { ready, reasons } = await check();
  assert.equal(ready, false);
  assert.match(reasons.join(), /\/nosuch\/runsc/);
});

test("a runsc that fails is a reason, by its exit code or signal", async (t) => {
  for (const [script, how] of [
    ["exit 3", "3"],
    ["kill -SEGV $$", "SIGSEGV"],
  ] as const) {
    const given = await parts(t, script);
    const { ready, reasons, runsc_version } = await createReadinessCheck(given)();
    assert.deepEqual([ready, runsc_version], [false, null]);
    assert.deepEqual(reasons, [`${given.runscPath} --version failed (${how})`]);
  }
});

test("a runsc that hangs is a reason, also when it is a script of the operator with a child", async (t) => {
  const given = await parts(t, 'cd "$(dirname "$0")"; (sleep 30; touch ended) & wait');
  const { ready, runsc_version } = await createReadinessCheck(given)();
  assert.deepEqual([ready, runsc_version], [false, null]);
  assert.equal(existsSync(join(given.runscPath ?? "", "..", "ended")), false, "the child was waited for");
});

test("a missing mkfs.erofs is a note where images can be kept as directories, and leaves no trace", async (t) => {
  const given = { ...(await parts(t, GOOD)), mkfsErofsPath: null, rootless: process.geteuid?.() !== 0 };
  const { ready, reasons, notes } = await createReadinessCheck(given)();
  assert.deepEqual([ready, reasons, notes.length], [true, [], 1]);
  assert.match(notes.join(), /mkfs\.erofs not found/);
  assert.deepEqual(await readdir(given.home), []);
  assert.ok(!(await readFile("/proc/self/mounts", "utf8")).includes(given.home));
});

test("a missing mkfs.erofs is a reason where nothing can be mounted, in the words of mount", async (t) => {
  const refusing: Platform = {
    ...platform,
    spawn: (argv, options) => {
      const mountless = ["sh", "-c", "echo mount: permission denied >&2; exit 32"];
      return platform.spawn(argv[0] === "unshare" ? mountless : argv, options);
    },
  };
  const given = { ...(await parts(t, GOOD)), mkfsErofsPath: null, platform: refusing };
  const { ready, reasons, notes } = await createReadinessCheck(given)();
  assert.deepEqual([ready, notes], [false, []]);
  assert.match(reasons.join(), /mkfs\.erofs not found.*permission denied/);
  assert.deepEqual(await readdir(given.home), []);
});

test("a home that cannot be written to is a reason, by its path", async (t) => {
  const given = await parts(t, GOOD);
  const home = join(given.home, "file");
  await writeFile(home, "a file in the home's place");
  const { ready, reasons } = await createReadinessCheck({ ...given, home })();
  assert.equal(ready, false);
  assert.ok(reasons[0]?.startsWith(`${home} is not writable: `), reasons[0]);
});

test("all reasons are told together", async (t) => {
  const given = { ...(await parts(t, GOOD)), runscPath: null, mkfsErofsPath: null, home: "/nosuch/home" };
  assert.equal((await createReadinessCheck(given)()).reasons.length, 3);
});

test("a probe in a tight loop starts one process only", async (t) => {
  const given = await parts(t, GOOD);
  let spawned = 0;
  const counting: Platform = {
    ...platform,
    spawn(...args) {
      spawned += 1;
      return platform.spawn(...args);
    },
  };
  const check = createReadinessCheck({ ...given, platform: counting });
  const answers = await Promise.all([check(), check(), check()]);
  answers.push(await check());
  assert.equal(spawned, 1);
  for (const { ready } of answers) assert.equal(ready, true);
});

test("a shutdown is told at once, though the answer before is still fresh", async (t) => {
  let draining = false;
  const check = createReadinessCheck({ ...(await parts(t, GOOD)), isDraining: () => draining });
  assert.equal((await check()).ready, true);
  draining = true;
  const { ready, reasons, runsc_version } = await check();
  assert.deepEqual([ready, reasons, runsc_version], [false, ["shutting down"], "runsc version release-1"]);
});

test("a mkfs.erofs that is named but cannot be executed is a reason: images as directories were not asked for", async (t) => {
  const given = { ...(await parts(t, GOOD)), mkfsErofsPath: "/nosuch/mkfs.erofs" };
  const { ready, reasons } = await createReadinessCheck(given)();
  assert.deepEqual([ready, reasons], [false, ["/nosuch/mkfs.erofs cannot be executed: ENOENT"]]);
});
