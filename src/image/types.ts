import type { Digest } from "./digest.ts";
import type { PullStatus } from "./progress/pull-status.ts";

/** What an image says about how it wants to be run, from its config blob. Absent fields are empty. */
export interface ImageConfig {
  /** `KEY=value`; entries of another form are left out. */
  readonly env: readonly string[];
  /** Absolute; `/` where the image names none. */
  readonly working_dir: string;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  /** As written: a name or number, with or without `:group`; empty where the image names none. */
  readonly user: string;
}

/**
 * Whom the USER of an image's configuration means, looked up in its own /etc/passwd and /etc/group. `gid` is null where
 * neither names a group. An image may ask for somebody whom it does not have: `unknown` says why nobody was found, to
 * end a sentence about the image.
 */
export type ImageUser = { readonly uid: number; readonly gid: number | null } | { readonly unknown: string };

/** How a root file system is kept: in one EROFS file, or as a directory where the host has no mkfs.erofs. */
export type RootfsType = "erofs" | "directory";

/** An image that is ready to run. */
export interface Image {
  /** Digest of the manifest of our platform, always sha256. */
  readonly digest: Digest;
  /** The normalised reference that it was asked for by. */
  readonly reference: string;
  /** Path of the EROFS file, or the directory, with the flattened layers. Immutable: all runs share it. */
  readonly rootfs: string;
  readonly rootfs_type: RootfsType;
  readonly config: ImageConfig;
  readonly user: ImageUser;
  /** What the root file system takes on the disk. */
  readonly size_bytes: number;
}

/** An image in use: it stays on disk until released. */
export interface ImageLease {
  readonly image: Image;
  /** May be called more than once. */
  release(): void;
}

/** Whether to ask the registry: only for what is absent or aged, each time, or not at all. */
export type PullPolicy = "missing" | "always" | "never";

/** One image of the store, as shown to an operator. */
export interface ImageSummary {
  readonly digest: Digest;
  readonly size_bytes: number;
  readonly layers: number;
  /** When the image says it was made; undefined where it does not say. */
  readonly created_at_ms: number | undefined;
  readonly pulled_at_ms: number;
  /** When it was last acquired or released, or undefined. A killed process may forget its last seconds. */
  readonly last_used_at_ms: number | undefined;
  /** Acquisitions, ever. */
  readonly uses: number;
  /** Leases that are not released yet. */
  readonly in_use: number;
  readonly references: readonly ReferenceSummary[];
}

/** One name of an image. */
export interface ReferenceSummary {
  readonly reference: string;
  /** Imported names are not looked up in a registry unless a pull is asked for. */
  readonly imported: boolean;
  /** When the registry last said that the name stands for this image. */
  readonly checked_at_ms: number;
  /** Why the registry could not be asked when it was last tried, or undefined. */
  readonly unreachable: string | undefined;
}

/** What became of a request to remove something. */
export type RemoveResult = "removed" | "in_use" | "not_found";

