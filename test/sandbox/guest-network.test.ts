import assert from "node:assert/strict";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Platform } from "../../src/platform/platform.ts";
import { runCommand } from "../../src/platform/run-command.ts";
import { besideInputs, mistakesNamespaces, withHiddenSysctl } from "../../src/sandbox/guest-network.ts";
import { platform } from "../support/platform.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const skip = process.geteuid?.() !== 0 && "mounting needs root";

test("a command does not see the sysctls of its network, and everybody else does", { skip }, async (t) => {
  const empty = join(await tempDirectory(t), "a b");
  await mkdir(empty);
  const look = ["sh", "-c", 'test -z "$(ls -A /proc/sys/net)" && test "$0" = "with spaces"', "with spaces"];
  assert.deepEqual(await runCommand(platform, withHiddenSysctl(look, empty)), {
    succeeded: true,
    stderr: "",
  });
  assert.ok((await readdir("/proc/sys/net")).includes("core"));
});

test("a command is not started when nothing can be hidden", { skip }, async () => {
  const { succeeded } = await runCommand(platform, withHiddenSysctl(["true"], "/nonexistent"));
  assert.equal(succeeded, false);
});

test("no word of the command is empty or has two lines, as a launcher cannot pass that on", () => {
  for (const word of withHiddenSysctl(["a"], "/empty")) assert.match(word, /^.+$/);
});

test("where there is no unshare, nothing is mistaken", async () => {
  const spawn: Platform["spawn"] = () => {
    throw new Error("ENOENT");
  };
  assert.equal(await mistakesNamespaces({ spawn }), false);
});

describe("what a guest brings itself goes first", () => {
  const files = ["/etc/resolv.conf", "/etc/hosts"].map((destination) => ({ source: "/h", destination }));
  const cases: [string, string[]][] = [
    ["/etc/resolv.conf", ["/etc/hosts"]],
    ["/etc", []],
    ["/etc/hosts/x", ["/etc/resolv.conf"]],
    ["/etc/resolv.conf.d", ["/etc/resolv.conf", "/etc/hosts"]],
    ["/et", ["/etc/resolv.conf", "/etc/hosts"]],
  ];
  for (const [destination, kept] of cases) {
    test(destination, () => {
      assert.deepEqual(
        besideInputs(files, [{ destination }]).map((file) => file.destination),
        kept,
      );
    });
  }
});
