import type { CleanupStack } from "../core/cleanup-stack.ts";
import { BoxerError, messageOf } from "../core/errors.ts";
import { type AddressPlan, LINK_PREFIX, type Link } from "./address-plan.ts";
import { BatchWriter } from "./batch-writer.ts";
import type { Forwarding } from "./forwarding.ts";
import type { NetworkHost } from "./host-tools.ts";
import { linkScripts } from "./link-scripts.ts";
import { parseRoutes, routesInto } from "./routes.ts";
import { Slots } from "./slots.ts";
import { findLinks, haveGone, removeLeft } from "./sweep-links.ts";

const ROUTES = "/proc/net/route";
/** Slots tried that others' routes lie on, before giving up. */
const ATTEMPTS = 64;

/** Makes the namespaces of runs and their links to the host. */
export class LinkMaker {
  readonly #host: NetworkHost;
  readonly #ip: string;
  readonly #plan: AddressPlan;
  readonly #forwarding: Forwarding;
  readonly #slots: Slots;
  readonly #removals: BatchWriter;

  /** @param first slot that is used; a server that starts anew had better begin elsewhere than the last */
  constructor(host: NetworkHost, ip: string, plan: AddressPlan, forwarding: Forwarding, first: number) {
    this.#host = host;
    this.#ip = ip;
    this.#plan = plan;
    this.#forwarding = forwarding;
    this.#slots = new Slots(plan.slots, first);
    this.#removals = new BatchWriter(host, [ip, "-batch", "-"]);
  }

  /**
   * Makes a namespace and a link whose addresses nobody on the host uses.
   * @param cleanup told how to remove both
   * @throws BoxerError `sandbox_failed`
   */
  async make(cleanup: CleanupStack): Promise<Link> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const routes = await this.#host.read(ROUTES);
      const slot = this.#slots.take();
      if (slot === null) break;
      const link = this.#plan.link(slot);
      if (isForeign(link, routes)) this.#slots.release(slot);
      else {
        const remove = async () => {
          await this.#remove(link);
          this.#slots.release(slot);
        };
        if (await this.#build(link, remove, cleanup)) return link;
      }
    }
    throw new BoxerError(
      "sandbox_failed",
      `Cannot set up the network: no address is free in ${this.#plan.network}`,
    );
  }

  /** Makes the guest's end as it was when it was made. @throws BoxerError `sandbox_failed` */
  async restore(link: Link): Promise<void> {
    await this.#host.run([this.#ip, "-n", link.netns, "-batch", "-"], linkScripts(link).enter);
  }

  /** Whether a link that was made is there, and nobody else has its addresses. @throws as readFile */
  async isIntact(link: Link): Promise<boolean> {
    const routes = await this.#host.read(ROUTES);
    return ownersOf(link, routes).includes(link.interface) && !isForeign(link, routes);
  }

  /** @returns whether the addresses are still nobody else's now that ours are set: of two servers that met, each sees it */
  async #build(link: Link, remove: () => Promise<void>, cleanup: CleanupStack): Promise<boolean> {
    try {
      await this.#host.run([this.#ip, "-batch", "-"], linkScripts(link).make);
      await this.#forwarding.openLink(link.interface);
      await this.restore(link);
      if (!isForeign(link, await this.#host.read(ROUTES))) {
        cleanup.defer(`network ${link.netns}`, remove);
        return true;
      }
    } catch (error) {
      cleanup.defer(`network ${link.netns}`, remove);
      throw error;
    }
    await remove();
    return false;
  }

  /** @throws BoxerError `sandbox_failed` when something of it stays */
  async #remove(link: Link): Promise<void> {
    try {
      await this.#removals.apply(linkScripts(link).remove);
      if (await haveGone(this.#host, [link.interface])) return;
    } catch {
      // It may have been made in part only.
    }
    const found = await findLinks(this.#host, this.#ip, this.#plan);
    await removeLeft(this.#host, this.#ip, {
      namespaces: found.namespaces.filter((name) => name === link.netns),
      interfaces: found.interfaces.filter((name) => name === link.interface),
    }).catch((cause) => {
      throw new BoxerError("sandbox_failed", `Cannot remove ${link.netns}: ${messageOf(cause)}`, { cause });
    });
  }
}

/** The interfaces to which the addresses of a link are routed. */
function ownersOf({ host }: Link, routes: string): string[] {
  return routesInto(parseRoutes(routes), `${host}/${LINK_PREFIX}`).map((route) => route.interface);
}

/** Whether somebody else on the host uses the addresses of a link. */
function isForeign(link: Link, routes: string): boolean {
  return ownersOf(link, routes).some((name) => name !== link.interface);
}
