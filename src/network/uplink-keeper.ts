import { clearInterval, setInterval } from "node:timers";
import type { AddressPlan } from "./address-plan.ts";
import type { Family, Forwarding, OpenedUplinks } from "./forwarding.ts";
import type { NetworkHost } from "./host-tools.ts";
import { networkUnavailable } from "./network-unavailable.ts";
import { readUplinks } from "./routes.ts";

/** A run that is under way is without a new way out for no longer than this. */
const INTERVAL_MS = 5_000;
/** What was seen within this time is not looked at again: each look starts a process. */
const MAX_AGE_MS = 1_000;
const FAMILIES = [
  ["ipv4", "opened4"],
  ["ipv6", "opened6"],
] as const;

/**
 * Keeps runs' traffic forwarded while the host's routes change: lines fail over, tunnels come and go, and others turn
 * forwarding on or off for all of the host.
 */
export class UplinkKeeper {
  readonly #host: NetworkHost;
  readonly #ip: string;
  readonly #plan: AddressPlan;
  readonly #forwarding: Forwarding;
  readonly #consent: boolean;
  readonly #apply: (script: string) => Promise<void>;
  #timer: ReturnType<typeof setInterval> | undefined;
  #last: { readonly at: number; readonly done: Promise<void> } | null = null;

  /**
   * @param ip path of ip(8)
   * @param consent the operator's, to forwarding on the uplinks
   * @param apply changes the table
   */
  constructor(
    host: NetworkHost,
    ip: string,
    plan: AddressPlan,
    forwarding: Forwarding,
    consent: boolean,
    apply: (script: string) => Promise<void>,
  ) {
    this.#host = host;
    this.#ip = ip;
    this.#plan = plan;
    this.#forwarding = forwarding;
    this.#consent = consent;
    this.#apply = apply;
    // Without consent there is nothing to follow with.
    if (consent) this.#timer = setInterval(() => void this.follow().catch(() => undefined), INTERVAL_MS);
    this.#timer?.unref();
  }

  /** Follows no more. */
  async rest(): Promise<void> {
    clearInterval(this.#timer);
    await this.#last?.done.catch(() => undefined);
  }

  /** Sees what has changed and follows it. @throws BoxerError `network_unavailable` when IPv4 is forwarded no longer */
  follow(): Promise<void> {
    const now = performance.now();
    if (this.#last === null || now - this.#last.at > MAX_AGE_MS) {
      const before = this.#last?.done.catch(() => undefined);
      this.#last = { at: now, done: Promise.resolve(before).then(() => this.#look()) };
    }
    return this.#last.done;
  }

  async #look(): Promise<void> {
    const off: Family[] = [];
    for (const [family, set] of FAMILIES) {
      if (family === "ipv6" && this.#plan.network6 === null) continue;
      if (await this.#forwarding.isOn(family)) await this.#yield(family, set);
      else off.push(family);
    }
    if (off.length === 0) return;
    if (this.#consent) await this.#open(off);
    else if (off.includes("ipv4")) {
      throw networkUnavailable(
        "this host no longer forwards IPv4, and enable_forwarding does not let Boxer change that",
      );
    }
  }

  /** Somebody, Docker for one, has the host forward by now: then it is no longer for us to say what it forwards. */
  async #yield(family: Family, set: string): Promise<void> {
    if (this.#forwarding.opened[family].length === 0) return;
    await this.#apply(`flush set inet ${this.#plan.table} ${set}\n`);
    this.#forwarding.yield(family);
  }

  /** Opens the uplinks that are shut. */
  async #open(families: readonly Family[]): Promise<void> {
    const uplinks = await readUplinks(this.#host, this.#ip);
    const shut: Partial<Record<Family, readonly string[]>> = {};
    for (const family of families) {
      const names = await this.#forwarding.shutOf(family, uplinks[family]);
      if (names.length > 0) shut[family] = names;
    }
    if (Object.keys(shut).length === 0) return;
    await this.#forwarding.open(shut, (opened) => this.#apply(this.#elements(opened)));
    // Who turns forwarding off for all of the host shuts our links as well.
    for (const name of await this.#links()) await this.#forwarding.openLink(name).catch(() => undefined);
  }

  #elements(opened: OpenedUplinks): string {
    const lines = FAMILIES.flatMap(([family, set]) =>
      opened[family].map(
        (name) => `add element inet ${this.#plan.table} ${set} { ${JSON.stringify(name)} }\n`,
      ),
    );
    return lines.join("");
  }

  /** Our links, by /proc/net/dev. */
  async #links(): Promise<string[]> {
    const lines = (await this.#host.read("/proc/net/dev")).split("\n");
    const names = lines.map((line) => line.trim().split(":")[0] ?? "");
    return names.filter((name) => name.startsWith(this.#plan.interfacePrefix));
  }
}
