import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { BoxerError, errnoOf } from "../core/errors.ts";
import type { NetworkHost } from "./host-tools.ts";
import type { Uplinks } from "./routes.ts";

/** Interfaces that forward for our sake only. */
export type OpenedUplinks = Uplinks;

/**
 * Where the kernel keeps whether it forwards (ip-sysctl of the kernel's documentation), for all interfaces and for one.
 * IPv4 looks at the interface that a packet comes in by. IPv6 does so since Linux 6.17 only, by `force_forwarding`; its
 * older `forwarding` would make a router of the host, which then believes no router advertisements.
 */
const FAMILIES = {
  ipv4: {
    global: "/proc/sys/net/ipv4/ip_forward",
    of: (name: string) => `/proc/sys/net/ipv4/conf/${name}/forwarding`,
  },
  ipv6: {
    global: "/proc/sys/net/ipv6/conf/all/forwarding",
    of: (name: string) => `/proc/sys/net/ipv6/conf/${name}/force_forwarding`,
  },
} as const;
export type Family = keyof typeof FAMILIES;

/** Has the host forward for our interfaces, and no further than the operator consents. */
export class Forwarding {
  readonly #host: NetworkHost;
  readonly #record: string;
  #opened: OpenedUplinks = { ipv4: [], ipv6: [] };
  /** The families in which new links must be opened one by one. */
  #perLink: readonly Family[] = [];

  /** @param record path of a file that tells the next server what this one opened, should it be killed */
  constructor(host: NetworkHost, record: string) {
    this.#host = host;
    this.#record = record;
  }

  get opened(): OpenedUplinks {
    return this.#opened;
  }

  /** Whether the host forwards as a whole, whoever wanted that. */
  async isOn(family: Family): Promise<boolean> {
    return (await this.#read(FAMILIES[family].global)) === "1";
  }

  /** Whether a family can be opened for some interfaces only. */
  async canOpen(family: Family): Promise<boolean> {
    return (await this.#read(FAMILIES[family].of("all"))) !== undefined;
  }

  /**
   * Opens those of the uplinks that are shut, of families that are off, beside what is open already. The record comes first:
   * a kill in between leaves no trace unknown.
   * @param shield keeps what is going to be open from forwarding for others, and is done before it is
   */
  async open(
    uplinks: Partial<Record<Family, readonly string[]>>,
    shield: (opened: OpenedUplinks) => Promise<void>,
  ): Promise<void> {
    const fresh = {
      ipv4: await this.shutOf("ipv4", uplinks.ipv4 ?? []),
      ipv6: await this.shutOf("ipv6", uplinks.ipv6 ?? []),
    };
    this.#perLink = [...new Set([...this.#perLink, ...(Object.keys(uplinks) as Family[])])];
    this.#opened = {
      ipv4: [...new Set([...this.#opened.ipv4, ...fresh.ipv4])],
      ipv6: [...new Set([...this.#opened.ipv6, ...fresh.ipv6])],
    };
    if (this.#perLink.length > 0) {
      await writeFile(`${this.#record}.new`, JSON.stringify(this.#opened));
      await rename(`${this.#record}.new`, this.#record);
    }
    await shield(this.#opened);
    await this.#write(fresh, "1");
  }

  /** Which of some interfaces do not forward. Those that are not there are none. */
  async shutOf(family: Family, names: readonly string[]): Promise<string[]> {
    const values = await Promise.all(names.map((name) => this.#read(FAMILIES[family].of(name))));
    return names.filter((_, index) => values[index] === "0");
  }

  /** Leaves a family's uplinks to whoever has the host forward as a whole. */
  yield(family: Family): void {
    this.#opened = { ...this.#opened, [family]: [] };
  }

  /** Opens one of our own interfaces. */
  async openLink(name: string): Promise<void> {
    for (const family of this.#perLink) await this.#host.write(FAMILIES[family].of(name), "1");
  }

  /** Gives back what an earlier server opened, and was killed. */
  async restore(): Promise<void> {
    const opened = await readRecord(this.#record);
    if (opened) await this.#giveBack(opened);
  }

  /** Gives back what was opened. */
  async close(): Promise<void> {
    if (this.#perLink.length > 0) await this.#giveBack(this.#opened);
  }

  /** Where somebody has turned forwarding on for all of the host meanwhile, it is theirs. */
  async #giveBack(opened: OpenedUplinks): Promise<void> {
    await this.#write(
      {
        ipv4: (await this.isOn("ipv4")) ? [] : opened.ipv4,
        ipv6: (await this.isOn("ipv6")) ? [] : opened.ipv6,
      },
      "0",
    );
    await rm(this.#record, { force: true });
  }

  async #write(uplinks: OpenedUplinks, value: "0" | "1"): Promise<void> {
    for (const family of ["ipv4", "ipv6"] as const) {
      for (const name of uplinks[family]) {
        const path = FAMILIES[family].of(name);
        // An uplink may have gone for good.
        if ((await this.#read(path)) !== undefined) await this.#host.write(path, value);
      }
    }
  }

  /** Undefined where the kernel has no such file: no such interface, or no IPv6. */
  async #read(path: string): Promise<string | undefined> {
    const text = await this.#host.read(path).catch(() => undefined);
    return text?.trim();
  }
}

async function readRecord(path: string): Promise<OpenedUplinks | undefined> {
  try {
    const { ipv4, ipv6 } = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
    return { ipv4: namesIn(ipv4), ipv6: namesIn(ipv6) };
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || error instanceof SyntaxError) return undefined;
    throw new BoxerError("internal", `Cannot read ${path}`, { cause: error });
  }
}

/** Names of interfaces (netdevice(7)); they become parts of paths. */
function namesIn(value: unknown): string[] {
  const names = Array.isArray(value) ? value : [];
  return names.filter((name) => typeof name === "string" && /^(?!\.\.?$)[^/\s]{1,15}$/.test(name));
}
