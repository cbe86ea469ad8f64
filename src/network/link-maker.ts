import type { CleanupStack } from "../core/cleanup-stack.ts";
import { BoxerError, messageOf } from "../core/errors.ts";
import type { AddressPlan, Link } from "./address-plan.ts";
import type { Forwarding } from "./forwarding.ts";
import type { NetworkHost } from "./host-tools.ts";
import { linkScripts } from "./link-scripts.ts";
import { parseRoutes, routesInto } from "./routes.ts";
import { Slots } from "./slots.ts";
import { findLinks } from "./sweep-links.ts";

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

  constructor(host: NetworkHost, ip: string, plan: AddressPlan, forwarding: Forwarding) {
    this.#host = host;
    this.#ip = ip;
    this.#plan = plan;
    this.#forwarding = forwarding;
    this.#slots = new Slots(plan.slots, Number.parseInt(plan.tag, 16));
  }

  /**
   * Makes a namespace and a link whose addresses nobody on the host uses.
   * @param cleanup told how to remove both
   * @throws BoxerError `sandbox_failed`
   */
  async make(cleanup: CleanupStack): Promise<Link> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const slot = this.#slots.take();
      if (slot === null) break;
      const link = this.#plan.link(slot);
      if (await this.#isFree(link)) {
        const remove = async () => {
          await this.#remove(link);
          this.#slots.release(slot);
        };
        if (await this.#build(link, remove, cleanup)) return link;
      } else this.#slots.release(slot);
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

  /** @returns whether the addresses are still nobody else's now that ours are set: of two servers that met, each sees it */
  async #build(link: Link, remove: () => Promise<void>, cleanup: CleanupStack): Promise<boolean> {
    try {
      await this.#host.run([this.#ip, "-batch", "-"], linkScripts(link).make);
      await this.#forwarding.openLink(link.interface);
      await this.restore(link);
      if (await this.#isFree(link)) {
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

  async #isFree(link: Link): Promise<boolean> {
    const routes = parseRoutes(await this.#host.read(ROUTES));
    return routesInto(routes, `${link.host}/30`).every((route) => route.interface === link.interface);
  }

  /** @throws BoxerError `sandbox_failed` when something of it stays */
  async #remove(link: Link): Promise<void> {
    try {
      await this.#host.run([this.#ip, "-force", "-batch", "-"], linkScripts(link).remove);
    } catch (error) {
      // It may have been made in part only.
      const { interfaces, namespaces } = await findLinks(this.#host, this.#ip, this.#plan);
      if (!interfaces.includes(link.interface) && !namespaces.includes(link.netns)) return;
      throw new BoxerError("sandbox_failed", `Cannot remove ${link.netns}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
}
