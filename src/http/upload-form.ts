import { Busboy, type BusboyFileStream } from "@fastify/busboy";
import { BoxerError, messageOf } from "../core/errors.ts";
import { normaliseUploadPath, quoted } from "../files/file-path.ts";
import type { StagedFile } from "../files/file-store.ts";

/** Takes in the contents of the file; see `FileStore.stage`. */
export type Stage = (source: AsyncIterable<Uint8Array>) => Promise<StagedFile>;

/** A form that has come whole. */
export interface UploadForm {
  /** Normalised. */
  readonly path: string;
  readonly file: StagedFile;
}

/** More than any path may have, so that the path's own check can say so. */
const MAX_FIELD_BYTES = 8192;
/** What a form may have besides its file: part headers, the path, a preamble or epilogue (RFC 2046, 5.1.1). */
const MAX_FRAME_BYTES = 64 * 1024;
const LIMITS = { fieldSize: MAX_FIELD_BYTES, headerPairs: 32, headerSize: 16 * 1024 };

/**
 * Reads an upload form (RFC 7578): a part `file` with any contents, and a part `path` with text, in either order. The
 * file is streamed to `stage`, never held in memory. The first fault ends it, and then nothing stays staged.
 * @param body is read as far as was needed
 * @throws BoxerError `unsupported_media_type`, `invalid_request`, `invalid_path`, `payload_too_large`, `canceled` when
 *   the client goes away; what `stage` throws
 */
export async function readUploadForm(
  contentType: string | null,
  body: ReadableStreamDefaultReader<Uint8Array>,
  stage: Stage,
  limit_bytes: number,
): Promise<UploadForm> {
  const reader = new FormReader(contentType ?? "", stage);
  try {
    let received = 0;
    for (let chunk = await readChunk(body); chunk; chunk = await readChunk(body)) {
      received += chunk.byteLength;
      if (received > limit_bytes + MAX_FRAME_BYTES) {
        const message = `The upload is larger than ${limit_bytes} bytes (upload_limit_bytes)`;
        throw new BoxerError("payload_too_large", message, { field: "file" });
      }
      await reader.write(chunk);
    }
    return await reader.end();
  } catch (error) {
    await reader.abandon();
    throw error;
  }
}

async function readChunk(body: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array | undefined> {
  try {
    return (await body.read()).value;
  } catch (error) {
    throw new BoxerError("canceled", "Cannot receive the form: the client went away", { cause: error });
  }
}

/** Turns the events of the parser into one result or one fault. */
class FormReader {
  readonly #stage: Stage;
  readonly #parser: InstanceType<typeof Busboy>;
  readonly #finished = Promise.withResolvers<void>();
  readonly #failed = Promise.withResolvers<never>();
  #fault: unknown;
  #path: string | undefined;
  #file: Promise<StagedFile> | undefined;
  #stream: BusboyFileStream | undefined;

  constructor(contentType: string, stage: Stage) {
    this.#stage = stage;
    this.#parser = createParser(contentType);
    this.#parser.on("file", (name, stream) => this.#takeFile(name, stream));
    this.#parser.on("field", (_name, value, _nameTruncated, truncated) => this.#takePath(value, truncated));
    this.#parser.on("finish", () => this.#finished.resolve());
    this.#parser.on("error", (error) => this.#fail(invalid(`Cannot parse the form: ${messageOf(error)}`)));
    // Whoever waits for the parser sees the fault; when nobody does, the next write throws it.
    this.#failed.promise.catch(() => {});
  }

  async write(chunk: Uint8Array): Promise<void> {
    const takesMore = this.#parser.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    if (this.#fault) throw this.#fault;
    if (takesMore) return;
    const drained = new Promise<void>((resolve) => this.#parser.once("drain", resolve));
    await Promise.race([drained, this.#failed.promise]);
  }

  async end(): Promise<UploadForm> {
    this.#parser.end();
    await Promise.race([this.#finished.promise, this.#failed.promise]);
    if (!this.#file) throw invalid("Cannot store the file: the form has no part file", "file");
    if (this.#path === undefined) throw invalid("Cannot store the file: the form has no part path", "path");
    return { path: this.#path, file: await this.#file };
  }

  /** Ends the staging, or undoes it. */
  async abandon(): Promise<void> {
    this.#stream?.destroy(new Error("the form is abandoned"));
    const file = await this.#file?.catch(() => undefined);
    await file?.discard();
  }

  #takeFile(name: string | undefined, stream: BusboyFileStream): void {
    // A form that breaks off in this part says so here as well as to the parser.
    stream.on("error", () => {});
    if (name !== "file") {
      this.#fail(unexpected(name));
    } else if (this.#file) {
      this.#fail(invalid("The form has more than one part file", "file"));
    } else {
      this.#stream = stream;
      this.#file = this.#stage(stream);
      this.#file.catch((error) => this.#fail(error));
    }
  }

  #takePath(value: string, truncated: boolean): void {
    try {
      if (this.#path !== undefined) throw invalid("The form has more than one part path", "path");
      if (truncated) throw badPath(value, "it is too long");
      // What the parser cannot decode it replaces, and another file would be written than was meant.
      if (value.includes("\uFFFD")) throw badPath(value, "it is not UTF-8");
      this.#path = normaliseUploadPath(value);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#fault ??= error;
    this.#failed.reject(this.#fault);
  }
}

function createParser(contentType: string): InstanceType<typeof Busboy> {
  if (!/^multipart\/form-data\s*(;|$)/i.test(contentType)) {
    const message = `Content-Type must be multipart/form-data, not ${contentType ? quoted(contentType) : "absent"}`;
    throw new BoxerError("unsupported_media_type", message);
  }
  try {
    return new Busboy({
      headers: { "content-type": contentType },
      limits: LIMITS,
      // By name, not by how a part describes itself: every part but the path is a stream, and no stream is held.
      isPartAFile: (name) => name !== "path",
    });
  } catch (error) {
    throw invalid(`Cannot parse the form: ${messageOf(error)}`);
  }
}

function invalid(message: string, field?: string): BoxerError {
  return new BoxerError("invalid_request", message, field === undefined ? {} : { field });
}

function unexpected(name: string | undefined): BoxerError {
  if (name === undefined) return invalid("The form has a part without a name");
  return invalid(`The form has a part ${quoted(name)}; only file and path are known`, name);
}

function badPath(value: string, reason: string): BoxerError {
  return new BoxerError("invalid_path", `Cannot use path ${quoted(value)}: ${reason}`, { field: "path" });
}