/** Images by reference: pulled once, unpacked once, shared by all runs. */
export interface ImageStore {
  /**
   * The image of a reference, pulled first if need be. Concurrent callers share one pull, which goes on while any of
   * them waits. Takes no file operation when the image is there and its tag is fresh.
   * @throws BoxerError `invalid_image_reference`, `image_not_allowed`, `image_not_found`, `image_pull_failed`,
   *   `image_invalid`, `disk_full`, `draining` once closing; the signal's reason when that aborts
   */
  acquire(reference: string, options: { signal: AbortSignal; pull?: PullPolicy }): Promise<ImageLease>;
  /**
   * Takes an image from an OCI image layout directory (`oci-layout`, `index.json`, `blobs/`) under a name of the
   * caller's choice, which then no longer stands for what it did.
   * @throws BoxerError as `acquire`
   */
  importLayout(directory: string, reference: string): Promise<Image>;
  /**
   * Takes an image from an archive as `docker save`, `podman save` and `skopeo copy` write it (OCI image layout or
   * Docker archive, in a tar file that is plain or compressed with gzip or zstd), while it streams in.
   * @param reference the name that the image gets, as in `importLayout`; undefined: the one that the archive has for it
   * @throws BoxerError as `acquire`; `invalid_request` (field `reference`) when it is not plain which image is meant or
   *   what it is called. BoxerErrors of `stream` keep their code
   */
  importArchive(
    stream: AsyncIterable<Uint8Array>,
    reference: string | undefined,
    options: { signal: AbortSignal },
  ): Promise<Image>;
  /** All images, in the order in which they came. */
  list(): readonly ImageSummary[];
  /** All pulls and imports under way, oldest first. */
  pulls(): readonly PullStatus[];
  /**
   * The states of the newest pull of a reference, from the present one, or the next one to begin, to its end: at most
   * four a second, the latest always. Ends when the signal aborts.
   * @throws BoxerError `invalid_image_reference`
   */
  watchPull(reference: string, signal: AbortSignal): AsyncIterable<PullStatus>;
  /**
   * Removes a name, and the image with its last name; or, by digest (`sha256:…`), the image with all its names.
   * An image in use is kept, and so is its last name.
   * @throws BoxerError `invalid_image_reference`
   */
  remove(referenceOrDigest: string): Promise<RemoveResult>;
  /**
   * Removes images that nobody uses.
   * @param unused_for_ms keeps those that were of use within this time
   * @param all also those that are kept otherwise: imported ones, and those of `images_prepull`
   * @returns what was removed
   */
  prune(options: { unused_for_ms: number; all: boolean }): Promise<readonly ImageSummary[]>;
  /** Has a listener told of the digest of each image that is removed, for whatever reason. It must not throw. */
  onRemoved(listener: (digest: string) => void): void;
  /** Bytes that the images take, and the most that they may take, or Infinity. */
  usage(): { readonly size_bytes: number; readonly quota_bytes: number };
  /** Aborts the pulls in flight and refuses new ones with `draining`; what is here can be had still. */
  drain(): void;
  /** Aborts the pulls in flight, waits for them and for removals under way. No call may follow. */
  close(): Promise<void>;
}

/** The machine that images are for, in the words of the OCI image index (GOOS, GOARCH). */
export interface ImagePlatform {
  readonly os: string;
  readonly architecture: string;
  /** Such as `v7` for 32-bit ARM. */
  readonly variant?: string;
}

/** Settings of the image store. */
export interface ImageStoreConfig {
  /** Null: there is none, and images are kept as directories. */
  readonly mkfs_path: string | null;
  /** Registries (`host` for any port, or `host:port`) that may be spoken to over plain HTTP, beside loopback. */
  readonly insecure_registries: readonly string[];
  /** Mirrors (`host:port`) to try before a registry, by registry as references name it (`docker.io`). */
  readonly registry_mirrors: Readonly<Record<string, readonly string[]>>;
  readonly platform: ImagePlatform;
  /** Age after which a tag is looked up again. */
  readonly image_tag_ttl_secs: number;
  /** Longest time of one pull, with unpacking. */
  readonly pull_timeout_secs: number;
  /** Most bytes of one image, unpacked. */
  readonly max_image_bytes: number;
  /** Most files, directories and links of one image. */
  readonly max_image_entries: number;
  /** Path of the socket of the local Docker daemon, which is asked for what no registry has; null: none is. */
  readonly docker_socket: string | null;
  /** Blobs on their way at the same time, over all pulls. */
  readonly max_parallel_downloads: number;
  /** Most bytes of all images together; null for no limit, undefined for a share of the disk. See `policy/quota-of.ts`. */
  readonly images_quota_bytes: number | null | undefined;
  /** Patterns of the references that may be used; all when empty. See `policy/image-rules.ts`. */
  readonly image_allow: readonly string[];
  /** Patterns of the references that may not. */
  readonly image_deny: readonly string[];
  /** References whose images are kept by quota and prune. */
  readonly images_prepull: readonly string[];
}
