import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type FakeImage, sha256 } from "../../support/fake-registry.ts";

/** Writes an OCI image layout with these images and index entries; returns its index. */
export async function writeLayout(
  directory: string,
  images: readonly FakeImage[],
  manifests: readonly object[],
): Promise<Buffer> {
  const blobs = join(directory, "blobs/sha256");
  await mkdir(blobs, { recursive: true });
  for (const { manifest, config, layers } of images) {
    for (const blob of [manifest, config, ...layers])
      await writeFile(join(blobs, sha256(blob).slice(7)), blob);
  }
  await writeFile(join(directory, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests }));
  await writeFile(join(directory, "index.json"), index);
  return index;
}
