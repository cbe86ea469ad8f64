import { type Answer, encode, RECURSION_AVAILABLE, RECURSION_DESIRED, TRUNCATED_RESPONSE } from "dns-packet";
import { type DnsQuery, EDNS_UDP_BYTES, HEADER_BYTES } from "./dns-query.ts";

/** Response codes that guests and upstream servers are told (RFC 1035, 4.1.1). */
export const RCODE = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3 } as const;

/** What a guest is told. */
export interface DnsReply {
  readonly rcode: (typeof RCODE)[keyof typeof RCODE];
  /** Of the family that was asked for. */
  readonly addresses: readonly string[];
  readonly ttl_secs: number;
}

/**
 * The reply's message. Addresses stand under the name that was asked for: aliases on the way there are not shown, since
 * whoever owns a domain can write into them what it likes. What does not fit is left out, and the reply marked as
 * truncated, whereupon a resolver asks again by TCP.
 * @param most_bytes what the message may have
 */
export function encodeReply(query: DnsQuery, reply: DnsReply, most_bytes: number): Buffer {
  const whole = encodeAddresses(query, reply, reply.addresses.length);
  if (whole.length <= most_bytes) return whole;
  const none = encodeAddresses(query, reply, 0).length;
  const each = (whole.length - none) / reply.addresses.length;
  return encodeAddresses(query, reply, Math.max(0, Math.floor((most_bytes - none) / each)));
}

function encodeAddresses(query: DnsQuery, { rcode, addresses, ttl_secs }: DnsReply, count: number): Buffer {
  const type = query.type as "A" | "AAAA";
  const desired = query.recursion_desired ? RECURSION_DESIRED : 0;
  const truncated = count < addresses.length ? TRUNCATED_RESPONSE : 0;
  const rest = encode({
    type: "response",
    id: query.id,
    flags: RECURSION_AVAILABLE | desired | truncated | rcode,
    answers: addresses.slice(0, count).map((data) => ({ type, name: query.name, ttl: ttl_secs, data })),
    additionals: query.edns ? [EDNS] : [],
  });
  // Names are not compressed, so that the question can be put in as it came.
  rest.writeUInt16BE(1, 4);
  return Buffer.concat([rest.subarray(0, HEADER_BYTES), query.question, rest.subarray(HEADER_BYTES)]);
}

/** Says that EDNS is spoken, without options (RFC 6891, 6.1). */
export const EDNS: Answer = {
  type: "OPT",
  name: ".",
  udpPayloadSize: EDNS_UDP_BYTES,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
};
