import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { architectureOf } from "../../scripts/setup/architecture.ts";
import { silentLog } from "../../src/core/log.ts";
import { Background } from "../../src/image/background.ts";
import { BlobStore } from "../../src/image/blobs/blob-store.ts";
import { systemClock } from "../../src/image/clock.ts";
import { LayoutSource } from "../../src/image/layout/layout-source.ts";
import { resolveImage } from "../../src/image/manifest/resolve-image.ts";
import { PullBoard } from "../../src/image/progress/pull-board.ts";
import { parseReference } from "../../src/image/reference.ts";
import { buildRootfs } from "../../src/image/rootfs/build-rootfs.ts";
import { Semaphore } from "../../src/image/semaphore.ts";
import { mkfsPath } from "./fixtures.ts";
import { platform } from "./platform.ts";
import { withDirectory } from "./unpack-fixture.ts";

/** The processor architecture of this machine, as images name it. */
export const ARCHITECTURE = architectureOf(process.arch).debian;

/**
 * Makes the root file system of an image of a layout just as the store does, and shows both the tree of files and what
 * became of it; they are removed afterwards.
 */
export async function withRootfs(
  layout: string,
  tag: string,
  use: (tree: string, erofs: string) => Promise<void>,
): Promise<void> {
  await withDirectory(async (work) => {
    const [log, clock, { signal }] = [silentLog, systemClock, new AbortController()];
    const [tmp, directory] = [join(work, "tmp"), join(work, "blobs")];
    for (const path of [tmp, join(directory, "sha256")]) await mkdir(path, { recursive: true });
    const background = new Background(log);
    const common = { platform, max_image_bytes: 1 << 30, background, log, clock, signal };
    const source = new LayoutSource(layout, parseReference(`local/image:${tag}`));
    const image = await resolveImage(source, undefined, {
      ...common,
      platform: { os: "linux", architecture: ARCHITECTURE },
    });
    const blobs = new BlobStore({ directory, tmp, max_parallel_downloads: 3, clock, onProgress: () => {} });
    const options = { ...common, mkfs_path: mkfsPath(), tmp, max_image_entries: 100_000, blobs };
    const rest = { unpackSlots: new Semaphore(1), board: new PullBoard({ clock, log }) };
    const keep = ({ path }: { path: string }): Promise<void> => use(join(dirname(path), "rootfs"), path);
    await buildRootfs(source, image, { ...options, ...rest }, signal, keep);
    await blobs.close(new Error("the test is over"));
    await background.settled();
  });
}
