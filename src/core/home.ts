import { join } from "node:path";

/** Where each kind of data lives under the configured `home`. All but `runs` are on one file system, so renames are atomic. */
export interface Home {
  readonly root: string;
  /** SQLite file whose exclusive lock says that a server owns this home. */
  readonly lock: string;
  /** Blobs, rootfs files and the index of references; owned by `image/`. */
  readonly images: string;
  /** Uploaded files, and captured outputs under `output/{exec_id}`; owned by `files/`. */
  readonly files: string;
  /** Uploads on their way in; emptied at start. */
  readonly uploads: string;
  /** One directory per run in flight; emptied at start. In memory, where the server may mount. */
  readonly runs: string;
  /** What a run in flight has on the file system of `files`: its input files, as hard links; emptied at start. */
  readonly inputs: string;
  /** SQLite file of the runs that have ended; owned by `run/records/`. */
  readonly runRecords: string;
  /** Notes the cgroups that runs were in; owned by `sandbox/cgroup/`. */
  readonly cgroups: string;
  /** Stays empty: the formal root of every bundle, whose real one is the image. */
  readonly emptyRoot: string;
}

/** The layout of a home directory; touches nothing. */
export function homeAt(root: string): Home {
  return {
    root,
    lock: join(root, "lock.sqlite"),
    images: join(root, "images"),
    files: join(root, "files"),
    uploads: join(root, "uploads"),
    runs: join(root, "runs"),
    inputs: join(root, "inputs"),
    runRecords: join(root, "records.sqlite"),
    cgroups: join(root, "cgroups.json"),
    emptyRoot: join(root, "empty"),
  };
}
