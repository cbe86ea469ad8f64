import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ensureTool } from "../../../scripts/setup/tools.ts";
import { fakeProgram, offlineContext } from "../../support/setup-context.ts";
import { tempDirectory } from "../../support/temp-directory.ts";

const TOOL = { program: "mkfs.erofs", package: "erofs-utils" };

test("a program in PATH is taken as it is, and nothing is made", async (t) => {
  const dir = await tempDirectory(t);
  const path = await fakeProgram(join(dir, "path/mkfs.erofs"), "exit 0");
  assert.equal(await ensureTool(await offlineContext(dir), TOOL), path);
  await assert.rejects(stat(join(dir, "home")), { code: "ENOENT" });
});

test("one that an earlier set-up kept goes before the one in PATH, as it does for the server", async (t) => {
  const dir = await tempDirectory(t);
  await fakeProgram(join(dir, "path/mkfs.erofs"), "exit 0");
  const kept = await fakeProgram(join(dir, "home/bin/mkfs.erofs"), "exit 0");
  assert.equal(await ensureTool(await offlineContext(dir), TOOL), kept);
});

test("a program that cannot be had is an error that says what to install", async (t) => {
  const context = await offlineContext(await tempDirectory(t));
  const message = 'Install mkfs.erofs ("apt install erofs-utils"): no archive here';
  await assert.rejects(ensureTool(context, TOOL), { name: "SetupError", message });
});
