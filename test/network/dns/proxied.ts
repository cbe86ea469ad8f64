import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { type DecodedPacket, decode, encode, type Packet, RECURSION_DESIRED } from "dns-packet";
import { silentLog } from "../../../src/core/log.ts";
import {
  type DnsProxy,
  type DnsProxyOptions,
  startDnsProxy,
} from "../../../src/network/dns/start-dns-proxy.ts";
import { frame, readFrames } from "../../../src/network/dns/tcp-frames.ts";
import { createEgressPolicy } from "../../../src/network/egress/egress-policy.ts";
import { parseEgressRules, type StatedEgress } from "../../../src/network/egress/egress-rules.ts";
import {
  parseOperatorEgress,
  type StatedOperatorEgress,
} from "../../../src/network/egress/operator-egress.ts";
import type { AllowedAddress } from "../../../src/network/types.ts";
import { isForbidden } from "../egress/is-forbidden.ts";
import { type FakeUpstream, type Script, startFakeUpstream } from "./fake-upstream.ts";

/** What a proxy said, with the code that the types leave out. */
export type Told = DecodedPacket & { readonly code: number; readonly addresses: readonly string[] };

/** A proxy between a client and a fake upstream. */
export interface Proxied {
  readonly proxy: DnsProxy;
  readonly upstream: FakeUpstream;
  /** What it opened. */
  readonly opened: AllowedAddress[];
  ask(name: string, type?: string, transport?: "udp" | "tcp"): Promise<Told>;
  close(): Promise<void>;
}

/** The policy of a run. */
export function policyOf(request?: StatedEgress, operator: StatedOperatorEgress = {}) {
  return createEgressPolicy(
    parseOperatorEgress(operator, isForbidden),
    request && parseEgressRules(request, "egress"),
    isForbidden,
  );
}

export async function startProxied(script: Script, options: Partial<DnsProxyOptions> = {}): Promise<Proxied> {
  const upstream = await startFakeUpstream(script);
  const opened: AllowedAddress[] = [];
  const proxy = await startDnsProxy({
    bind: { address: "127.0.0.1", port: 0 },
    upstreams: [upstream],
    policy: policyOf({ allow: ["api.example.com", "*.example.org"] }),
    isForbidden,
    open: async (addresses) => void opened.push(...addresses),
    hasIpv6: true,
    log: silentLog,
    ...options,
  }).catch(async (error: unknown) => {
    await upstream.close();
    throw error;
  });
  return {
    proxy,
    upstream,
    opened,
    ask: (name, type = "A", transport = "udp") =>
      transport === "udp" ? askByUdp(proxy.port, query(name, type)) : askByTcp(proxy.port, query(name, type)),
    async close() {
      await proxy.close();
      await upstream.close();
    },
  };
}

/** The message of a query as a stub resolver sends it. */
export function query(name: string, type = "A", more: Packet = {}): Buffer {
  return encode({
    type: "query",
    id: 0x1234,
    flags: RECURSION_DESIRED,
    questions: [{ name, type: type as "A" }],
    ...more,
  });
}

/** Sends a message and takes the one that comes back. */
export async function askByUdp(port: number, message: Buffer): Promise<Told> {
  const socket = createSocket("udp4");
  try {
    socket.send(message, port, "127.0.0.1");
    const [reply] = (await once(socket, "message")) as [Buffer];
    return told(reply);
  } finally {
    socket.close();
  }
}

/** Likewise by TCP; throws when the connection is closed instead. */
export async function askByTcp(port: number, message: Buffer): Promise<Told> {
  const socket = connect(port, "127.0.0.1");
  try {
    socket.write(frame(message));
    for await (const reply of readFrames(socket, 65_535)) return told(reply);
    throw new Error("closed");
  } finally {
    socket.destroy();
  }
}

export function told(reply: Buffer): Told {
  const packet = decode(reply);
  const addresses = (packet.answers ?? []).map((record) => ("data" in record ? String(record.data) : ""));
  return { ...packet, code: reply.readUInt8(3) & 15, addresses };
}
