import { createHash, type Hash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { runCommand } from "./command.ts";

/** What an image's configuration says besides its layer; see the OCI image specification, config.md. */
export interface ImageRecipe {
  architecture: string;
  /** Time stamp of the image; every file that is newer gets it, so that equal content has an equal digest. */
  created: Date;
  env: string[];
  cmd: string[];
}

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
}

/**
 * Writes an OCI image layout with one image of one layer to `dir`, which must exist and be empty. All files of
 * `rootfs` belong to root in it, whoever owns them here.
 */
export async function writeOciLayout(dir: string, rootfs: string, recipe: ImageRecipe): Promise<void> {
  await mkdir(join(dir, "blobs/sha256"), { recursive: true });
  const { layer, diffId } = await writeLayer(dir, rootfs, recipe.created);
  const config = await writeJson(dir, "application/vnd.oci.image.config.v1+json", {
    created: recipe.created.toISOString(),
    architecture: recipe.architecture,
    os: "linux",
    config: { Env: recipe.env, Cmd: recipe.cmd, WorkingDir: "/" },
    rootfs: { type: "layers", diff_ids: [diffId] },
    history: [{ created: recipe.created.toISOString(), created_by: "boxer set-up" }],
  });
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const manifest = await writeJson(dir, mediaType, { schemaVersion: 2, mediaType, config, layers: [layer] });
  const annotations = { "org.opencontainers.image.ref.name": "latest" };
  const platform = { architecture: recipe.architecture, os: "linux" };
  await writeFile(join(dir, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  await writeFile(
    join(dir, "index.json"),
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...manifest, platform, annotations }] }),
  );
}

async function writeLayer(
  dir: string,
  rootfs: string,
  newest: Date,
): Promise<{ layer: Descriptor; diffId: string }> {
  const tar = join(dir, "layer.tar");
  const blob = join(dir, "layer.tar.gz");
  await runCommand(["tar", ...tarArguments(rootfs, newest), "-f", tar]);
  const tarHash = createHash("sha256");
  const blobHash = createHash("sha256");
  // Read from a file, not from a pipe: the compressed bytes depend on how the input is cut into chunks.
  const chunks = createReadStream(tar, { highWaterMark: 64 * 1024 });
  await pipeline(
    chunks,
    hashing(tarHash),
    createGzip({ level: 4 }),
    hashing(blobHash),
    createWriteStream(blob),
  );
  await rm(tar);
  const hex = blobHash.digest("hex");
  await rename(blob, join(dir, "blobs/sha256", hex));
  const { size } = await stat(join(dir, "blobs/sha256", hex));
  const mediaType = "application/vnd.oci.image.layer.v1.tar+gzip";
  return { layer: { mediaType, digest: `sha256:${hex}`, size }, diffId: `sha256:${tarHash.digest("hex")}` };
}

function tarArguments(rootfs: string, newest: Date): string[] {
  const mtime = `--mtime=@${Math.floor(newest.getTime() / 1000)}`;
  const owner = ["--owner=0", "--group=0", "--numeric-owner"];
  return ["-c", "--format=gnu", "--sort=name", ...owner, mtime, "--clamp-mtime", "-C", rootfs, "."];
}

function hashing(hash: Hash): Transform {
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
}

async function writeJson(dir: string, mediaType: string, value: unknown): Promise<Descriptor> {
  const bytes = Buffer.from(JSON.stringify(value));
  const hex = createHash("sha256").update(bytes).digest("hex");
  await writeFile(join(dir, "blobs/sha256", hex), bytes);
  return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
}
