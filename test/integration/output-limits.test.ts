import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { guestsUp } from "../support/guests-up.ts";
import { assertNothingLeft, sandboxesOf, until } from "../support/leftovers.ts";
import { noCgroups } from "../support/no-cgroups.ts";
import { noMounts } from "../support/no-mounts.ts";
import { PYTHON, type RunAnswer, startTestService, type TestService } from "../support/service.ts";

const MIB = 1 << 20;
const KEPT_FIRST = "open('/output/a-result', 'w').write('kept')\n";
const NO_SPACE = "except OSError as error:\n  assert error.errno == 28, error\n";

/** Guests that go on after the limit was reached, until somebody ends them. */
const ENDLESS: Record<string, string> = {
  "one huge file": `
try:
  with open('/output/big', 'wb') as big:
    while True: big.write(b'x' * 65536)
${NO_SPACE}`,
  "a million empty files": `
try:
  for name in range(1000000): open(f'/output/{name}', 'w').close()
${NO_SPACE}`,
  "nested directories": `
import os
os.chdir('/output')
try:
  for depth in range(20000):
    os.mkdir('d')
    os.chdir('d')
${NO_SPACE}`,
  "links of every kind": `
import os
try:
  for name in range(1000000): (os.symlink if name % 2 else os.link)('/output/a-result', f'/output/{name}')
${NO_SPACE}`,
  "a file that has no name any more": `
import os
big = os.open('/output/big', os.O_CREAT | os.O_WRONLY)
os.unlink('/output/big')
try:
  while True: os.write(big, b'x' * 65536)
${NO_SPACE}`,
};

describe("a guest that floods /output", { skip: noMounts() }, () => {
  let service: TestService;
  before(async () => {
    service = await startTestService({ output_files_limit_bytes: 4 * MIB, output_files_limit_count: 100 });
  });
  after(() => service.stop());

  const python = (code: string, more: Record<string, unknown> = {}): Promise<RunAnswer> =>
    service.run({ image: PYTHON, cmd: ["python3", "-c", code], persist: true, ...more });
  const assertKept = async ({ body }: RunAnswer) => {
    const path = `output/${body.exec_id}/a-result`;
    assert.equal(await (await service.fetch(`/files?path=${path}`)).text(), "kept", JSON.stringify(body));
  };

  for (const [name, code] of Object.entries(ENDLESS)) {
    it(`with ${name} is stopped while it runs`, async () => {
      const answer = await python(
        `${KEPT_FIRST}${code}\nprint('full', flush=True)\nimport time\ntime.sleep(60)`,
      );
      const { status, body } = answer;
      assert.deepEqual([status, body.code, body.signal], [507, "output_files_limit", "SIGKILL"], body.error);
      // The look at /output may come before the guest's own.
      assert.match(body.stdout, /^(full\n)?$/);
      assert.ok(body.outputs.length <= 100);
      if (body.outputs.length < 100) await assertKept(answer);
      await assertNothingLeft(service.home);
    });
  }

  for (const name of ["one huge file", "nested directories"]) {
    it(`with ${name}, and ends as soon as it can, is told so whether it was stopped or not`, async () => {
      const answer = await python(`${KEPT_FIRST}${ENDLESS[name]}\nraise SystemExit(7)`);
      const { status, body } = answer;
      assert.deepEqual([status, body.code], [507, "output_files_limit"], body.error);
      assert.ok([7, 137].includes(body.exit_code), body.exit_code);
      await assertKept(answer);
      await assertNothingLeft(service.home);
    });
  }

  it("through a mapping of a file gets a SIGBUS or is stopped, and the sandbox no harm", async () => {
    const { status, body } = await python(`
import mmap, os
file = os.open('/output/x', os.O_RDWR | os.O_CREAT)
os.ftruncate(file, 64 << 20)
view = mmap.mmap(file, 64 << 20)
for at in range(0, 64 << 20, 4096): view[at] = 1`);
    assert.deepEqual([status, body.code], [507, "output_files_limit"], body.error);
    // The look at /output may come first.
    assert.ok(["SIGBUS", "SIGKILL"].includes(body.signal), body.signal);
    await assertNothingLeft(service.home);
  });

  it("in vain, because the system refuses so much at once, is none that left too much", async () => {
    const { status, body } = await python(`
import os
try:
  os.posix_fallocate(os.open('/output/big', os.O_CREAT | os.O_WRONLY), 0, 1 << 30)
${NO_SPACE}
os.remove('/output/big')
${KEPT_FIRST}`);
    assert.deepEqual([status, body.status, body.outputs.length], [200, "ok", 1]);
  });

  it("with exactly as much as is allowed is ok, and one byte more is not", async () => {
    const write = (bytes: number) =>
      python(`
for name in range(99): open(f'/output/{name}', 'w').write('x')
open('/output/rest', 'wb').write(b'x' * (${bytes} - 99))`);
    const exact = await write(4 * MIB);
    assert.deepEqual([exact.status, exact.body.status, exact.body.outputs.length], [200, "ok", 100]);
    const more = await write(4 * MIB + 1);
    assert.deepEqual(
      [more.status, more.body.code, more.body.outputs.length],
      [507, "output_files_limit", 99],
    );
  });

  it("with awkward names and links in circles is ok, without what cannot be kept", async () => {
    const { status, body } = await python(`
import os
os.chdir('/output')
for name in [b'line\\nbreak', b'not utf-8 \\xff', b'-rf', 'é'.encode()]: open(name, 'w').write('x')
os.symlink('loop-b', 'loop-a'); os.symlink('loop-a', 'loop-b'); os.symlink('.', 'self'); os.symlink('/', 'root')`);
    assert.deepEqual([status, body.status], [200, "ok"]);
    const below = (path: string) => path.slice(`output/${body.exec_id}/`.length);
    assert.deepEqual(
      body.outputs.map(({ path }: { path: string }) => below(path)),
      ["-rf", "line\nbreak", "é"],
    );
    assert.deepEqual(body.outputs_skipped.map(({ path }: { path: string }) => path).sort(), [
      "loop-a",
      "loop-b",
      "not utf-8 \ufffd",
      "root",
      "self",
    ]);
    await assertNothingLeft(service.home);
  });

  it("with 90 holes of a terabyte is told so, and the disk takes none of them", async () => {
    const { status, body } = await python(`
for name in range(90): open(f'/output/{name}', 'w').truncate(1 << 40)
${KEPT_FIRST}`);
    assert.deepEqual([status, body.code, body.outputs.length], [507, "output_files_limit", 1]);
    await assertNothingLeft(service.home);
  });
});

