import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { withImages } from "../../src/compose-images.ts";
import { silentLog } from "../../src/core/log.ts";
import type { ImageStore } from "../../src/image/types.ts";
import { busyboxLayout } from "../../test/support/fixtures.ts";
import { archiveOf, LayeredLayout, type TestLayer } from "../../test/support/layered-layout.ts";
import { platform } from "../../test/support/platform.ts";
import { testConfig } from "../../test/support/service.ts";
import { file, tar } from "../../test/support/tar-builder.ts";
import { ARCHITECTURE } from "../../test/support/with-rootfs.ts";

const MIB = 1 << 20;
const FILE_BYTES = MIB;
const LAYER_BYTES = 128 * MIB;

/** Gives a home, whose service is not up, so many small images, each with a name and a content of its own. */
export async function addImages(home: string, count: number): Promise<void> {
  await withImages(testConfig(home), platform, silentLog, async (images) => {
    for (let index = 0; index < count; index += 1) {
      const archive = tar(file("number", `${index}`));
      await importLayers(images, home, `local/small:${index}`, [{ archive, compression: "none" }]);
    }
  });
}

/** Gives a home, whose service is not up, an image that takes about so much: busybox, and files that nobody reads. */
export async function addSizedImage(home: string, reference: string, size_mb: number): Promise<void> {
  const busybox = await archiveOf(busyboxLayout);
  const layers: TestLayer[] = [{ archive: busybox, compression: "none" }];
  let left = size_mb * MIB - busybox.length;
  for (let number = 0; left > 0; number += 1) {
    const size = Math.min(left, LAYER_BYTES);
    layers.push({ archive: dataLayer(number, size), compression: "none" });
    left -= size;
  }
  await withImages(testConfig(home), platform, silentLog, (images) =>
    importLayers(images, home, reference, layers),
  );
}

/** The same bytes in each file: an EROFS file without compression keeps them all. */
function dataLayer(number: number, size: number): Buffer {
  const content = randomBytes(FILE_BYTES);
  const count = Math.ceil(size / FILE_BYTES);
  return tar(...Array.from({ length: count }, (_, index) => file(`opt/${number}-${index}`, content)));
}

async function importLayers(
  images: ImageStore,
  home: string,
  reference: string,
  layers: readonly TestLayer[],
): Promise<void> {
  const directory = await mkdtemp(join(home, "layout-"));
  try {
    const layout = await LayeredLayout.create(directory);
    await layout.tag("latest", await layout.addImage(layers, ARCHITECTURE));
    await images.importLayout(directory, reference);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
