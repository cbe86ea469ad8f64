import { existsSync } from "node:fs";
import { readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { type NetworkHost, runTool } from "../../src/network/host-tools.ts";
import { findExecutable } from "../../src/platform/find-executable.ts";
import type { Child } from "../../src/platform/platform.ts";
import { until } from "./leftovers.ts";
import { platform } from "./platform.ts";

const PYTHON = "/usr/bin/python3";
const PEER = join(import.meta.dirname, "scripts/network-peer.py");
export const SERVED_PORT = 8080;

/** Addresses that answer outside the lab's host, by what they stand for. */
export const OUTSIDE = {
  internet: ["93.184.216.34", "2a00:1450::34"],
  otherInternet: ["51.158.0.1", "2a00:1450::35"],
  privateTen: ["10.77.0.10"],
  privateLan: ["192.168.77.10", "fd77::10"],
  carrier: ["100.64.0.10"],
  metadata: ["169.254.169.254", "fd00:ec2::254"],
  azureAgent: ["168.63.129.16"],
  alibabaMetadata: ["100.100.100.200"],
  internetOfExamples: ["203.0.113.7", "2001:db8::7"],
  nat64: ["64:ff9b::a4d:a"],
} as const;
/** The lab host's own addresses: on its uplink, and on loopback. */
export const HOST_ADDRESSES = ["51.15.0.1", "2a00:100::1", "192.168.9.1"];

export interface Probe {
  readonly protocol: "tcp" | "udp" | "icmp" | "spoof";
  readonly address: string;
  readonly port?: number;
  readonly source?: string;
  readonly download?: number;
  readonly upload?: number;
  readonly patience?: number;
}

export interface Answer {
  readonly outcome: "answered" | "refused" | "silent";
  /** The address that the other side saw, or the error. */
  readonly detail: string;
}

const missing = await missingTool();

/** What a lab needs and this host has not; set-up fetches some of it, to where the tests find it by name. */
async function missingTool(): Promise<string | null> {
  if (!existsSync(PYTHON)) return PYTHON;
  for (const name of ["ip", "nft", "tc", "unshare"]) {
    if ((await findExecutable(name, [], process.env.PATH ?? "")) === null) return name;
  }
  return null;
}

/** Why there can be no lab here, for the `skip` option of a test; false when there can. */
export function noNetworkLab(): string | false {
  if (process.geteuid?.() !== 0) return "network namespaces need root";
  return missing === null ? false : `this host has no ${missing}`;
}

/**
 * A host of its own, in network and mount namespaces that hide those of the machine, with an "internet" beyond its uplink
 * in which every address of {@link OUTSIDE} answers. Nothing of it outlives {@link close}.
 */
export class NetworkLab implements NetworkHost {
  readonly #root: Child;
  readonly #peers: Child[] = [];

  private constructor(root: Child) {
    this.#root = root;
  }

  /** @param ports on which the host itself answers */
  static async open(ports: readonly number[] = [SERVED_PORT, 53]): Promise<NetworkLab> {
    const argv = ["unshare", "--net", "--mount", "--propagation", "private", "sleep", "86400"];
    const root = platform.spawn(argv, { env: { PATH: process.env.PATH ?? "" } });
    const command = () => readFile(`/proc/${root.pid}/comm`, "utf8").catch(() => "");
    await until(async () => (await command()).trim() === "sleep");
    const lab = new NetworkLab(root);
    try {
      await lab.#build(ports);
    } catch (error) {
      await lab.close();
      throw error;
    }
    return lab;
  }

  /** The command that runs another one on the lab's host. */
  get prefix(): string[] {
    const of = (kind: string) => `/proc/${this.#root.pid}/ns/${kind}`;
    return ["nsenter", `--net=${of("net")}`, `--mount=${of("mnt")}`, "--"];
  }

  run(argv: readonly string[], script?: string): Promise<string> {
    return runTool(platform, [...this.prefix, ...argv], script);
  }

  read(path: string): Promise<string> {
    return this.run(["cat", path]);
  }

  async write(path: string, text: string): Promise<void> {
    await this.run(["sh", "-c", 'cat > "$0"', path], text);
  }

  /** The commands that run on the lab's host, by name. */
  async processes(): Promise<string[]> {
    const namespaceOf = (pid: string | number) => readlink(`/proc/${pid}/ns/net`).catch(() => "");
    const own = await namespaceOf(this.#root.pid);
    const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
    const there = await Promise.all(pids.map(async (pid) => (await namespaceOf(pid)) === own));
    const names = pids.filter((_, index) => there[index]).map((pid) => readFile(`/proc/${pid}/comm`, "utf8"));
    return (await Promise.allSettled(names)).flatMap((name) =>
      name.status === "fulfilled" ? [name.value.trim()] : [],
    );
  }

  /** What comes of connecting from the host, or from one of its namespaces; all at the same time. */
  async probe(netns: string | null, probes: readonly Probe[]): Promise<Answer[]> {
    const answers = await this.run([...inside(netns), PYTHON, PEER, "probe"], JSON.stringify(probes));
    return JSON.parse(answers) as Answer[];
  }

  /** Starts a peer that answers on ports of all addresses of the host, or of one of its namespaces. */
  serve(netns: string | null, ...ports: number[]): Promise<void> {
    return this.start(netns, PYTHON, PEER, "serve", ...ports.map(String));
  }

  /** Starts a command in a namespace that goes on until {@link close}, and waits for its first words. */
  async start(netns: string | null, ...command: string[]): Promise<void> {
    const argv = [...this.prefix, ...inside(netns), ...command];
    const peer = platform.spawn(argv, { env: { PATH: process.env.PATH ?? "" } });
    this.#peers.push(peer);
    for await (const _ of peer.stdout) return;
  }

  async close(): Promise<void> {
    for (const child of [...this.#peers, this.#root]) child.kill("SIGKILL");
    await Promise.all([...this.#peers, this.#root].map(({ exited }) => exited));
  }

  async #build(ports: readonly number[]): Promise<void> {
    await this.run(["mkdir", "-p", "/run/netns"]);
    await this.run(["mount", "-t", "tmpfs", "lab", "/run/netns"]);
    await this.run(["mount", "-t", "sysfs", "lab", "/sys"]);
    const isIpv6 = (address: string) => address.includes(":");
    const addresses = Object.values(OUTSIDE).flat();
    await this.run(
      ["ip", "-batch", "-"],
      `link set lo up
netns add outside
link add uplink type veth peer name eth0 netns outside
addr add 51.15.0.1/24 dev uplink
addr add 2a00:100::1/64 dev uplink nodad
addr add 192.168.9.1/32 dev lo
link set uplink up
`,
    );
    await this.run(
      ["ip", "-n", "outside", "-batch", "-"],
      `link set lo up
addr add 51.15.0.2/24 dev eth0
addr add 2a00:100::2/64 dev eth0 nodad
${addresses.map((address) => `addr add ${address}/${isIpv6(address) ? "128" : "32"} dev lo`).join("\n")}
link set eth0 up
`,
    );
    await this.run(
      ["ip", "-batch", "-"],
      "route add default via 51.15.0.2\nroute add default via 2a00:100::2\n",
    );
    await this.serve("outside", SERVED_PORT, 53, 443);
    await this.serve(null, ...ports);
  }
}

function inside(netns: string | null): string[] {
  return netns === null ? [] : ["ip", "netns", "exec", netns];
}
