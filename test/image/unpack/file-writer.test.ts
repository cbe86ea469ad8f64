import assert from "node:assert/strict";
import { readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { FileWriter } from "../../../src/image/unpack/file-writer.ts";
import { withDirectory } from "../../support/unpack-fixture.ts";

const METADATA = { mode: 0o640, uid: 0, gid: 0, mtime_secs: 5 };

for (const size of [0, 100_000, 1_000_000]) {
  test(`a file of ${size} bytes has what was written, and its time`, () =>
    withDirectory(async (place) => {
      const path = join(place, "f");
      const content = Buffer.from(Array.from({ length: size }, (_, index) => index % 253));
      const file = new FileWriter(path, size, METADATA);
      for (let at = 0; at < size; at += 60_000) await file.write(content.subarray(at, at + 60_000));
      file.finish();
      assert.ok(readFileSync(path).equals(content));
      const { mode, mtimeMs } = statSync(path);
      assert.deepEqual([mode & 0o7777, mtimeMs], [0o640, 5000]);
    }));
}

test("no file is opened where something is, nor through a link", () =>
  withDirectory(async (place) => {
    writeFileSync(join(place, "f"), "kept");
    symlinkSync("f", join(place, "l"));
    symlinkSync("none", join(place, "dangling"));
    for (const name of ["f", "l", "dangling", "."]) {
      assert.throws(() => new FileWriter(join(place, name), 0, METADATA), { code: /EEXIST|EISDIR/ });
    }
    assert.equal(readFileSync(join(place, "f"), "utf8"), "kept");
  }));
