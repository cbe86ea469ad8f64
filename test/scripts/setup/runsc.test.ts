import assert from "node:assert/strict";
import { readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { ensureRunsc } from "../../../scripts/setup/runsc.ts";
import { fakeProgram, offlineContext } from "../../support/setup-context.ts";
import { tempDirectory } from "../../support/temp-directory.ts";

const GOOD = "exit 0";
const BAD = "echo 'it is broken' >&2; exit 2";

describe("runsc is found", () => {
  it("in PATH, and is not tried again until it changes", async (t) => {
    const dir = await tempDirectory(t);
    const path = await fakeProgram(join(dir, "path", "runsc"), GOOD);
    await utimes(path, 1, 1);
    assert.equal(await ensureRunsc(await offlineContext(dir)), path);
    // A bad one that looks the same from outside passes: it was not tried.
    await fakeProgram(path, "exit 1");
    await utimes(path, 1, 1);
    assert.equal(await ensureRunsc(await offlineContext(dir)), path);
    await utimes(path, 1, 2);
    await assert.rejects(ensureRunsc(await offlineContext(dir)), /ended with exit code 1/);
  });

  it("where an earlier set-up kept it, before PATH", async (t) => {
    const dir = await tempDirectory(t);
    await fakeProgram(join(dir, "path", "runsc"), GOOD);
    const kept = await fakeProgram(join(dir, "home/bin/runsc"), GOOD);
    assert.equal(await ensureRunsc(await offlineContext(dir)), kept);
  });

  it("in PATH when the kept one has gone bad, which is then removed for the server not to prefer it", async (t) => {
    const dir = await tempDirectory(t);
    const path = await fakeProgram(join(dir, "path", "runsc"), GOOD);
    const kept = await fakeProgram(join(dir, "home/bin/runsc"), BAD);
    assert.equal(await ensureRunsc(await offlineContext(dir)), path);
    await assert.rejects(stat(kept), { code: "ENOENT" });
  });

  it("as configured, and nowhere else", async (t) => {
    const dir = await tempDirectory(t);
    await fakeProgram(join(dir, "path", "runsc"), GOOD);
    const path = await fakeProgram(join(dir, "mine"), GOOD);
    assert.equal(await ensureRunsc(await offlineContext(dir, { runsc_path: path })), path);
    await rm(path);
    await fakeProgram(path, BAD);
    await assert.rejects(
      ensureRunsc(await offlineContext(dir, { runsc_path: path })),
      /The configured runsc_path cannot be used; .*mine: .*it is broken/,
    );
    await assert.rejects(ensureRunsc(await offlineContext(dir, { runsc_path: join(dir, "none") })), /ENOENT/);
  });
});

describe("where no runsc is good", () => {
  it("the error says what to do and what was tried, and the machine's own is left as it is", async (t) => {
    const dir = await tempDirectory(t);
    const path = await fakeProgram(join(dir, "path", "runsc"), BAD);
    const before = await readFile(path);
    await assert.rejects(ensureRunsc(await offlineContext(dir)), (error: Error) => {
      assert.match(error.message, /^No usable runsc for platform systrap\. Install gVisor's runsc in PATH/);
      assert.match(error.message, /path\/runsc: .*it is broken/);
      assert.match(error.message, /Debian's package: no archive here/);
      assert.match(error.message, /gVisor's release: Cannot reach/);
      return true;
    });
    assert.deepEqual(await readFile(path), before);
    await assert.rejects(stat(join(dir, "home/bin/runsc")), { code: "ENOENT" });
  });

  it("a kept one stays: another platform may be configured tomorrow", async (t) => {
    const dir = await tempDirectory(t);
    const kept = await fakeProgram(join(dir, "home/bin/runsc"), BAD);
    await assert.rejects(ensureRunsc(await offlineContext(dir, { platform: "kvm" })), /platform kvm/);
    await stat(kept);
  });

  it("a program that cannot even be started is a reason, not a crash", async (t) => {
    const dir = await tempDirectory(t);
    await fakeProgram(join(dir, "path", "runsc"), "");
    await writeFile(join(dir, "path", "runsc"), "#!/nonexistent/interpreter\n");
    await assert.rejects(ensureRunsc(await offlineContext(dir)), /path\/runsc: Cannot run .*runsc/);
  });
});
