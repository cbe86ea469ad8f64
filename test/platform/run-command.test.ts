import assert from "node:assert/strict";
import { test } from "node:test";
import { runCommand } from "../../src/platform/run-command.ts";
import { platform } from "../support/platform.ts";

test("a command that succeeds says so", async () => {
  assert.deepEqual(await runCommand(platform, ["true"]), { succeeded: true, stderr: "" });
});

test("a command that fails gives the beginning of its complaint, however long that is", async () => {
  const script = "echo first >&2; yes x | head -c 1000000 >&2; yes y | head -c 1000000; exit 3";
  const { succeeded, stderr } = await runCommand(platform, ["sh", "-c", script]);
  assert.equal(succeeded, false);
  assert.match(stderr, /^first\nx\nx\n/);
  assert.ok(stderr.length <= 2000);
});

test("a command that there is none of is an error", async () => {
  await assert.rejects(runCommand(platform, ["boxer-no-such-command"]), { code: "ENOENT" });
});
