import type { Link } from "./address-plan.ts";
import type { NetworkUsage } from "./types.ts";

interface Counter {
  readonly packets: number;
  readonly bytes: number;
}

/** The counters of one run, in what `nft -j list sets table …` answers (libnftables-json(5)). Zero where there is none. */
export function parseUsage(json: string, { interface: name, guest, ipv6 }: Link): NetworkUsage {
  const counters = readCounters(JSON.parse(json));
  const of = (set: string, key: string): Counter => counters.get(`${set} ${key}`) ?? { packets: 0, bytes: 0 };
  const allowed = [of("allowed4", guest), of("allowed6", ipv6?.guest ?? "")];
  return {
    allowed_connections: allowed.reduce((sum, { packets }) => sum + packets, 0),
    refused_connections: of("refused", name).packets,
    bytes_in: of("received", name).bytes,
    bytes_out: of("sent", name).bytes,
  };
}

/** By the set's name and the element's key. */
function readCounters(document: unknown): Map<string, Counter> {
  const found = new Map<string, Counter>();
  for (const item of listIn(document, "nftables")) {
    const set = fieldOf(item, "set");
    for (const entry of listIn(set, "elem")) {
      const element = fieldOf(entry, "elem");
      const counter = fieldOf(element, "counter");
      const packets = fieldOf(counter, "packets");
      const bytes = fieldOf(counter, "bytes");
      if (typeof packets === "number" && typeof bytes === "number") {
        found.set(`${fieldOf(set, "name")} ${fieldOf(element, "val")}`, { packets, bytes });
      }
    }
  }
  return found;
}

function fieldOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

function listIn(value: unknown, key: string): unknown[] {
  const list = fieldOf(value, key);
  return Array.isArray(list) ? list : [];
}
