import { decode } from "dns-packet";

/** What a guest asks, as far as it matters. */
export interface DnsQuery {
  readonly id: number;
  /** The question as it came, to be sent back. */
  readonly question: Buffer;
  /** As it was written, without trailing dot; whatever bytes the labels had, read as UTF-8. */
  readonly name: string;
  /** `A`, `AAAA`, `TXT`, …, `UNKNOWN_65280`. */
  readonly type: string;
  /** `IN`, … */
  readonly class: string;
  readonly recursion_desired: boolean;
  /** Whether the guest speaks EDNS (RFC 6891), and is to be answered so. */
  readonly edns: boolean;
  /** Most bytes of an answer by UDP. */
  readonly udp_size_bytes: number;
}

/** Most bytes of a query: the longest name takes 271 with its header, and EDNS options little more. */
export const MAX_QUERY_BYTES = 512;

/** RFC 1035, 4.2.1. */
const PLAIN_UDP_BYTES = 512;

/** Fits every path without fragments (RFC 9715). */
export const EDNS_UDP_BYTES = 1232;

/** RFC 1035, 4.1.1. */
export const HEADER_BYTES = 12;
const QR_AND_OPCODE = 0xf8;
const TYPE_OPT = 41;

/**
 * Reads a query (RFC 1035, 4.1) that may hold anything. Of the guest's bytes only the header, the one question and the
 * size in an OPT record are looked at: no other record of its making is decoded.
 * @returns undefined for what is no query with one question
 */
export function decodeQuery(bytes: Buffer): DnsQuery | undefined {
  if (bytes.length < HEADER_BYTES || bytes.length > MAX_QUERY_BYTES) return undefined;
  const isPlainQuery = (bytes.readUInt8(2) & QR_AND_OPCODE) === 0;
  const [questions, answers, authorities] = [4, 6, 8].map((offset) => bytes.readUInt16BE(offset));
  if (!isPlainQuery || questions !== 1 || answers !== 0 || authorities !== 0) return undefined;
  const alone = Buffer.from(bytes);
  alone.writeUInt16BE(0, 10);
  try {
    const { id = 0, questions: [question] = [], flag_rd } = decode(alone);
    if (!question) return undefined;
    const end = decode.bytes;
    const size = ednsSize(bytes, end);
    return {
      id,
      question: alone.subarray(HEADER_BYTES, end),
      name: question.name,
      type: question.type,
      class: question.class ?? "IN",
      recursion_desired: flag_rd,
      edns: size !== undefined,
      udp_size_bytes: Math.min(Math.max(size ?? PLAIN_UDP_BYTES, PLAIN_UDP_BYTES), EDNS_UDP_BYTES),
    };
  } catch {
    return undefined;
  }
}

/** The payload size of an OPT record right behind the question, where stub resolvers put it. */
function ednsSize(bytes: Buffer, offset: number): number | undefined {
  const hasOpt =
    bytes.length >= offset + 11 && bytes[offset] === 0 && bytes.readUInt16BE(offset + 1) === TYPE_OPT;
  return hasOpt && bytes.readUInt16BE(10) > 0 ? bytes.readUInt16BE(offset + 3) : undefined;
}
