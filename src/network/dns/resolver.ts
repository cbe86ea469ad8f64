import { isHostname } from "../egress/hostname.ts";
import type { Ports } from "../egress/port-set.ts";
import type { AllowedAddress } from "../types.ts";
import type { UpstreamFinding } from "./ask-upstreams.ts";
import type { DnsBudget } from "./budget.ts";
import type { DnsQuery } from "./dns-query.ts";
import { type DnsReply, RCODE } from "./dns-reply.ts";
import { TokenBucket } from "./token-bucket.ts";

/** Of a run's policy what look-ups have to do with. */
export interface NamePolicy {
  readonly all_public: boolean;
  allowsName(name: string): boolean;
  isOpenEnded(name: string): boolean;
  portsOf(name: string, address: string): Ports | undefined;
}

/** What a resolver is made of. */
export interface ResolverParts {
  readonly policy: NamePolicy;
  /** Whether an address is not public. */
  readonly isForbidden: (address: string) => boolean;
  readonly hasIpv6: boolean;
  readonly budget: DnsBudget;
  readonly ask: (name: string, type: "A" | "AAAA") => Promise<UpstreamFinding>;
  /** Lets the run connect to addresses for a while. */
  readonly open: (addresses: readonly AllowedAddress[]) => Promise<void>;
  /** Told why a look-up that was allowed failed. */
  readonly onFailure: (name: string, error: unknown) => void;
}

/** What becomes of a query. */
export interface Resolution {
  readonly reply: DnsReply;
  /** Whether the policy or the budget is the reason that there is no address. */
  readonly refused: boolean;
}

/**
 * How long an address stays open beyond its TTL. The client connects after the answer, and some keep an address longer
 * than its TTL: curl for 60 s, the JVM for 30 s.
 */
export const GRACE_SECS = 60;

const MAX_TTL_SECS = 300;
const MIN_TTL_SECS = 1;
/** Findings kept at a time, the oldest go. Spares the upstream servers and the wall repeated questions. */
const MAX_KEPT = 256;

/** SVCB and HTTPS (RFC 9460): look-ups that go on to A when there is nothing, not worth calling an attempt, like AAAA. */
const HARMLESS_TYPES: ReadonlySet<string> = new Set(["UNKNOWN_64", "UNKNOWN_65", "AAAA"]);

const NOTHING: DnsReply = { rcode: RCODE.NOERROR, addresses: [], ttl_secs: 0 };
const NO_SUCH_NAME: DnsReply = { rcode: RCODE.NXDOMAIN, addresses: [], ttl_secs: 0 };
const FAILED: DnsReply = { rcode: RCODE.SERVFAIL, addresses: [], ttl_secs: 0 };

interface Kept {
  readonly resolution: Promise<Resolution>;
  /** By the clock of `performance.now()`. Infinite while it is being asked. */
  expires_ms: number;
}

/**
 * Answers the queries of one run. A name that is not allowed does not exist (NXDOMAIN): musl would wait for seconds on
 * REFUSED, and both C libraries give up at once on this. Of allowed names only addresses are told, since other records
 * carry text to the run; and only those that it may connect to, which are open when the answer comes.
 */
export class Resolver {
  readonly #parts: ResolverParts;
  readonly #questions: TokenBucket;
  readonly #names = new Set<string>();
  readonly #kept = new Map<string, Kept>();

  constructor(parts: ResolverParts) {
    this.#parts = parts;
    this.#questions = new TokenBucket(parts.budget.questions_per_sec, parts.budget.questions_burst);
  }

  /** Never throws: what fails upstream is a reply too. */
  async resolve(query: DnsQuery): Promise<Resolution> {
    const name = query.name.toLowerCase();
    const { policy, hasIpv6 } = this.#parts;
    const allowed = query.class === "IN" && isHostname(name) && policy.allowsName(name);
    if (!allowed) return { reply: NO_SUCH_NAME, refused: true };
    const { type } = query;
    if (type === "A" || (type === "AAAA" && hasIpv6)) return this.#keptOrAsked(name, type);
    return { reply: NOTHING, refused: !HARMLESS_TYPES.has(type) };
  }

  async #keptOrAsked(name: string, type: "A" | "AAAA"): Promise<Resolution> {
    const key = `${type} ${name}`;
    const kept = this.#kept.get(key);
    const left_ms = (kept?.expires_ms ?? 0) - performance.now();
    if (kept && left_ms > 0) return aged(await kept.resolution, left_ms);
    if (!this.#hasBudgetFor(name)) return { reply: NO_SUCH_NAME, refused: true };
    if (!this.#questions.take()) return { reply: FAILED, refused: true };
    return this.#askAndKeep(key, name, type);
  }

  #hasBudgetFor(name: string): boolean {
    const { budget, policy } = this.#parts;
    if (budget.names === null || this.#names.has(name) || !policy.isOpenEnded(name)) return true;
    if (this.#names.size >= budget.names) return false;
    this.#names.add(name);
    return true;
  }

  #askAndKeep(key: string, name: string, type: "A" | "AAAA"): Promise<Resolution> {
    const forget = () => this.#kept.get(key) === kept && this.#kept.delete(key);
    const resolution = this.#ask(name, type).then(
      (found) => {
        kept.expires_ms = performance.now() + Math.max(found.reply.ttl_secs, MIN_TTL_SECS) * 1000;
        return found;
      },
      (error: unknown) => {
        forget();
        this.#parts.onFailure(name, error);
        return { reply: FAILED, refused: false };
      },
    );
    const kept: Kept = { resolution, expires_ms: Number.POSITIVE_INFINITY };
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    const [oldest] = this.#kept.keys();
    if (oldest !== undefined && this.#kept.size > MAX_KEPT) this.#kept.delete(oldest);
    return resolution;
  }

  async #ask(name: string, type: "A" | "AAAA"): Promise<Resolution> {
    const { exists, addresses, ttl_secs } = await this.#parts.ask(name, type);
    if (!exists) return { reply: NO_SUCH_NAME, refused: false };
    const reachable = addresses
      .map((address) => ({ address, ports: this.#parts.policy.portsOf(name, address) }))
      .filter((entry): entry is Reachable => entry.ports !== undefined);
    if (reachable.length === 0) return { reply: NOTHING, refused: addresses.length > 0 };
    const ttl = Math.min(Math.max(ttl_secs, MIN_TTL_SECS), MAX_TTL_SECS);
    // Where all that is public is open, only what is not has to be opened.
    const { policy, isForbidden, open } = this.#parts;
    const shut = reachable.filter(({ address }) => !policy.all_public || isForbidden(address));
    await open(shut.map((entry) => ({ ...entry, ttl_secs: ttl + GRACE_SECS })));
    const reply = { ...NOTHING, addresses: reachable.map(({ address }) => address), ttl_secs: ttl };
    return { reply, refused: false };
  }
}

interface Reachable {
  readonly address: string;
  readonly ports: Ports;
}

/** What is answered again has less time left. */
function aged({ reply, refused }: Resolution, left_ms: number): Resolution {
  return { reply: { ...reply, ttl_secs: Math.min(reply.ttl_secs, Math.ceil(left_ms / 1000)) }, refused };
}