describe("/output, to its guest", { skip: noMounts() }, () => {
  let service: TestService;
  before(async () => {
    service = await startTestService();
  });
  after(() => service.stop());

  it("runs scripts and programs that it wrote there", async () => {
    const { body } = await service.run({
      image: PYTHON,
      cmd: [
        "sh",
        "-c",
        "cd /output && printf '#!/bin/sh\\necho script\\n' > s && cp $(readlink -f $(command -v python3)) p && chmod +x s p && ./s && ./p -c 'print(\"program\")'",
      ],
    });
    assert.deepEqual([body.status, body.stdout], ["ok", "script\nprogram\n"], body.stderr);
  });

  it("is what comes back, byte for byte", async () => {
    const { body } = await service.run({
      image: PYTHON,
      cmd: [
        "python3",
        "-c",
        "open('/output/x','wb').write(bytes(range(256)) * 40000); open('/output/none','w')",
      ],
      persist: true,
    });
    const download = await service.fetch(`/files?path=output/${body.exec_id}/x`);
    const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
    const expected = Buffer.alloc(256 * 40000, Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)));
    assert.equal(digest(new Uint8Array(await download.arrayBuffer())), digest(expected));
    assert.ok((await stat(join(service.home, "files/output", body.exec_id))).isDirectory());
  });

  it("is a mount of its own run only: what the mount namespace of a later one keeps of it is empty", async () => {
    const run = (script: string) => service.run({ cmd: ["sh", "-c", script] });
    const stop = () => service.runner.stop(service.runner.active()[0]?.exec_id ?? "");
    const first = run(": > /output/up; sleep 60");
    const [output = ""] = await guestsUp(service.home);
    const second = run("ls /output; : > /output/up; sleep 60");
    await guestsUp(service.home, 2);
    stop();
    await first;
    const others = await sandboxesOf(service.home);
    assert.notEqual(others.length, 0);
    for (const { pid } of others) {
      const kept = `/proc/${pid}/root${output}`;
      await until(async () => (await readdir(kept).catch(() => [])).length === 0);
    }
    stop();
    assert.equal((await second).body.stdout, "");
    await assertNothingLeft(service.home);
  });
});

describe("what is written to /output", { skip: noMounts() || noCgroups() }, () => {
  let service: TestService;
  before(async () => {
    service = await startTestService({ ignore_cgroups: false, output_files_limit_bytes: 1000 * MIB });
  });
  after(() => service.stop());

  it("counts as memory of the run", async () => {
    const write = (memory_mb: number) =>
      service.run({ cmd: ["sh", "-c", "head -c 200000000 /dev/zero > /output/x"], limits: { memory_mb } });
    const enough = await write(512);
    assert.deepEqual([enough.status, enough.body.status], [200, "ok"]);
    const little = await write(64);
    assert.equal(little.body.exit_code, 137, JSON.stringify(little.body));
    await assertNothingLeft(service.home);
  });
});
