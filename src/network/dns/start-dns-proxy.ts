import type { Logger } from "pino";
import { errnoOf } from "../../core/errors.ts";
import type { AllowedAddress } from "../types.ts";
import { askUpstreams } from "./ask-upstreams.ts";
import { budgetOf, type DnsBudget } from "./budget.ts";
import { decodeQuery } from "./dns-query.ts";
import { encodeReply } from "./dns-reply.ts";
import type { UpstreamServer } from "./exchange.ts";
import { type NamePolicy, Resolver } from "./resolver.ts";
import { listenByTcp } from "./tcp-listener.ts";
import { TokenBucket } from "./token-bucket.ts";
import { type Listener, listenByUdp, type Respond } from "./udp-listener.ts";

/** What the proxy of one run needs. */
export interface DnsProxyOptions {
  /** Where the guest asks. Port 0 picks one that is free by UDP and TCP. */
  readonly bind: { readonly address: string; readonly port: number };
  /** Asked in this order. */
  readonly upstreams: readonly UpstreamServer[];
  readonly policy: NamePolicy;
  /** Whether an address is not public. */
  readonly isForbidden: (address: string) => boolean;
  /**
   * Lets the run connect to addresses, or longer than before: from now on, the grace for late connections included.
   * Awaited before the answer with them is sent.
   */
  readonly open: (addresses: readonly AllowedAddress[]) => Promise<void>;
  /** Without it AAAA is answered with nothing, and not asked. */
  readonly hasIpv6: boolean;
  readonly log: Logger;
  /** Default: by the policy. */
  readonly budget?: DnsBudget;
}

/** Queries of a run. */
export interface DnsCounts {
  readonly allowed: number;
  /** By policy or budget: the name, the type, all addresses, or too many of them. Messages without sense are not counted. */
  readonly refused: number;
}

/** The DNS proxy of one run. */
export interface DnsProxy {
  readonly port: number;
  counts(): DnsCounts;
  /** Closes all sockets, and resolves when nothing goes on any more: no address is opened afterwards. May be called again. */
  close(): Promise<void>;
}

/** Most bytes of a message by TCP. */
const MAX_TCP_BYTES = 65_535;
/** A port that is free by UDP may be taken by TCP. */
const PORT_ATTEMPTS = 10;

/**
 * Starts the only name server that a run can reach. All its memory is bounded, whatever the guest or upstream servers
 * send.
 * @throws Error of the system when the address cannot be bound
 */
export async function startDnsProxy(options: DnsProxyOptions): Promise<DnsProxy> {
  const { bind, policy, log, budget = budgetOf(policy) } = options;
  const ending = new AbortController();
  const resolver = new Resolver({
    ...options,
    budget,
    ask: (name, type) => askUpstreams(options.upstreams, name, type, ending.signal),
    open: async (addresses) => {
      ending.signal.throwIfAborted();
      await options.open(addresses);
    },
    onFailure: (name, error) => {
      if (!ending.signal.aborted) log.debug({ name, err: error }, "a look-up failed");
    },
  });
  const desk = new Desk(
    resolver,
    budget,
    (error) => void log.warn({ err: error }, "a DNS query was not answered"),
  );
  const listeners = await listen(bind, budget, desk.respond);
  let closed: Promise<void> | undefined;
  const end = async () => {
    ending.abort();
    await Promise.all(listeners.map((listener) => listener.close()));
    await desk.idle();
  };
  return {
    port: listeners[0].port,
    counts: () => desk.counts(),
    close() {
      closed ??= end();
      return closed;
    },
  };
}

/** Takes messages in, as many as the budget lets it, and counts what becomes of them. */
class Desk {
  readonly #resolver: Resolver;
  readonly #budget: DnsBudget;
  readonly #onError: (error: unknown) => undefined;
  readonly #messages: TokenBucket;
  readonly #pending = new Set<Promise<unknown>>();
  #allowed = 0;
  #refused = 0;

  constructor(resolver: Resolver, budget: DnsBudget, onError: (error: unknown) => undefined) {
    this.#onError = onError;
    this.#resolver = resolver;
    this.#budget = budget;
    this.#messages = new TokenBucket(budget.messages_per_sec, budget.messages_burst);
  }

  readonly respond: Respond = async (message, transport) => {
    if (!this.#messages.take() || this.#pending.size >= this.#budget.pending) {
      this.#refused += 1;
      return undefined;
    }
    const reply = this.#answer(message, transport).catch(this.#onError);
    this.#pending.add(reply);
    return reply.finally(() => this.#pending.delete(reply));
  };

  counts(): DnsCounts {
    return { allowed: this.#allowed, refused: this.#refused };
  }

  async idle(): Promise<void> {
    await Promise.all(this.#pending);
  }

  async #answer(message: Buffer, transport: "udp" | "tcp"): Promise<Buffer | undefined> {
    const query = decodeQuery(message);
    if (!query) return undefined;
    const { reply, refused } = await this.#resolver.resolve(query);
    if (refused) this.#refused += 1;
    else this.#allowed += 1;
    return encodeReply(query, reply, transport === "udp" ? query.udp_size_bytes : MAX_TCP_BYTES);
  }
}

async function listen(
  { address, port }: DnsProxyOptions["bind"],
  budget: DnsBudget,
  respond: Respond,
): Promise<[Listener, Listener]> {
  for (let attempt = 1; ; attempt += 1) {
    const udp = await listenByUdp(address, port, respond);
    try {
      return [udp, await listenByTcp(address, udp.port, budget.connections, respond)];
    } catch (error) {
      await udp.close();
      if (port !== 0 || attempt >= PORT_ATTEMPTS || errnoOf(error) !== "EADDRINUSE") throw error;
    }
  }
}
