import { connect, type Socket } from "node:net";
import { Elysia } from "elysia";
import { silentLog } from "../../src/core/log.ts";
import { errorPlugin } from "../../src/http/errors.ts";
import { filesRoutes } from "../../src/http/files.ts";
import { guard } from "../../src/http/guard.ts";
import { openTestStore, type TestStore } from "./file-store.ts";
import { platform } from "./platform.ts";

/** The files routes on a real server on loopback, with a store of their own. */
export interface FilesServer extends TestStore {
  readonly port: number;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** `POST /files` with a form. */
  upload(path: string, contents: string | Uint8Array<ArrayBuffer>): Promise<Response>;
  /** `GET /files?path=…`, percent-encoded. */
  download(path: string, init?: RequestInit): Promise<Response>;
  /** Opens a connection and sends bytes as they are; the text that comes back until it closes. */
  raw(request: string): { socket: Socket; answer: Promise<string> };
}

/** The limit of uploads on a {@link FilesServer}. */
export const UPLOAD_LIMIT_BYTES = 1_000_000;

/** Starts the server. The caller calls `remove`. */
export async function startFilesServer(): Promise<FilesServer> {
  const files = await openTestStore();
  const app = new Elysia()
    .use(errorPlugin(silentLog))
    .use(filesRoutes({ store: files.store, upload_limit_bytes: UPLOAD_LIMIT_BYTES }));
  const listen = { hostname: "127.0.0.1", port: 0 };
  const server = await platform.serve({
    ...listen,
    fetch: guard(app.handle, { listen, dashboard: { auth: undefined } }),
  });
  const url = `http://127.0.0.1:${server.port}`;
  return {
    ...files,
    port: server.port,
    fetch: (path, init) => fetch(url + path, init),
    upload: (path, contents) => fetch(`${url}/files`, { method: "POST", body: uploadForm(path, contents) }),
    download: (path, init) => fetch(`${url}/files?path=${encodeURIComponent(path)}`, init),
    raw: (request) => sendRaw(server.port, request),
    async remove() {
      await server.stop(0);
      await files.remove();
    },
  };
}

/** A form with the two parts of an upload. */
export function uploadForm(path: string, contents: string | Uint8Array<ArrayBuffer>): FormData {
  const form = new FormData();
  form.set("file", new File([contents], "upload"));
  form.set("path", path);
  return form;
}

function sendRaw(port: number, request: string): { socket: Socket; answer: Promise<string> } {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  const answer = new Promise<string>((resolve) => {
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(text));
  });
  socket.write(request, "latin1");
  return { socket, answer };
}
