import { isIPv4, isIPv6 } from "node:net";
import { type Answer, decode, encode, RECURSION_DESIRED } from "dns-packet";
import { HEADER_BYTES } from "./dns-query.ts";
import { EDNS } from "./dns-reply.ts";

/** What an upstream server is asked. */
export interface UpstreamQuestion {
  readonly id: number;
  /** Lower-case A-labels without trailing dot. */
  readonly name: string;
  readonly type: "A" | "AAAA";
}

/** What an upstream server says of it. */
export interface UpstreamAnswer {
  readonly rcode: number;
  /** Whether it did not fit, and TCP is to be used. */
  readonly truncated: boolean;
  readonly addresses: readonly string[];
  /** The least of the addresses and of the aliases on the way to them; 0 when there are none. */
  readonly ttl_secs: number;
}

/** Most bytes of an answer, by TCP as by UDP. Those with more than {@link MAX_RECORDS} records never take as many. */
export const MAX_ANSWER_BYTES = 16_384;

/** More records are not looked at, so that no message is costly to decode. */
const MAX_RECORDS = 64;
const MAX_ALIASES = 16;
const MAX_ADDRESSES = 16;

/** A question made anew: nothing of the guest's message gets into it but the name and the type. */
export function encodeQuestion({ id, name, type }: UpstreamQuestion): Buffer {
  return encode({
    type: "query",
    id,
    flags: RECURSION_DESIRED,
    questions: [{ name, type, class: "IN" }],
    additionals: [EDNS],
  });
}

/**
 * Reads an answer that may hold anything.
 * @returns undefined for what is no answer to the question
 */
export function decodeAnswer(bytes: Buffer, question: UpstreamQuestion): UpstreamAnswer | undefined {
  if (bytes.length < HEADER_BYTES || bytes.length > MAX_ANSWER_BYTES) return undefined;
  if (bytes.readUInt16BE(0) !== question.id || bytes.readUInt16BE(4) !== 1) return undefined;
  const needed = Buffer.from(bytes);
  needed.writeUInt16BE(Math.min(bytes.readUInt16BE(6), MAX_RECORDS), 6);
  needed.writeUInt32BE(0, 8);
  try {
    const { flag_qr, flag_tc, questions: [echo] = [], answers = [] } = decode(needed);
    // Addresses that are cut off are read all the same.
    if (decode.bytes > needed.length) return undefined;
    const isEcho =
      echo?.name.toLowerCase() === question.name && echo.type === question.type && echo.class === "IN";
    if (!flag_qr || !isEcho) return undefined;
    return { rcode: bytes.readUInt8(3) & 15, truncated: flag_tc, ...follow(answers, question) };
  } catch {
    return undefined;
  }
}

/** Goes from alias to alias (RFC 1034, 3.6.2) up to the name that has addresses. */
function follow(answers: readonly Answer[], { name: asked, type }: UpstreamQuestion) {
  const isAddress = type === "A" ? isIPv4 : isIPv6;
  let name = asked;
  let ttl_secs = Number.POSITIVE_INFINITY;
  for (let aliases = 0; aliases <= MAX_ALIASES; aliases += 1) {
    const own = answers.filter((record) => record.name.toLowerCase() === name).filter(isPlain);
    const found = own
      .filter((record) => record.type === type && isAddress(record.data))
      .slice(0, MAX_ADDRESSES);
    if (found.length > 0) {
      ttl_secs = Math.min(ttl_secs, ...found.map(({ ttl = 0 }) => ttl));
      return { addresses: [...new Set(found.map(({ data }) => data))], ttl_secs };
    }
    const alias = own.find((record) => record.type === "CNAME");
    if (!alias) break;
    ttl_secs = Math.min(ttl_secs, alias.ttl ?? 0);
    name = alias.data.toLowerCase();
  }
  return { addresses: [], ttl_secs: 0 };
}

type PlainRecord = Extract<Answer, { data: string }>;

function isPlain(record: Answer): record is PlainRecord {
  return "data" in record && typeof record.data === "string" && "class" in record && record.class === "IN";
}
