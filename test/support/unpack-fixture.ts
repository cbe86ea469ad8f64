import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unpackLayer } from "../../src/image/unpack/unpack-layer.ts";
import { createUnpackTarget, type UnpackLimits } from "../../src/image/unpack/unpack-target.ts";

export const TAR = "application/vnd.oci.image.layer.v1.tar";
export const AMPLE: UnpackLimits = { max_unpacked_bytes: 64 * 1024 * 1024, max_entries: 10_000 };

/** A stream of the given bytes, in chunks of `size`. */
export async function* chunksOf(bytes: Uint8Array, size = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Runs `use` with a new directory, and removes it. */
export async function withDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "boxer-unpack-"));
  try {
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Unpacks plain tar layers into a new root, runs `check` with its path, and removes it. */
export async function withLayers(
  layers: readonly Uint8Array[],
  check: (root: string) => Promise<void>,
  limits: UnpackLimits = AMPLE,
): Promise<void> {
  await withDirectory(async (directory) => {
    const root = join(directory, "root");
    const target = await createUnpackTarget(root, limits);
    for (const layer of layers) await unpackLayer(chunksOf(layer), TAR, target);
    await check(root);
  });
}

/**
 * What a tree holds, by path: `/` for a directory, `-> target` for a link, the text of a file. Order does not matter.
 */
export async function contentOf(root: string): Promise<Record<string, string>> {
  const content: Record<string, string> = {};
  for (const path of await pathsIn(root)) {
    const stats = await lstat(join(root, path));
    if (stats.isDirectory()) content[path] = "/";
    else if (stats.isSymbolicLink()) content[path] = `-> ${await readlink(join(root, path))}`;
    else content[path] = await readFile(join(root, path), "utf8");
  }
  return content;
}

/** Every path below a directory, links not followed, sorted. */
export async function pathsIn(directory: string, prefix = ""): Promise<string[]> {
  const paths: string[] = [];
  for (const entry of await readdir(join(directory, prefix), { withFileTypes: true })) {
    const path = join(prefix, entry.name);
    paths.push(path);
    if (entry.isDirectory()) paths.push(...(await pathsIn(directory, path)));
  }
  return paths.sort();
}

/** A directory beside the root that no layer may touch, and a way to tell whether one did. */
export interface Canary {
  readonly path: string;
  /** Everything about it that a write, a removal or a change of metadata would change. */
  state(): Promise<string>;
}

export async function createCanary(directory: string): Promise<Canary> {
  const path = join(directory, "canary");
  await mkdir(join(path, "sub"), { recursive: true });
  await writeFile(join(path, "secret"), "untouched", { mode: 0o640 });
  await writeFile(join(path, "sub", "file"), "untouched");
  await symlink("secret", join(path, "link"));
  return { path, state: () => stateOf(path) };
}

async function stateOf(directory: string): Promise<string> {
  const lines = [];
  for (const path of [".", ...(await pathsIn(directory))]) {
    const { mode, uid, gid, mtimeNs, ctimeNs, nlink, ino } = await lstat(join(directory, path), {
      bigint: true,
    });
    lines.push([path, mode, uid, gid, mtimeNs, ctimeNs, nlink, ino].join(" "));
  }
  lines.push(await readFile(join(directory, "secret"), "utf8"));
  return lines.join("\n");
}
