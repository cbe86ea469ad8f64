import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { silentLog } from "../../src/core/log.ts";
import { type FileStore, type FileStoreOptions, openFileStore } from "../../src/files/file-store.ts";
import { platform } from "./platform.ts";

/** A file store in a directory of its own. */
export interface TestStore {
  readonly store: FileStore;
  readonly root: string;
  readonly staging: string;
  /** A directory on the store's file system, for a run's inputs and outputs. */
  readonly runs: string;
  /** Uploads a text. */
  put(path: string, text: string): Promise<string>;
  /** All contents of a file. */
  get(path: string): Promise<string>;
  /** All paths in the store, directories with a slash at the end, sorted. */
  list(): Promise<string[]>;
  remove(): Promise<void>;
}

/** Neither quota nor expiry. */
export const UNBOUNDED = { files_ttl_secs: null, files_quota_bytes: null, files_fsync: false };

/** Makes an empty store. The caller removes it. */
export async function openTestStore(
  options: Partial<Pick<FileStoreOptions, "config" | "now">> = {},
): Promise<TestStore> {
  const home = await mkdtemp(join(tmpdir(), "boxer-files-"));
  const [root, staging, runs] = [join(home, "files"), join(home, "uploads"), join(home, "runs")];
  await mkdir(runs);
  const store = await openFileStore({
    root,
    staging,
    log: silentLog,
    platform,
    config: UNBOUNDED,
    ...options,
  });
  return {
    store,
    root,
    staging,
    runs,
    put: async (path, text) => (await store.stage(chunksOf(text), Number.POSITIVE_INFINITY)).keepAs(path),
    async get(path) {
      const file = await store.open(path);
      const body = await file.body({ start: 0, length: file.size_bytes });
      return Buffer.from(await new Response(body).arrayBuffer()).toString();
    },
    list: () => listTree(root),
    async remove() {
      await store.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** A text as a stream of chunks. */
export async function* chunksOf(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}

/** What lies below a directory, directories with a slash at the end, sorted. */
export async function listTree(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .map((entry) => {
      const path = join(entry.parentPath, entry.name).slice(directory.length + 1);
      return entry.isDirectory() ? `${path}/` : path;
    })
    .sort();
}

/** Paths below a directory that this process has open. */
export async function openFilesBelow(directory: string): Promise<string[]> {
  const descriptors = await readdir("/proc/self/fd");
  const targets = await Promise.all(descriptors.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")));
  return targets.filter((target) => target.startsWith(directory));
}

/** Makes empty files in a directory; `names` are in the notation of printf(1), so that they can be any bytes. */
export async function touch(directory: string, ...names: string[]): Promise<void> {
  const script = 'cd "$1"; shift; for name; do true > "$(printf "$name")"; done';
  await promisify(execFile)("sh", ["-e", "-c", script, "sh", directory, ...names]);
}

/** Makes the empty files `1`, `2`, … in a directory. */
export async function touchMany(directory: string, count: number): Promise<void> {
  await promisify(execFile)("sh", [
    "-c",
    'cd "$1" && seq 1 "$2" | xargs touch',
    "sh",
    directory,
    String(count),
  ]);
}
