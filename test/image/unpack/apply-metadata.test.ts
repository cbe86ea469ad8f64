import assert from "node:assert/strict";
import { closeSync, lstatSync, mkdirSync, openSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  applyMetadata,
  applyMetadataToFile,
  applyMetadataToLink,
} from "../../../src/image/unpack/apply-metadata.ts";
import { withDirectory } from "../../support/unpack-fixture.ts";

const privileged = process.geteuid?.() === 0;
const metadata = { mode: 0o6711, uid: 12_345, gid: 4_000_000_000, mtime_secs: 1_700_000_000.5 };
const owner = privileged ? [12_345, 4_000_000_000] : [process.geteuid?.(), process.getegid?.()];

test("a file gets owner, permissions with setuid, and time", () =>
  withDirectory(async (place) => {
    const path = join(place, "f");
    const fd = openSync(path, "w");
    applyMetadataToFile(fd, metadata);
    closeSync(fd);
    const { mode, uid, gid, mtimeMs } = statSync(path);
    assert.deepEqual([mode & 0o7777, uid, gid, mtimeMs], [0o6711, ...owner, 1_700_000_000_500]);
  }));

test("a directory gets owner, permissions with setgid and sticky, and time", () =>
  withDirectory(async (place) => {
    const path = join(place, "d");
    mkdirSync(path);
    applyMetadata(path, { ...metadata, mode: 0o3755 });
    const { mode, uid, gid, mtimeMs } = statSync(path);
    assert.deepEqual([mode & 0o7777, uid, gid, mtimeMs], [0o3755, ...owner, 1_700_000_000_500]);
  }));

test("a link gets owner and time itself, not what it points to", () =>
  withDirectory(async (place) => {
    const path = join(place, "l");
    writeFileSync(join(place, "f"), "");
    symlinkSync("f", path);
    const before = statSync(path);
    applyMetadataToLink(path, metadata);
    const { uid, gid, mtimeMs } = lstatSync(path);
    assert.deepEqual([uid, gid, mtimeMs], [...owner, 1_700_000_000_500]);
    assert.deepEqual([statSync(path).uid, statSync(path).mtimeMs], [before.uid, before.mtimeMs]);
  }));

test("a link to a directory is no directory", () =>
  withDirectory(async (place) => {
    mkdirSync(join(place, "d"), 0o700);
    symlinkSync("d", join(place, "l"));
    assert.throws(() => applyMetadata(join(place, "l"), metadata), { code: /ENOTDIR|ELOOP/ });
    assert.equal(statSync(join(place, "d")).mode & 0o7777, 0o700);
  }));
