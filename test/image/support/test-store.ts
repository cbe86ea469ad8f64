import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openImageStore } from "../../../src/image/image-store.ts";
import type { ImageLease, ImageStore, ImageStoreConfig, PullPolicy } from "../../../src/image/types.ts";
import { mkfsPath } from "../../support/fixtures.ts";
import { platform } from "../../support/platform.ts";
import { TestClock } from "./test-clock.ts";
import { testLog } from "./test-log.ts";

const CONFIG: ImageStoreConfig = {
  mkfs_path: mkfsPath(),
  insecure_registries: [],
  registry_mirrors: {},
  platform: { os: "linux", architecture: "amd64" },
  image_tag_ttl_secs: 300,
  pull_timeout_secs: 60,
  max_image_bytes: 1 << 30,
  max_image_entries: 10_000,
  max_parallel_downloads: 3,
  docker_socket: null,
  images_quota_bytes: null,
  image_allow: [],
  image_deny: [],
  images_prepull: [],
};

/** A store in a directory of its own. */
export class TestStore {
  readonly clock = new TestClock();
  readonly root: string;
  readonly lines: ReturnType<typeof testLog>["lines"];
  store!: ImageStore;
  readonly #log: ReturnType<typeof testLog>["log"];
  readonly #config: ImageStoreConfig;

  private constructor(root: string, config: Partial<ImageStoreConfig>) {
    this.root = root;
    this.#config = { ...CONFIG, ...config };
    const { log, lines } = testLog();
    this.#log = log;
    this.lines = lines;
  }

  static async open(config: Partial<ImageStoreConfig> = {}): Promise<TestStore> {
    const test = new TestStore(await mkdtemp(join(tmpdir(), "boxer-store-")), config);
    await test.reopen();
    return test;
  }

  /** Opens the directory anew, as after a restart, with other settings where some are given. */
  async reopen(config: Partial<ImageStoreConfig> = {}): Promise<void> {
    const { root, clock } = this;
    this.store = await openImageStore({
      root,
      platform,
      clock,
      env: {},
      log: this.#log,
      config: { ...this.#config, ...config },
    });
  }

  acquire(reference: string, pull?: PullPolicy, signal = new AbortController().signal): Promise<ImageLease> {
    return this.store.acquire(reference, { signal, ...(pull ? { pull } : {}) });
  }

  /** Files on disk, by directory. */
  async files(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const directory of ["tmp", "blobs/sha256", "images", "rootfs", "references"]) {
      counts[directory] = (await readdir(join(this.root, directory))).length;
    }
    return counts;
  }

  async close(): Promise<void> {
    await this.store.close();
    await rm(this.root, { recursive: true, force: true });
  }
}
