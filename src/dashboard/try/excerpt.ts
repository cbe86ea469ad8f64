import { formatBytes } from "../format.ts";

const HEAD_BYTES = 48 * 1024;
const TAIL_BYTES = 48 * 1024;
/** How far into the tail a line may go on that began before it. */
const MAX_LINE_BYTES = 4 * 1024;
const NEWLINE = 10;

/** The part of an output that is shown: all of it, or its beginning and its end. */
export interface Excerpt {
  readonly head: string;
  /** What is between the two, in words; null when nothing is. */
  readonly gap: string | null;
  readonly tail: string;
}

/**
 * Bounds an output for the page. What is not UTF-8 is decoded with U+FFFD; a character that a cut has parted is left out.
 * Pure.
 * @param isOpen more is to come: what ends in the middle of a character waits for the rest
 */
export function excerptOf(bytes: Uint8Array, isOpen = false): Excerpt {
  const decode = (part: Uint8Array, isCut: boolean) =>
    new TextDecoder("utf-8", { ignoreBOM: true }).decode(part, { stream: isCut });
  const hidden = bytes.length - HEAD_BYTES - TAIL_BYTES;
  if (hidden <= 0) return { head: decode(bytes, isOpen), gap: null, tail: "" };
  const from = beginningOf(bytes, bytes.length - TAIL_BYTES);
  return {
    head: decode(bytes.subarray(0, HEAD_BYTES), true),
    gap: `${formatBytes(from - HEAD_BYTES)} are not shown`,
    tail: decode(bytes.subarray(from), isOpen),
  };
}

/** The next beginning of a line, so that no escape sequence is parted; else of a character. */
function beginningOf(bytes: Uint8Array, from: number): number {
  const newline = bytes.subarray(from, from + MAX_LINE_BYTES).indexOf(NEWLINE);
  if (newline >= 0) return from + newline + 1;
  const start = bytes.subarray(from, from + 4).findIndex((byte) => (byte & 0xc0) !== 0x80);
  return from + Math.max(0, start);
}
