import { BoxerError } from "../core/errors.ts";

/** Deepest nesting accepted; `JSON.parse` of a deeper one would exhaust the stack somewhere else later. */
const MAX_DEPTH = 64;
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads a JSON body of bounded size (RFC 8259).
 * @param limit most bytes accepted
 * @throws BoxerError `unsupported_media_type`, `payload_too_large` or `invalid_json`
 */
export async function readJsonBody(request: Request, limit: number): Promise<unknown> {
  const type = request.headers.get("content-type") ?? "";
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new BoxerError(
      "unsupported_media_type",
      `Content-Type must be application/json, not ${type || "absent"}`,
    );
  }
  const bytes = await readBounded(request, limit);
  checkDepth(bytes);
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch (error) {
    throw new BoxerError("invalid_json", "The request body is not valid JSON", { cause: error });
  }
}

async function readBounded(request: Request, limit: number): Promise<Uint8Array> {
  const tooLarge = () =>
    new BoxerError(
      "payload_too_large",
      `The request body is larger than ${limit} bytes (request_limit_bytes)`,
    );
  if (Number(request.headers.get("content-length")) > limit) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.byteLength;
    if (length > limit) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENERS = new Set([0x5b, 0x7b]);
const CLOSERS = new Set([0x5d, 0x7d]);

function checkDepth(bytes: Uint8Array): void {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index] as number;
    if (inString) {
      if (byte === BACKSLASH) index += 1;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (OPENERS.has(byte)) depth += 1;
    else if (CLOSERS.has(byte)) depth -= 1;
    if (depth > MAX_DEPTH) {
      throw new BoxerError("invalid_json", `The request body is nested deeper than ${MAX_DEPTH} levels`);
    }
  }
}
