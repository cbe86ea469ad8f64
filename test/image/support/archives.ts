import { gunzipSync } from "node:zlib";
import { type FakeImage, sha256 } from "../../support/fake-registry.ts";
import { file, symlink, tar } from "../../support/tar-builder.ts";

const hex = (bytes: Uint8Array): string => sha256(bytes).slice("sha256:".length);
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** `blobs/sha256/…` of these contents. */
export function blobFiles(...contents: readonly Uint8Array[]): Buffer {
  return Buffer.concat(contents.map((content) => file(`blobs/sha256/${hex(content)}`, content)));
}

/** An entry of an index, with its name if it has one. */
export function namedEntry({ descriptor }: FakeImage, name?: string): object {
  return name === undefined
    ? descriptor
    : { ...descriptor, annotations: { "org.opencontainers.image.ref.name": name } };
}

/** The two documents of an OCI image layout. */
export function layoutFiles(entries: readonly object[]): Buffer {
  return Buffer.concat([
    file("oci-layout", '{"imageLayoutVersion":"1.0.0"}'),
    file("index.json", json({ schemaVersion: 2, manifests: entries })),
  ]);
}

/** An image as `skopeo copy oci-archive:` writes it. */
export function ociArchive(image: FakeImage, name?: string): Buffer {
  return tar(
    blobFiles(image.manifest, image.config, ...image.layers),
    layoutFiles([namedEntry(image, name)]),
  );
}

/** An image as `docker save` of older Docker and `skopeo copy docker-archive:` write it: plain layers, one by a link. */
export function dockerArchive(image: FakeImage, ...RepoTags: string[]): Buffer {
  const layers = image.layers.map((layer) => gunzipSync(layer));
  const names = layers.map((layer, at) => (at === 0 ? `${hex(layer)}/layer.tar` : `${hex(layer)}.tar`));
  const first = layers[0];
  return tar(
    file(`${hex(image.config)}.json`, image.config),
    ...layers.map((layer) => file(`${hex(layer)}.tar`, layer)),
    ...(first ? [symlink(`${hex(first)}/layer.tar`, `../${hex(first)}.tar`)] : []),
    file("0123/VERSION", "1.0"),
    file("repositories", "{}"),
    file("manifest.json", json([{ Config: `${hex(image.config)}.json`, RepoTags, Layers: names }])),
  );
}

/** `manifest.json` of an archive as newer Docker writes it, whose files are the blobs of a layout. */
export function dockerManifest(image: FakeImage, ...RepoTags: string[]): Buffer {
  const path = (bytes: Uint8Array): string => `blobs/sha256/${hex(bytes)}`;
  return file(
    "manifest.json",
    json([{ Config: path(image.config), RepoTags, Layers: image.layers.map(path) }]),
  );
}
