/** Output is encoded by so much at a time: less is not worth a string of its own. */
const PIECE_BYTES = 1 << 16;
/** Most JSON that is kept beside the output itself while the guest runs. A control character takes six. */
const MAX_AHEAD_CHARS = 8 << 20;
/** Most output that may be left to encode when the run has ended, without making other requests wait. */
const MAX_LEFT_BYTES = 1 << 20;

/** A JSON string (RFC 8259, section 7), for {@link jsonResponse}. */
export class JsonString {
  /** What is between its quotation marks; to be asked for once. */
  readonly pieces: Iterable<string>;
  /** Whether they are to be made one at a time, as the client takes them. */
  readonly isLong: boolean;

  constructor(pieces: Iterable<string>, isLong: boolean) {
    this.pieces = pieces;
    this.isLong = isLong;
  }
}

/**
 * Makes a JSON string of what a guest writes to a stream. Most of it is encoded while the guest still runs, so that its
 * client does not wait for that as well. What is not UTF-8 becomes U+FFFD.
 */
export class JsonText {
  #decoder = newDecoder();
  #ahead: string[] = [];
  #ahead_chars = 0;
  #encoded_bytes = 0;
  #heard_bytes = 0;

  /**
   * Is told of output as it comes; see `OutputListener`.
   * @param chunk what has come
   * @param kept all that has come so far
   */
  add(chunk: Uint8Array, kept: Uint8Array): void {
    this.#heard_bytes += chunk.byteLength;
    this.#checkHeard(kept);
    while (this.#leftOf(kept) >= PIECE_BYTES && this.#ahead_chars < MAX_AHEAD_CHARS) {
      const piece = this.#encodePiece(kept);
      this.#ahead_chars += piece.length;
      this.#ahead.push(piece);
    }
  }

  /**
   * The whole stream.
   * @param isCut whether the guest wrote more: a character cut in two is left out, its first half says nothing
   */
  end(bytes: Uint8Array, isCut: boolean): JsonString {
    this.#checkHeard(bytes);
    return new JsonString(this.#pieces(bytes, isCut), this.#leftOf(bytes) > MAX_LEFT_BYTES);
  }

  *#pieces(bytes: Uint8Array, isCut: boolean): Generator<string> {
    yield* this.#ahead;
    while (this.#leftOf(bytes) > 0) yield this.#encodePiece(bytes);
    if (!isCut) yield encode(this.#decoder.decode());
  }

  /** What was heard of a sandbox that was given up for another is no part of the output. */
  #checkHeard(kept: Uint8Array): void {
    if (this.#heard_bytes === kept.byteLength) return;
    this.#decoder = newDecoder();
    this.#ahead = [];
    this.#ahead_chars = 0;
    this.#encoded_bytes = 0;
    this.#heard_bytes = kept.byteLength;
  }

  #leftOf(kept: Uint8Array): number {
    return kept.byteLength - this.#encoded_bytes;
  }

  #encodePiece(kept: Uint8Array): string {
    const piece = kept.subarray(this.#encoded_bytes, this.#encoded_bytes + PIECE_BYTES);
    this.#encoded_bytes += piece.byteLength;
    return encode(this.#decoder.decode(piece, { stream: true }));
  }
}

function newDecoder(): TextDecoder {
  return new TextDecoder("utf-8", { ignoreBOM: true });
}

/** A decoder never ends a piece in the middle of a surrogate pair, so that pieces need not know of each other. */
function encode(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

const HEADERS = { "content-type": "application/json;charset=utf-8" };

/** Answers with an object in JSON, some of whose values are a {@link JsonString}; none is undefined. */
export function jsonResponse(fields: Readonly<Record<string, unknown>>, status = 200): Response {
  const isLong = Object.values(fields).some((value) => value instanceof JsonString && value.isLong);
  const parts = partsOf(fields);
  // As one string it is sent without another copy, which Response.json() would make.
  return new Response(isLong ? streamOf(parts) : [...parts].join(""), { status, headers: HEADERS });
}

function* partsOf(fields: Readonly<Record<string, unknown>>): Generator<string> {
  let before = "{";
  for (const [name, value] of Object.entries(fields)) {
    yield `${before}${JSON.stringify(name)}:`;
    if (value instanceof JsonString) {
      yield '"';
      yield* value.pieces;
      yield '"';
    } else {
      yield JSON.stringify(value);
    }
    before = ",";
  }
  yield "}";
}

/** A stream of text in UTF-8 that asks for a part when the one before has been taken. */
function streamOf(parts: Iterator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const { value, done } = parts.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(value));
      },
    },
    { highWaterMark: 0 },
  );
}
