import { type IncomingMessage, request } from "node:http";
import Type from "typebox";
import { BoxerError, errnoOf, messageOf } from "../../core/errors.ts";
import { compileSchema } from "../../core/schema.ts";
import { withDeadline } from "../deadline.ts";
import { type Digest, isDigest } from "../digest.ts";
import { MAX_DOCUMENT_BYTES } from "../image-source.ts";
import { parseDocument } from "../manifest/parse-document.ts";
import { printable } from "../printable.ts";

/** An image that the daemon has. */
export interface DaemonImage {
  /** Changes whenever the content does: the digest of the config, or of the manifest, by the daemon's kind of store. */
  readonly id: Digest;
  /** Empty where the daemon does not say. */
  readonly os: string;
  readonly architecture: string;
}

const string = Type.Optional(Type.String());
const inspectSchema = compileSchema(Type.Object({ Id: Type.String(), Os: string, Architecture: string }));
const messageSchema = compileSchema(Type.Object({ message: Type.String() }));

/** An answer to a question, not to an export: that may first have to be put together on the daemon's disk. */
const INSPECT_TIMEOUT_MS = 30_000;

/**
 * A Docker daemon, or podman's service in its place, on a Unix socket (https://docs.docker.com/reference/api/engine/,
 * "Inspect an image", "Export an image"). All methods throw BoxerError with the bare reason: `image_not_found`,
 * `image_pull_failed`, `image_invalid`; or the signal's reason.
 */
export class DockerDaemon {
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /** @param name a normalised reference */
  async inspect(name: string, signal: AbortSignal): Promise<DaemonImage> {
    const late = (): Error =>
      new BoxerError("image_pull_failed", `no answer within ${INSPECT_TIMEOUT_MS} ms`);
    const deadline = withDeadline(signal, INSPECT_TIMEOUT_MS, late);
    try {
      const answer = await this.#get(`/images/${encodeName(name)}/json`, deadline.signal);
      return parseInspection(await readAll(answer, deadline.signal));
    } finally {
      deadline.stop();
    }
  }

  /** The image as `docker save` gives it: a tar archive, which must be read or ended. */
  async export(name: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    return chunks(await this.#get(`/images/${encodeName(name)}/get`, signal), signal);
  }

  async #get(path: string, signal: AbortSignal): Promise<IncomingMessage> {
    const answer = await this.#send(path, signal);
    if (answer.statusCode === 200) return answer;
    const reason = readReason(await readAll(answer, signal));
    if (answer.statusCode === 404) throw new BoxerError("image_not_found", reason || "it has no such image");
    throw failed(`it answered ${answer.statusCode}${reason && `: ${reason}`}`);
  }

  #send(path: string, signal: AbortSignal): Promise<IncomingMessage> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const outgoing = request({
      socketPath: this.#socketPath,
      path,
      headers: { host: "docker" },
      agent: false,
    });
    const abort = (): void => {
      outgoing.destroy();
      reject(signal.reason);
    };
    signal.addEventListener("abort", abort, { once: true });
    outgoing.on("response", resolve);
    // Also after the answer has begun; then it is for its reader to notice.
    outgoing.on("error", (error) => reject(failed(`cannot reach it: ${describe(error)}`, error)));
    outgoing.on("close", () => signal.removeEventListener("abort", abort));
    outgoing.end();
    return promise;
  }
}

/** Slashes stay as they are; the brackets of an IPv6 address cannot. */
function encodeName(name: string): string {
  return name.split("/").map(encodeURIComponent).join("/");
}

async function* chunks(answer: IncomingMessage, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of answer) yield chunk as Uint8Array;
  } catch (error) {
    signal.throwIfAborted();
    throw failed(`the connection to it broke: ${describe(error)}`, error);
  } finally {
    answer.destroy();
  }
}

async function readAll(answer: IncomingMessage, signal: AbortSignal): Promise<Uint8Array> {
  const read: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks(answer, signal)) {
    length += chunk.length;
    if (length > MAX_DOCUMENT_BYTES) throw failed(`its answer is longer than ${MAX_DOCUMENT_BYTES} bytes`);
    read.push(chunk);
  }
  return Buffer.concat(read);
}

function parseInspection(bytes: Uint8Array): DaemonImage {
  const { content } = parseDocument("answer to the inspection", bytes);
  if (!inspectSchema.fits(content) || !isDigest(content.Id)) {
    throw new BoxerError("image_invalid", "the answer to the inspection has no usable Id");
  }
  return { id: content.Id, os: content.Os ?? "", architecture: content.Architecture ?? "" };
}

function readReason(bytes: Uint8Array): string {
  try {
    const content: unknown = JSON.parse(Buffer.from(bytes).toString());
    return messageSchema.fits(content) ? printable(content.message) : "";
  } catch {
    return "";
  }
}

/** Without the path of the socket, which is none of a client's business. */
function describe(error: unknown): string {
  return errnoOf(error) ?? printable(messageOf(error));
}

function failed(reason: string, cause?: unknown): BoxerError {
  return new BoxerError("image_pull_failed", reason, { cause });
}
