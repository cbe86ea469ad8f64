import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256 } from "../../support/fake-registry.ts";

/** An image that a daemon has. */
interface Served {
  readonly inspection: object;
  readonly archive: Buffer;
}

/** A Docker daemon on a socket of its own, which has what it is given and misbehaves as told. */
export class FakeDaemon {
  readonly seen: string[] = [];
  /** Answers a request itself, or returns false to let the daemon answer. */
  behave: (request: IncomingMessage, response: ServerResponse) => boolean = () => false;
  readonly socket: string;
  readonly #directory: string;
  readonly #server: Server;
  readonly #images = new Map<string, Served>();

  private constructor(directory: string, server: Server) {
    this.#directory = directory;
    this.#server = server;
    this.socket = join(directory, "docker.sock");
  }

  static async start(): Promise<FakeDaemon> {
    const server = createServer((request, response) => daemon.#answer(request, response));
    const daemon = new FakeDaemon(await mkdtemp(join(tmpdir(), "boxer-daemon-")), server);
    server.listen(daemon.socket);
    await once(server, "listening");
    return daemon;
  }

  /** @param inspection beside Id, Os and Architecture */
  add(name: string, archive: Buffer, inspection: object = {}): void {
    const facts = { Id: sha256(archive), Os: "linux", Architecture: "amd64", ...inspection };
    this.#images.set(name, { archive, inspection: facts });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await rm(this.#directory, { recursive: true, force: true });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = decodeURIComponent(request.url ?? "");
    this.seen.push(url);
    if (this.behave(request, response)) return;
    const [, name = "", what] = /^\/images\/(.+)\/(json|get)$/.exec(url) ?? [];
    const image = this.#images.get(name);
    if (!image) {
      response.writeHead(404, { "content-type": "application/json" });
      return void response.end(JSON.stringify({ message: `No such image: ${name}` }));
    }
    response.end(what === "json" ? JSON.stringify(image.inspection) : image.archive);
  }
}
