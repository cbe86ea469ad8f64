import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmod, mkdir, readdir, readFile, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { runCommand } from "../../../scripts/setup/command.ts";
import { writeOciLayout } from "../../../scripts/setup/oci-layout.ts";
import { tempDirectory } from "../../support/temp-directory.ts";

const CREATED = new Date("2025-01-02T03:04:05Z");
const RECIPE = { architecture: "amd64", created: CREATED, env: ["PATH=/bin"], cmd: ["sh"] };

async function makeRootfs(rootfs: string): Promise<void> {
  await mkdir(join(rootfs, "bin"), { recursive: true });
  await writeFile(join(rootfs, "bin/tool"), "tool", { mode: 0o755 });
  await symlink("tool", join(rootfs, "bin/alias"));
  await writeFile(join(rootfs, "old"), "old");
  await utimes(join(rootfs, "old"), 1, 1);
  await mkdir(join(rootfs, "tmp"));
  await chmod(join(rootfs, "tmp"), 0o1777);
}

async function makeLayout(dir: string, name: string): Promise<string> {
  const rootfs = join(dir, `${name}-rootfs`);
  await makeRootfs(rootfs);
  const layout = join(dir, name);
  await mkdir(layout);
  await writeOciLayout(layout, rootfs, RECIPE);
  return layout;
}

const sha256 = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const blob = (layout: string, digest: string) => readFile(join(layout, "blobs", digest.replace(":", "/")));
const json = async (bytes: Promise<Buffer>) => JSON.parse((await bytes).toString());

test("a layout's digests and sizes are those of its blobs, from the index to the unpacked layer", async (t) => {
  const layout = await makeLayout(await tempDirectory(t), "layout");
  assert.deepEqual(await json(readFile(join(layout, "oci-layout"))), { imageLayoutVersion: "1.0.0" });
  const [entry] = (await json(readFile(join(layout, "index.json")))).manifests;
  const manifest = await json(blob(layout, entry.digest));
  const [layer] = manifest.layers;
  for (const { digest, size } of [entry, manifest.config, layer]) {
    const bytes = await blob(layout, digest);
    assert.deepEqual([sha256(bytes), bytes.length], [digest, size]);
  }
  const config = await json(blob(layout, manifest.config.digest));
  assert.deepEqual(config.rootfs.diff_ids, [sha256(gunzipSync(await blob(layout, layer.digest)))]);
  assert.deepEqual(config.config, { Env: ["PATH=/bin"], Cmd: ["sh"], WorkingDir: "/" });
  assert.deepEqual(
    [config.os, config.architecture, config.created],
    ["linux", "amd64", CREATED.toISOString()],
  );
  assert.equal((await readdir(join(layout, "blobs/sha256"))).length, 3);
});

test("a layer belongs to root, keeps modes and links, and has no time later than the image's", async (t) => {
  const layout = await makeLayout(await tempDirectory(t), "layout");
  const [entry] = (await json(readFile(join(layout, "index.json")))).manifests;
  const digest: string = (await json(blob(layout, entry.digest))).layers[0].digest;
  const tar = join(layout, "blobs", digest.replace(":", "/"));
  const list = await runCommand(["tar", "-tvzf", tar, "--numeric-owner", "--utc"], { env: { LC_ALL: "C" } });
  const lines = list
    .trim()
    .split("\n")
    .map((line) => line.replace(/\s+/g, " "));
  assert.deepEqual(lines.slice(1), [
    "drwxr-xr-x 0/0 0 2025-01-02 03:04 ./bin/",
    "lrwxrwxrwx 0/0 0 2025-01-02 03:04 ./bin/alias -> tool",
    "-rwxr-xr-x 0/0 4 2025-01-02 03:04 ./bin/tool",
    "-rw-r--r-- 0/0 3 1970-01-01 00:00 ./old",
    "drwxrwxrwt 0/0 0 2025-01-02 03:04 ./tmp/",
  ]);
});

test("equal content gives an equal digest, whenever it was made", async (t) => {
  const dir = await tempDirectory(t);
  const [one, two] = [await makeLayout(dir, "one"), await makeLayout(dir, "two")];
  assert.deepEqual(await readFile(join(one, "index.json")), await readFile(join(two, "index.json")));
});
