import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync, gzipSync, zstdCompressSync } from "node:zlib";
import { sha256 } from "./fake-registry.ts";

/** How the layer of a test's image is compressed. */
export type LayerCompression = "none" | "gzip" | "zstd";

export interface TestLayer {
  /** The tar archive. */
  readonly archive: Uint8Array;
  readonly compression: LayerCompression;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

const OCI = "application/vnd.oci.image";
const COMPRESSIONS: Record<
  LayerCompression,
  [suffix: string, compress: (archive: Uint8Array) => Uint8Array]
> = {
  none: ["", (archive) => archive],
  gzip: ["+gzip", (archive) => gzipSync(archive)],
  zstd: ["+zstd", (archive) => zstdCompressSync(archive)],
};

/** The tar archive of the one layer of an image that set-up has made. */
export async function archiveOf(layout: string): Promise<Buffer> {
  const blob = ({ digest }: Descriptor): Promise<Buffer> =>
    readFile(join(layout, "blobs/sha256", digest.slice("sha256:".length)));
  const index = JSON.parse(await readFile(join(layout, "index.json"), "utf8"));
  const manifest = JSON.parse(String(await blob(index.manifests[0])));
  return gunzipSync(await blob(manifest.layers[0]));
}

/** An OCI image layout in the making: images of hand-made layers, tagged, or behind an index. */
export class LayeredLayout {
  readonly #directory: string;
  readonly #manifests: object[] = [];

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Begins a layout in a new directory. */
  static async create(directory: string): Promise<LayeredLayout> {
    await mkdir(join(directory, "blobs/sha256"), { recursive: true });
    await writeFile(join(directory, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
    return new LayeredLayout(directory);
  }

  /** Adds an image, lowest layer first, under no name as yet. */
  async addImage(
    layers: readonly TestLayer[],
    architecture: string,
    env: string[] = [],
    user = "",
  ): Promise<Descriptor> {
    const rootfs = { type: "layers", diff_ids: layers.map(({ archive }) => sha256(archive)) };
    const config = { os: "linux", architecture, config: { Env: env, User: user }, rootfs };
    const descriptors: Descriptor[] = [];
    for (const { archive, compression } of layers) {
      const [suffix, compress] = COMPRESSIONS[compression];
      descriptors.push(await this.#addBlob(`${OCI}.layer.v1.tar${suffix}`, compress(archive)));
    }
    return await this.#addDocument(`${OCI}.manifest.v1+json`, {
      config: await this.#addBlob(`${OCI}.config.v1+json`, Buffer.from(JSON.stringify(config))),
      layers: descriptors,
    });
  }

  /** Adds an index of images by architecture. */
  async addIndex(images: Readonly<Record<string, Descriptor>>): Promise<Descriptor> {
    const manifests = Object.entries(images).map(([architecture, image]) => ({
      ...image,
      platform: { os: "linux", architecture },
    }));
    return await this.#addDocument(`${OCI}.index.v1+json`, { manifests });
  }

  /** Names an image or an index. */
  async tag(name: string, descriptor: Descriptor): Promise<void> {
    this.#manifests.push({ ...descriptor, annotations: { "org.opencontainers.image.ref.name": name } });
    const index = { schemaVersion: 2, manifests: this.#manifests };
    await writeFile(join(this.#directory, "index.json"), JSON.stringify(index));
  }

  #addDocument(mediaType: string, content: object): Promise<Descriptor> {
    return this.#addBlob(mediaType, Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...content })));
  }

  async #addBlob(mediaType: string, bytes: Uint8Array): Promise<Descriptor> {
    const digest = sha256(bytes);
    await writeFile(join(this.#directory, "blobs/sha256", digest.slice("sha256:".length)), bytes);
    return { mediaType, digest, size: bytes.length };
  }
}
