import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import type { ImageStore } from "./types.ts";

/** The image layouts that set-up makes: directory and name. */
const LOCAL_IMAGES = [{ directory: "python", reference: "local/python:3" }];

/**
 * Imports the images that set-up made, unless the store has them already.
 * @param setupDirectory holds one OCI image layout a directory; those that are absent are passed over
 */
export async function importLocalImages(
  images: ImageStore,
  setupDirectory: string,
  log: Logger,
): Promise<void> {
  for (const { directory, reference } of LOCAL_IMAGES) {
    const layout = join(setupDirectory, directory);
    const digest = await manifestDigest(layout);
    if (digest === null || images.list().some((image) => image.digest === digest)) continue;
    log.info({ reference }, "importing the local image, once");
    await images.importLayout(layout, reference).catch((err) => {
      log.error({ err, reference }, "cannot import the local image");
    });
  }
}

/** The digest that the layout's index names first, or null when there is no layout. */
async function manifestDigest(layout: string): Promise<string | null> {
  try {
    const index = JSON.parse(await readFile(join(layout, "index.json"), "utf8"));
    return index.manifests[0].digest;
  } catch {
    return null;
  }
}
