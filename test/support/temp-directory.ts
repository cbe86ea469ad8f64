import { rmSync } from "node:fs";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The part of `node:test`'s context that gives something back after the test. */
export interface TestContext {
  after(undo: () => unknown): void;
}

/** Makes a new directory and removes it after the test; returns its path without symbolic links. */
export async function tempDirectory(t: TestContext): Promise<string> {
  const path = await realpath(await mkdtemp(join(tmpdir(), "boxer-test-")));
  t.after(() => rm(path, { recursive: true, force: true }));
  // Deno does not call what a test inside a group registers, but tells of the end of each test file.
  addEventListener("unload", () => rmSync(path, { recursive: true, force: true }));
  return path;
}
