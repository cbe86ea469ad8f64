import { formatBytes } from "../format.ts";

const HEAD_BYTES = 48 * 1024;
const TAIL_BYTES = 48 * 1024;

/** The part of an output that is shown: all of it, or its beginning and its end. */
export interface Excerpt {
  readonly head: string;
  /** What is between the two, in words; null when nothing is. */
  readonly gap: string | null;
  readonly tail: string;
}

/** Bounds an output for the page. What is not UTF-8 is decoded with U+FFFD. Pure. */
export function excerptOf(bytes: Uint8Array): Excerpt {
  const decode = (part: Uint8Array) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(part);
  const hidden = bytes.length - HEAD_BYTES - TAIL_BYTES;
  if (hidden <= 0) return { head: decode(bytes), gap: null, tail: "" };
  return {
    head: decode(bytes.subarray(0, HEAD_BYTES)),
    gap: `${formatBytes(hidden)} are not shown`,
    tail: decode(bytes.subarray(bytes.length - TAIL_BYTES)),
  };
}
