import { randomInt } from "node:crypto";
import { messageOf } from "../../core/errors.ts";
import { RCODE } from "./dns-reply.ts";
import { type Exchange, exchangeByTcp, exchangeByUdp, type UpstreamServer } from "./exchange.ts";
import {
  decodeAnswer,
  encodeQuestion,
  type UpstreamAnswer,
  type UpstreamQuestion,
} from "./upstream-message.ts";

/** What a name has, by a server that knows. */
export interface UpstreamFinding {
  readonly exists: boolean;
  readonly addresses: readonly string[];
  readonly ttl_secs: number;
}

/** Three of them take less than the five seconds that stub resolvers wait. */
const TIMEOUT_MS = 1500;
const ATTEMPTS = 3;

/**
 * Asks one server after the other, by UDP, and by TCP what does not fit into a datagram. Each question has its own id and
 * port, both random (RFC 5452).
 * @throws Error when none of them knows
 */
export async function askUpstreams(
  servers: readonly UpstreamServer[],
  name: string,
  type: "A" | "AAAA",
  signal: AbortSignal,
): Promise<UpstreamFinding> {
  const failures: string[] = [];
  for (let attempt = 0; attempt < ATTEMPTS && !signal.aborted; attempt += 1) {
    const server = servers[attempt % servers.length];
    if (!server) break;
    try {
      const { rcode, addresses, ttl_secs } = await ask(
        server,
        { id: randomInt(0x10000), name, type },
        signal,
      );
      if (rcode === RCODE.NOERROR) return { exists: true, addresses, ttl_secs };
      if (rcode === RCODE.NXDOMAIN) return { exists: false, addresses: [], ttl_secs };
      failures.push(`${server.address}: response code ${rcode}`);
    } catch (error) {
      failures.push(`${server.address}: ${messageOf(error)}`);
    }
  }
  throw new Error(`no name server answered: ${failures.join("; ")}`);
}

async function ask(
  server: UpstreamServer,
  question: UpstreamQuestion,
  signal: AbortSignal,
): Promise<UpstreamAnswer> {
  const exchange: Exchange<UpstreamAnswer> = {
    server,
    message: encodeQuestion(question),
    accept: (reply) => decodeAnswer(reply, question),
    signal,
    timeout_ms: TIMEOUT_MS,
  };
  const answer = await exchangeByUdp(exchange);
  return answer.truncated ? exchangeByTcp(exchange) : answer;
}
