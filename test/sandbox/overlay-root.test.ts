import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { runCommand } from "../../src/platform/run-command.ts";
import {
  NOT_MOUNTED,
  overlayRootFault,
  overlayRootOf,
  withOverlayRoot,
} from "../../src/sandbox/overlay-root.ts";
import { platform } from "../support/platform.ts";
import { type TestContext, tempDirectory } from "../support/temp-directory.ts";

const rootless = process.geteuid?.() !== 0;

/** A tree in a directory whose name means something to mount(8), and a run directory's root. */
async function places(t: TestContext) {
  const home = join(await tempDirectory(t), "a,b:c d\\e");
  const [rootfs, root] = [join(home, "image", "rootfs"), join(home, "root")];
  await mkdir(rootfs, { recursive: true });
  await writeFile(join(rootfs, "file"), "lower");
  await mkdir(root);
  return { home, rootfs, root, directory: { root, log: join(home, "log") } };
}

test("a command sees the tree, writes to it, and leaves neither a change nor a mount", async (t) => {
  const { home, rootfs, root, directory } = await places(t);
  await writeFile(directory.log, NOT_MOUNTED);
  const merged = overlayRootOf({ root });
  const script =
    'cd "$1" && test "$(cat file)" = lower && echo upper > file && mkdir -p new/deep && rmdir /nosuch';
  const argv = withOverlayRoot(["sh", "-c", script, "sh", merged], rootfs, directory, rootless);
  const { succeeded, stderr } = await runCommand(platform, argv);
  assert.equal(succeeded, false);
  assert.match(stderr, /^rmdir: .*nosuch/);
  assert.deepEqual(await readdir(rootfs), ["file"]);
  assert.equal(await readFile(join(rootfs, "file"), "utf8"), "lower");
  assert.deepEqual(await readdir(root), []);
  assert.ok(!(await readFile("/proc/self/mounts", "utf8")).includes("a,b:c"));
  assert.deepEqual((await readdir(home)).sort(), ["image", "log", "root"]);
  assert.equal(await readFile(directory.log, "utf8"), "");
});

test("a command is not started when something cannot be mounted", async (t) => {
  const { rootfs, root, directory } = await places(t);
  await writeFile(directory.log, NOT_MOUNTED);
  const argv = withOverlayRoot(
    ["touch", join(root, "started")],
    join(rootfs, "no", "rootfs"),
    directory,
    rootless,
  );
  assert.equal((await runCommand(platform, argv)).succeeded, false);
  assert.deepEqual(await readdir(root), []);
  assert.equal(await readFile(directory.log, "utf8"), NOT_MOUNTED);
});

test("whether it works here is found out without a trace", async (t) => {
  const { home } = await places(t);
  assert.equal(await overlayRootFault(platform, home, rootless), null);
  assert.deepEqual((await readdir(home)).sort(), ["image", "root"]);
});

test("a host without the tools is told by what is missing", async (t) => {
  const { home } = await places(t);
  const bare = {
    spawn: () => {
      throw Object.assign(new Error("unshare: not there"), { code: "ENOENT" });
    },
  };
  assert.equal(await overlayRootFault(bare, home, rootless), "unshare: not there");
  assert.deepEqual((await readdir(home)).sort(), ["image", "root"]);
});
