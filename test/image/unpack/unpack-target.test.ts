import assert from "node:assert/strict";
import { mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createUnpackTarget } from "../../../src/image/unpack/unpack-target.ts";
import { AMPLE, withDirectory } from "../../support/unpack-fixture.ts";

test("a root without layers is an empty directory of mode 755 without a time", () =>
  withDirectory(async (place) => {
    const root = join(place, "root");
    await createUnpackTarget(root, AMPLE);
    const { mode, mtimeMs } = statSync(root);
    assert.deepEqual([mode & 0o7777, mtimeMs, readdirSync(root)], [0o755, 0, []]);
  }));

test("a directory that is there already is not taken for a root", () =>
  withDirectory(async (place) => {
    mkdirSync(join(place, "root"));
    await assert.rejects(createUnpackTarget(join(place, "root"), AMPLE), { code: "EEXIST" });
  }));

test("bounds are passed by the first byte and entry too many", () =>
  withDirectory(async (place) => {
    const target = await createUnpackTarget(join(place, "root"), { max_unpacked_bytes: 10, max_entries: 2 });
    target.countBytes(4);
    target.countBytes(6);
    assert.throws(() => target.countBytes(1), { code: "image_invalid", message: /more than 10 bytes/ });
    target.countEntry();
    target.countEntry();
    assert.throws(() => target.countEntry(), { code: "image_invalid", message: /more than 2 entries/ });
  }));
