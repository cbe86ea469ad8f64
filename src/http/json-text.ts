import { clearImmediate, setImmediate } from "node:timers";
import { setImmediate as nextTurn } from "node:timers/promises";

/** Output is encoded by so much at a time: less is not worth a string of its own, more would keep others waiting. */
const PIECE_BYTES = 1 << 17;
/** Most JSON that is kept beside the output itself while the guest runs. A control character takes six. */
const MAX_AHEAD_CHARS = 12 << 20;
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
 * client does not wait for that as well; but after what else there is to do, above all to read on: a guest whose pipe is
 * full stands still. What is not UTF-8 becomes U+FFFD.
 */
export class JsonText {
  #decoder = newDecoder();
  #ahead: string[] = [];
  #ahead_chars = 0;
  /** Of the output: what is in `#ahead`, or was given out. */
  #encoded_bytes = 0;
  /** All that has come so far. */
  #kept: Uint8Array = new Uint8Array();
  #turn: NodeJS.Immediate | null = null;

  /**
   * Is told of output as it comes; see `OutputListener`.
   * @param chunk what has come
   * @param kept all that has come so far
   */
  add(chunk: Uint8Array, kept: Uint8Array): void {
    this.#hear(kept, kept.byteLength - chunk.byteLength);
    this.#encodeLater();
  }

  /**
   * The whole stream.
   * @param isCut whether the guest wrote more: a character cut in two is left out, its first half says nothing
   */
  end(bytes: Uint8Array, isCut: boolean): JsonString {
    if (this.#turn) clearImmediate(this.#turn);
    this.#hear(bytes, bytes.byteLength);
    return new JsonString(this.#pieces(isCut), this.#left_bytes > MAX_LEFT_BYTES);
  }

  *#pieces(isCut: boolean): Generator<string> {
    yield* this.#ahead;
    while (this.#left_bytes > 0) yield this.#encodePiece();
    if (!isCut) yield encode(this.#decoder.decode());
  }

  /** What was heard of a sandbox that was given up for another is no part of the output. */
  #hear(kept: Uint8Array, heard_bytes: number): void {
    if (this.#kept.byteLength !== heard_bytes) {
      this.#decoder = newDecoder();
      this.#ahead = [];
      this.#ahead_chars = 0;
      this.#encoded_bytes = 0;
    }
    this.#kept = kept;
  }

  get #left_bytes(): number {
    return this.#kept.byteLength - this.#encoded_bytes;
  }

  /** A piece in each turn of the event loop, after what was read in it. */
  #encodeLater(): void {
    if (this.#turn || this.#left_bytes < PIECE_BYTES || this.#ahead_chars >= MAX_AHEAD_CHARS) return;
    this.#turn = setImmediate(() => {
      this.#turn = null;
      const piece = this.#encodePiece();
      this.#ahead_chars += piece.length;
      this.#ahead.push(piece);
      this.#encodeLater();
    });
  }

  #encodePiece(): string {
    const piece = this.#kept.subarray(this.#encoded_bytes, this.#encoded_bytes + PIECE_BYTES);
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

/** A stream of text in UTF-8 that asks for a part when the one before has been taken, with others' turns in between. */
function streamOf(parts: Iterator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        await nextTurn();
        const { value, done } = parts.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(value));
      },
    },
    { highWaterMark: 0 },
  );
}
