import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { Header } from "tar";

/** A digest as registries write it. */
export function sha256(bytes: Uint8Array | string): `sha256:${string}` {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** A tar archive with these regular files. */
export function tarOf(files: Record<string, string>): Buffer {
  const blocks: Buffer[] = [];
  for (const [path, content] of Object.entries(files)) {
    const body = Buffer.from(content);
    const header = new Header({
      path,
      size: body.length,
      mode: 0o644,
      uid: 0,
      gid: 0,
      mtime: new Date(0),
      type: "File",
    });
    header.encode();
    blocks.push(header.block as Buffer, body, Buffer.alloc((512 - (body.length % 512)) % 512));
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

export interface FakeDescriptor {
  mediaType: string;
  digest: string;
  size: number;
}

/** An image in memory: its manifest and all blobs. */
export interface FakeImage {
  manifest: Buffer;
  mediaType: string;
  digest: `sha256:${string}`;
  config: Buffer;
  layers: Buffer[];
  descriptor: FakeDescriptor;
}

const OCI = "application/vnd.oci.image";

/** Puts an image together from the files of each layer, lowest first. */
export function imageOf(
  layers: Record<string, string>[],
  options: {
    config?: object;
    created?: string;
    os?: string;
    architecture?: string;
    diff_ids?: string[];
    manifest?: object;
  } = {},
): FakeImage {
  const tars = layers.map(tarOf);
  const blobs = tars.map((tar) => gzipSync(tar));
  const { os = "linux", architecture = "amd64", diff_ids = tars.map(sha256) } = options;
  const rootfs = { type: "layers", diff_ids };
  const config = Buffer.from(
    JSON.stringify({ os, architecture, created: options.created, config: options.config ?? {}, rootfs }),
  );
  const content = {
    schemaVersion: 2,
    mediaType: `${OCI}.manifest.v1+json`,
    config: { mediaType: `${OCI}.config.v1+json`, digest: sha256(config), size: config.length },
    layers: blobs.map((blob) => ({
      mediaType: `${OCI}.layer.v1.tar+gzip`,
      digest: sha256(blob),
      size: blob.length,
    })),
    ...options.manifest,
  };
  const manifest = Buffer.from(JSON.stringify(content));
  const descriptor = { mediaType: content.mediaType, digest: sha256(manifest), size: manifest.length };
  return {
    manifest,
    mediaType: content.mediaType,
    digest: sha256(manifest),
    config,
    layers: blobs,
    descriptor,
  };
}

/** An index of images by platform. */
export function indexOf(entries: (FakeDescriptor & { platform?: object })[]): {
  bytes: Buffer;
  descriptor: FakeDescriptor;
} {
  const mediaType = `${OCI}.index.v1+json`;
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests: entries }));
  return { bytes, descriptor: { mediaType, digest: sha256(bytes), size: bytes.length } };
}

/** One request that a registry was sent. */
export interface SeenRequest {
  method: string;
  path: string;
  headers: IncomingMessage["headers"];
  body: string;
}

/** Answers a request itself, or returns false to let the registry answer. */
export type Behaviour = (
  request: SeenRequest,
  response: ServerResponse,
) => boolean | undefined | Promise<boolean | undefined>;

/** A registry on loopback that has what it is given, writes down what it is asked, and misbehaves as told. */
export class FakeRegistry {
  readonly seen: SeenRequest[] = [];
  /** Asked first, for each request. */
  behave: Behaviour = () => false;
  readonly #blobs = new Map<string, Buffer>();
  readonly #manifests = new Map<string, { bytes: Buffer; mediaType: string }>();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<FakeRegistry> {
    const server = createServer((request, response) => {
      registry.#answer(request, response).catch(() => response.destroy());
    });
    const registry = new FakeRegistry(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return registry;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** `127.0.0.1:port` */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  addBlob(bytes: Buffer, digest: string = sha256(bytes)): void {
    this.#blobs.set(digest, bytes);
  }

  /** @param names tags and digests to serve it under; its own digest always is one */
  addManifest(repository: string, bytes: Buffer, mediaType: string, ...names: string[]): void {
    for (const name of [sha256(bytes), ...names])
      this.#manifests.set(`${repository}/${name}`, { bytes, mediaType });
  }

  addImage(repository: string, image: FakeImage, ...tags: string[]): void {
    this.addBlob(image.config);
    for (const layer of image.layers) this.addBlob(layer);
    this.addManifest(repository, image.manifest, image.mediaType, ...tags);
  }

  /** How often a path that ends so was asked for. */
  count(method: string, suffix: string): number {
    return this.seen.filter((request) => request.method === method && request.path.endsWith(suffix)).length;
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const chunk of incoming) body += chunk;
    const request = {
      method: incoming.method ?? "",
      path: incoming.url ?? "",
      headers: incoming.headers,
      body,
    };
    this.seen.push(request);
    if (await this.behave(request, response)) return;
    const [, repository = "", kind, name = ""] =
      /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(request.path) ?? [];
    if (request.path === "/v2/") return void response.end("{}");
    if (kind === "blobs") return this.#answerBlob(request, response, name);
    const manifest = this.#manifests.get(`${repository}/${name}`);
    if (!manifest) return refuse(response, 404, "MANIFEST_UNKNOWN", "manifest unknown");
    response.setHeader("content-type", manifest.mediaType);
    response.setHeader("docker-content-digest", sha256(manifest.bytes));
    response.setHeader("content-length", manifest.bytes.length);
    response.end(request.method === "HEAD" ? undefined : manifest.bytes);
  }

  #answerBlob(request: SeenRequest, response: ServerResponse, digest: string): void {
    const blob = this.#blobs.get(digest);
    if (!blob) return void refuse(response, 404, "BLOB_UNKNOWN", "blob unknown to registry");
    const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? "") ?? [];
    const start = Number(from ?? 0);
    if (from !== undefined) {
      response.statusCode = 206;
      response.setHeader("content-range", `bytes ${start}-${blob.length - 1}/${blob.length}`);
    }
    response.setHeader("content-length", blob.length - start);
    response.end(blob.subarray(start));
  }
}

/** Answers with an error as of the distribution specification. */
export function refuse(
  response: ServerResponse,
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify({ errors: [{ code, message }] }));
}
