import { randomInt } from "node:crypto";
import type { CleanupStack } from "../core/cleanup-stack.ts";
import { BoxerError } from "../core/errors.ts";
import { settleAll } from "../core/settle-all.ts";
import type { AddressPlan, Link } from "./address-plan.ts";
import { bandwidthScript } from "./bandwidth.ts";
import { BatchWriter } from "./batch-writer.ts";
import { readFirewallNotes } from "./foreign-firewalls.ts";
import type { Forwarding } from "./forwarding.ts";
import type { NetworkHost } from "./host-tools.ts";
import { LinkMaker } from "./link-maker.ts";
import { parseUsage } from "./parse-usage.ts";
import { RunRules, ZONES } from "./run-rules.ts";
import { shareNext } from "./share-next.ts";
import { type OnLeftover, SpareLinks } from "./spare-links.ts";
import { sweepLinks } from "./sweep-links.ts";
import { TableGuard } from "./table-guard.ts";
import type { NetworkPolicy, Networks, RunNetwork } from "./types.ts";
import { UplinkKeeper } from "./uplink-keeper.ts";
import { dropScript, wallScript } from "./wall.ts";

/** Where ip-netns(8) mounts namespaces by name. */
const NETNS_DIRECTORY = "/run/netns";

/** Paths of the host's tools; without tc there are no limits of bandwidth. */
export interface NetworkTools {
  readonly ip: string;
  readonly nft: string;
  readonly tc: string | null;
}

/** What {@link RunNetworks} is made of. */
export interface RunNetworksParts {
  readonly host: NetworkHost;
  readonly tools: NetworkTools;
  readonly plan: AddressPlan;
  readonly forwarding: Forwarding;
  /** The operator's consent to forwarding on the uplinks. */
  readonly enable_forwarding: boolean;
  /** How many links are kept ready, once a run has had one. */
  readonly spare_links: number;
  readonly onLeftover: OnLeftover;
}

/** What of its addresses a server leaves to others that share its network: all but one in so many. */
const SLOTS_TO_A_SPARE = 8;

/** {@link Networks} on a host that can have them, with its table in place. */
export class RunNetworks implements Networks {
  readonly unavailable = null;
  readonly #host: NetworkHost;
  readonly #tools: NetworkTools;
  readonly #plan: AddressPlan;
  readonly #forwarding: Forwarding;
  readonly #links: LinkMaker;
  readonly #spares: SpareLinks;
  readonly #writer: BatchWriter;
  readonly #guard: TableGuard;
  readonly #uplinks: UplinkKeeper;
  readonly #live = new Set<RunRules>();
  readonly #listSets: () => Promise<string>;
  #zones = randomInt(ZONES);

  constructor({
    host,
    tools,
    plan,
    forwarding,
    enable_forwarding,
    spare_links,
    onLeftover,
  }: RunNetworksParts) {
    this.#host = host;
    this.#tools = tools;
    this.#plan = plan;
    this.#forwarding = forwarding;
    this.#links = new LinkMaker(host, tools.ip, plan, forwarding, randomInt(plan.slots));
    const spares = Math.min(spare_links, Math.floor(plan.slots / SLOTS_TO_A_SPARE));
    this.#spares = new SpareLinks(this.#links, spares, onLeftover);
    this.#writer = new BatchWriter(host, [tools.nft, "-f", "-"]);
    this.#listSets = shareNext(() =>
      host.run([tools.nft, "-j", "list", "sets", "table", "inet", plan.table]),
    );
    this.#uplinks = new UplinkKeeper(host, tools.ip, plan, forwarding, enable_forwarding, (script) =>
      this.#change(script),
    );
    this.#guard = new TableGuard(host, tools.nft, plan.table, () => this.#putUp());
  }

  /** See {@link Networks.create}. The link is mute until its rules are there. */
  async create(policy: NetworkPolicy, cleanup: CleanupStack): Promise<RunNetwork> {
    if (policy.bandwidth_kbps !== null && this.#tools.tc === null) {
      const field = "bandwidth_kbps";
      throw new BoxerError("limit_unenforceable", `${field} is not enforced: this host has no tc`, { field });
    }
    await this.#uplinks.follow();
    cleanup.defer("spare links", () => this.#spares.refill());
    const link = await this.#spares.take(cleanup);
    const rules = new RunRules(this.#plan.table, link, this.#nextZone(), policy);
    if (policy.bandwidth_kbps !== null) await this.#limit(link, policy.bandwidth_kbps);
    await this.#admit(rules);
    cleanup.defer(`rules of ${link.netns}`, () => this.#dismiss(rules));
    return {
      netns_path: `${NETNS_DIRECTORY}/${link.netns}`,
      address: link.guest,
      gateway: link.host,
      address6: link.ipv6?.guest ?? null,
      interface: link.interface,
      counters: async () => parseUsage(await this.#listSets(), link),
      restore: () => this.#links.restore(link),
      allow: async (addresses) => {
        if (rules.opensAddresses && addresses.length > 0) await this.#writer.apply(rules.allow(addresses));
      },
    };
  }

  notes(): Promise<string[]> {
    return readFirewallNotes(this.#host, this.#tools, this.#plan);
  }

  async close(): Promise<void> {
    this.#guard.rest();
    await this.#uplinks.rest();
    await this.#spares.close();
    await sweepLinks(this.#host, this.#tools.ip, this.#plan);
    await this.#writer.apply(dropScript(this.#plan.table));
    await this.#forwarding.close();
  }

  /** All of the table again, with the rules of every run under way, in one transaction. */
  #putUp(): Promise<void> {
    const rules = [...this.#live].map((run) => run.add());
    return this.#writer.apply(wallScript(this.#plan, this.#forwarding.opened) + rules.join(""));
  }

  async #admit(rules: RunRules): Promise<void> {
    const script = rules.add();
    this.#live.add(rules);
    this.#guard.watch();
    try {
      await this.#change(script);
    } catch (error) {
      this.#forget(rules);
      throw error;
    }
  }

  /** Others may have removed the table. What has been put up again has all that is to be in it. */
  async #change(script: string): Promise<void> {
    await this.#writer.apply(script).catch(async () => {
      if (!(await this.#guard.ensure())) await this.#writer.apply(script);
    });
  }

  #forget(rules: RunRules): void {
    this.#live.delete(rules);
    if (this.#live.size === 0) this.#guard.rest();
  }

  async #dismiss(rules: RunRules): Promise<void> {
    this.#forget(rules);
    try {
      await this.#writer.apply(rules.remove());
    } catch (error) {
      // With the table its rules have gone as well.
      if (!(await this.#guard.ensure())) throw error;
    }
  }

  async #limit({ netns, interface: name }: Link, kbps: number): Promise<void> {
    const tc = this.#tools.tc ?? "tc";
    await settleAll([
      this.#host.run([tc, "-batch", "-"], bandwidthScript(name, kbps)),
      this.#host.run([tc, "-n", netns, "-batch", "-"], bandwidthScript("eth0", kbps)),
    ]);
  }

  #nextZone(): number {
    this.#zones = (this.#zones % ZONES) + 1;
    return this.#zones;
  }
}
