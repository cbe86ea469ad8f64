import assert from "node:assert/strict";
import { test } from "node:test";
import { type OutputLimits, selectOutputs } from "../../src/files/select-outputs.ts";
import type { OutputEntry } from "../../src/files/walk-outputs.ts";

const LIMITS: OutputLimits = { max_bytes: 100, max_files: 3, max_depth: 4 };

function entry(type: string, path: string | Buffer, size_bytes = 1, mode = 0o644): OutputEntry {
  const bytes = Buffer.from(path);
  return { type, size_bytes, mode, path: bytes, depth: bytes.toString("latin1").split("/").length };
}

async function select(entries: OutputEntry[], limits: Partial<OutputLimits> = {}, max_path_bytes = 1000) {
  let examined = 0;
  const source = (async function* () {
    for (const one of entries) {
      examined += 1;
      yield one;
    }
  })();
  const { files, skipped, limit_exceeded } = await selectOutputs(
    source,
    { ...LIMITS, ...limits },
    max_path_bytes,
  );
  return { paths: files.map(({ path }) => path), files, skipped, limit_exceeded, examined };
}

test("regular files are kept, sorted by path; directories go without saying", async () => {
  const { files, skipped, limit_exceeded } = await select([
    entry("f", "b", 2),
    entry("d", "a"),
    entry("f", "a/x", 3, 0o755),
    entry("f", "a/é\n", 0),
  ]);
  assert.deepEqual(files, [
    { path: "a/x", size_bytes: 3, executable: true },
    { path: "a/é\n", size_bytes: 0, executable: false },
    { path: "b", size_bytes: 2, executable: false },
  ]);
  assert.deepEqual(skipped, []);
  assert.equal(limit_exceeded, null);
});

test("what is no regular file is skipped with its kind", async () => {
  const kinds = ["l", "p", "s", "b", "c", "D"];
  const { paths, skipped, limit_exceeded } = await select(kinds.map((kind) => entry(kind, `x/${kind}`)));
  assert.deepEqual(paths, []);
  assert.deepEqual(skipped, [
    { path: "x/l", reason: "it is a symbolic link" },
    { path: "x/p", reason: "it is a fifo" },
    { path: "x/s", reason: "it is a socket" },
    { path: "x/b", reason: "it is a block device" },
    { path: "x/c", reason: "it is a character device" },
    { path: "x/D", reason: "it is not a regular file" },
  ]);
  assert.equal(limit_exceeded, null);
});

test("names that are not UTF-8 are skipped, and do not keep the others", async () => {
  const { paths, skipped } = await select([
    entry("f", Buffer.from([0x61, 0x2f, 0xff])),
    entry("f", Buffer.from([0xed, 0xa0, 0x80])),
    entry("f", "\ufeffmark"),
    entry("f", "\ufffd"),
  ]);
  assert.deepEqual(skipped, [
    { path: "a/\ufffd", reason: "its name is not UTF-8" },
    { path: "\ufffd\ufffd\ufffd", reason: "its name is not UTF-8" },
  ]);
  assert.deepEqual(paths, ["\ufeffmark", "\ufffd"]);
});

test("a path that could not be stored is skipped, and shown in part", async () => {
  const { paths, skipped } = await select(
    [entry("f", "é".repeat(200)), entry("f", "é".repeat(600))],
    {},
    400,
  );
  assert.deepEqual(paths, ["é".repeat(200)]);
  assert.deepEqual(skipped, [{ path: "é".repeat(255), reason: "its path is too long" }]);
});

test("as many files as the limit are kept; one more ends the walk", async () => {
  const files = ["a", "b", "c"].map((path) => entry("f", path));
  assert.equal((await select(files)).limit_exceeded, null);
  const { paths, limit_exceeded, examined } = await select([...files, entry("f", "d"), entry("f", "e")]);
  assert.deepEqual(paths, ["a", "b", "c"]);
  assert.equal(limit_exceeded, "files");
  assert.equal(examined, 4);
});

test("as many bytes as the limit are kept; a file beyond is left out with the reason, and what still fits is kept", async () => {
  const files = [entry("f", "a", 60), entry("f", "b", 40)];
  assert.equal((await select(files)).limit_exceeded, null);
  const { paths, skipped, limit_exceeded } = await select([
    entry("f", "a", 60),
    entry("f", "b", 41),
    entry("f", "c", 40),
    entry("f", "d", 1),
  ]);
  assert.deepEqual(paths, ["a", "c"]);
  assert.deepEqual(
    skipped.map(({ path, reason }) => `${path}: ${reason}`),
    ["b: it does not fit into the limit of 100 bytes", "d: it does not fit into the limit of 100 bytes"],
  );
  assert.equal(limit_exceeded, "bytes");
});

test("what is nested too deep is left out, and the rest is kept", async () => {
  const { paths, skipped, limit_exceeded } = await select(
    [entry("f", "a/b"), entry("d", "a/b/c"), entry("f", "z")],
    { max_depth: 2 },
  );
  assert.deepEqual(paths, ["a/b", "z"]);
  assert.deepEqual(skipped, [{ path: "a/b/c", reason: "it is nested deeper than 2 levels" }]);
  assert.equal(limit_exceeded, "depth");
});

for (const kind of ["d", "l"]) {
  test(`entries that are no files (${kind}) end the walk as well when there are very many`, async () => {
    const { limit_exceeded, examined, skipped } = await select(
      Array.from({ length: 3000 }, (_, index) => entry(kind, String(index))),
    );
    assert.equal(limit_exceeded, "files");
    assert.ok(examined < 2000);
    assert.ok(skipped.length <= 100);
  });
}
