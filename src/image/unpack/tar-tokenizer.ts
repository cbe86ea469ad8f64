import { Parser, type ReadEntry } from "tar";
import { type LayerEntry, toLayerEntry } from "./layer-entry.ts";
import { readPaxRecords } from "./pax-records.ts";
import { invalidEntry, invalidLayer } from "./unpack-error.ts";

/** Size of a tar block: archives are made of nothing else. */
export const TAR_BLOCK_BYTES = 512;

/**
 * Most of the extended headers of one entry. A name and a target take 8 KiB at most; the rest is for extended attributes.
 * Reading this much takes some milliseconds.
 */
const MAX_EXTENDED_BYTES = 64 * 1024;

/** A step of a tar archive. A file is an entry, any number of data tokens, and an end; anything else one entry. */
export type TarToken =
  | { readonly type: "entry"; readonly entry: LayerEntry }
  | { readonly type: "data"; readonly bytes: Uint8Array }
  | { readonly type: "end" };

/**
 * Cuts a tar archive (ustar, pax, GNU) into tokens, with the parser of the `tar` package. Nothing is queued inside: what
 * a chunk holds is returned at once, so the caller holds back by feeding no more, and its memory is that of one chunk.
 */
export class TarTokenizer {
  readonly #parser = new Parser({
    strict: true,
    zstd: false,
    maxMetaEntrySize: MAX_EXTENDED_BYTES,
    onReadEntry: (entry) => this.#onEntry(entry),
  });
  #tokens: TarToken[] = [];
  /** Extended headers that apply to the next entry. */
  #extended: string[] = [];
  #extendedLength = 0;
  #failure: Error | undefined;
  #started = false;
  #sawNullBlock = false;
  #ended = false;

  constructor() {
    this.#parser.on("meta", (text: string) => this.#onExtended(text));
    this.#parser.on("nullBlock", () => {
      this.#sawNullBlock = true;
    });
    this.#parser.on("eof", () => {
      this.#ended = true;
    });
    this.#parser.on("ignoredEntry", (entry: ReadEntry) => this.#fail(refusal(entry)));
    this.#parser.on("error", (error: Error) => this.#fail(invalidLayer(error.message, error)));
  }

  /**
   * @param blocks the next blocks of the archive; what follows its end is passed over
   * @returns tokens in order; their data is part of `blocks`
   * @throws BoxerError `image_invalid`
   */
  feed(blocks: Buffer): TarToken[] {
    if (this.#ended) return [];
    if (blocks.length % TAR_BLOCK_BYTES !== 0) throw invalidLayer("its tar archive is truncated");
    if (!this.#started) refuseGzip(blocks);
    this.#started = true;
    this.#tokens = [];
    this.#parser.write(blocks);
    if (this.#failure) throw this.#failure;
    return this.#tokens;
  }

  /**
   * Says that the archive is over. One without its end marker passes, as with other readers, and so does an empty one.
   * @throws BoxerError `image_invalid` when it is truncated
   */
  end(): void {
    if (this.#ended || !this.#started) return;
    this.#parser.end();
    if (this.#failure) throw this.#failure;
    if (this.#extended.length > 0) throw invalidLayer("its tar archive is truncated");
  }

  #onExtended(text: string): void {
    this.#extended.push(text);
    this.#extendedLength += text.length;
    if (this.#extendedLength > MAX_EXTENDED_BYTES) throw tooExtended();
  }

  #onEntry(entry: ReadEntry): void {
    // Its own parser goes on after a mistake, at the next block that looks like a header.
    if (this.#failure) return;
    if (this.#sawNullBlock) throw invalidLayer("its tar archive goes on after its end");
    if (entry.globalExtended?.path !== undefined) throw invalidLayer("a global header with a path");
    const records = new Map(this.#extended.flatMap((text) => [...readPaxRecords(text)]));
    this.#extended = [];
    this.#extendedLength = 0;
    const layerEntry = toLayerEntry(entry, records);
    this.#tokens.push({ type: "entry", entry: layerEntry });
    if (layerEntry.kind !== "file") return void entry.resume();
    entry.on("end", () => this.#tokens.push({ type: "end" }));
    entry.on("data", (bytes) => this.#tokens.push({ type: "data", bytes }));
  }

  #fail(error: Error): void {
    this.#failure ??= error;
  }
}

/** The parser would inflate it by itself, and without our bounds. */
function refuseGzip(blocks: Buffer): void {
  if (blocks[0] === 0x1f && blocks[1] === 0x8b) throw invalidLayer("it is compressed twice");
}

function tooExtended(): Error {
  return invalidLayer(`an entry with more than ${MAX_EXTENDED_BYTES} bytes of extended headers`);
}

/** The parser passes over what it does not know, and over extended headers that are too large. */
function refusal(entry: ReadEntry): Error {
  if (entry.meta) return tooExtended();
  const sparse = entry.type === "SparseFile";
  return invalidEntry(
    entry.path,
    sparse ? "sparse files are not supported" : "entries of its type are unknown",
  );
}
