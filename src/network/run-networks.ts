import type { CleanupStack } from "../core/cleanup-stack.ts";
import { BoxerError } from "../core/errors.ts";
import { settleAll } from "../core/settle-all.ts";
import type { AddressPlan, Link } from "./address-plan.ts";
import { bandwidthScript } from "./bandwidth.ts";
import type { Forwarding } from "./forwarding.ts";
import type { NetworkHost } from "./host-tools.ts";
import { LinkMaker } from "./link-maker.ts";
import { parseUsage } from "./parse-usage.ts";
import { RunRules } from "./run-rules.ts";
import { sweepLinks } from "./sweep-links.ts";
import { TableGuard } from "./table-guard.ts";
import { TableWriter } from "./table-writer.ts";
import type { NetworkPolicy, Networks, RunNetwork } from "./types.ts";
import { wallScript } from "./wall.ts";

/** Where ip-netns(8) mounts namespaces by name. */
const NETNS_DIRECTORY = "/run/netns";

/** Paths of the host's tools; without tc there are no limits of bandwidth. */
export interface NetworkTools {
  readonly ip: string;
  readonly nft: string;
  readonly tc: string | null;
}

/** {@link Networks} on a host that can have them, with its table in place. */
export class RunNetworks implements Networks {
  readonly unavailable = null;
  readonly notes: readonly string[];
  readonly #host: NetworkHost;
  readonly #tools: NetworkTools;
  readonly #plan: AddressPlan;
  readonly #forwarding: Forwarding;
  readonly #links: LinkMaker;
  readonly #writer: TableWriter;
  readonly #guard: TableGuard;
  readonly #live = new Set<RunRules>();

  constructor(
    host: NetworkHost,
    tools: NetworkTools,
    plan: AddressPlan,
    forwarding: Forwarding,
    notes: readonly string[],
  ) {
    this.#host = host;
    this.#tools = tools;
    this.#plan = plan;
    this.#forwarding = forwarding;
    this.notes = notes;
    this.#links = new LinkMaker(host, tools.ip, plan, forwarding);
    this.#writer = new TableWriter(host, tools.nft);
    this.#guard = new TableGuard(host, tools.nft, plan.table, () => this.#putUp());
  }

  /** See {@link Networks.create}. The link is mute until its rules are there. */
  async create(policy: NetworkPolicy, cleanup: CleanupStack): Promise<RunNetwork> {
    if (policy.bandwidth_kbps !== null && this.#tools.tc === null) {
      const field = "bandwidth_kbps";
      throw new BoxerError("limit_unenforceable", `${field} is not enforced: this host has no tc`, { field });
    }
    await this.#yieldToOthers();
    const link = await this.#links.make(cleanup);
    const rules = new RunRules(this.#plan.table, link, policy);
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

  async close(): Promise<void> {
    this.#guard.rest();
    await sweepLinks(this.#host, this.#tools.ip, this.#plan);
    const table = `inet ${this.#plan.table}`;
    await this.#writer.apply(`add table ${table}\ndelete table ${table}\n`);
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
      await this.#writer.apply(script).catch(async () => {
        // Others may have removed the table. What has been put up again has these rules as well.
        if (!(await this.#guard.ensure())) await this.#writer.apply(script);
      });
    } catch (error) {
      this.#forget(rules);
      throw error;
    }
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

  #listSets(): Promise<string> {
    return this.#host.run([this.#tools.nft, "-j", "list", "sets", "table", "inet", this.#plan.table]);
  }

  /** Somebody, Docker for one, may have the host forward by now: then it is no longer for us to say what it forwards. */
  async #yieldToOthers(): Promise<void> {
    for (const [family, set] of [
      ["ipv4", "opened4"],
      ["ipv6", "opened6"],
    ] as const) {
      if (this.#forwarding.opened[family].length === 0 || !(await this.#forwarding.isOn(family))) continue;
      await this.#writer.apply(`flush set inet ${this.#plan.table} ${set}\n`);
      this.#forwarding.yield(family);
    }
  }
}
