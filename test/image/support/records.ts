import type { ImageRecord, NameRecord } from "../../../src/image/store/records.ts";
import { type FakeImage, imageOf } from "../../support/fake-registry.ts";

/** The record of an image whose root file system has so many bytes. */
export function imageRecord(image: FakeImage, rootfs_bytes: number): ImageRecord {
  return {
    version: 1,
    digest: image.digest,
    manifest: image.manifest.toString(),
    config: image.config.toString(),
    rootfs_bytes,
    pulled_at_ms: 1000,
  };
}

/** The record of a name that stands for an image. */
export function nameRecord(reference: string, image: FakeImage): NameRecord {
  const { digest } = image;
  return { version: 1, reference, resolved: digest, digest, imported: false, checked_at_ms: 2000 };
}

/** An image that is told from others by its content. */
export function someImage(content = "content"): FakeImage {
  return imageOf([{ "file.txt": content }], { config: { Cmd: ["run"] } });
}
