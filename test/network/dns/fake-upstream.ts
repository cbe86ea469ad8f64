import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { type Answer, decode, encode, RECURSION_AVAILABLE, TRUNCATED_RESPONSE } from "dns-packet";
import { frame, readFrames } from "../../../src/network/dns/tcp-frames.ts";

/** A question as the fake was asked it. */
export interface Asked {
  readonly name: string;
  readonly type: string;
  readonly id: number;
  readonly transport: "udp" | "tcp";
  readonly message: Buffer;
}

/** What the fake says: records under a response code, or bytes as they are; nothing is said for null. */
export type Script = (
  asked: Asked,
) => { rcode?: number; truncated?: boolean; records?: Answer[] } | Buffer | Buffer[] | null;

/** A name server on loopback, by UDP and TCP, that does as it is told. */
export interface FakeUpstream {
  readonly address: string;
  readonly port: number;
  /** All questions so far. */
  readonly asked: readonly Asked[];
  script: Script;
  close(): Promise<void>;
}

/** Records of a name by A, of those that do not matter of no class but IN. */
export const a = (name: string, data: string, ttl = 60): Answer => ({ type: "A", name, data, ttl });
export const aaaa = (name: string, data: string, ttl = 60): Answer => ({ type: "AAAA", name, data, ttl });
export const cname = (name: string, data: string, ttl = 60): Answer => ({ type: "CNAME", name, data, ttl });

/** The whole message of an answer. */
export function answerTo(asked: Asked, records: Answer[], rcode = 0, truncated = false): Buffer {
  return encode({
    type: "response",
    id: asked.id,
    flags: RECURSION_AVAILABLE | rcode | (truncated ? TRUNCATED_RESPONSE : 0),
    questions: [{ name: asked.name, type: asked.type as "A" }],
    answers: records,
  });
}

export async function startFakeUpstream(script: Script): Promise<FakeUpstream> {
  const asked: Asked[] = [];
  const sockets = new Set<Socket>();
  const respond = (message: Buffer, transport: "udp" | "tcp"): Buffer[] => {
    const { id = 0, questions: [question] = [] } = decode(message);
    const one: Asked = { id, name: question?.name ?? "", type: question?.type ?? "", transport, message };
    asked.push(one);
    const said = fake.script(one);
    if (said === null) return [];
    if (Buffer.isBuffer(said)) return [said];
    if (Array.isArray(said)) return said;
    return [answerTo(one, said.records ?? [], said.rcode, said.truncated)];
  };

  const tcp = createServer(async (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    try {
      for await (const message of readFrames(socket, 65_535)) {
        for (const reply of respond(message, "tcp")) socket.write(frame(reply));
      }
    } catch {}
    socket.destroy();
  });
  tcp.listen(0, "127.0.0.1");
  await once(tcp, "listening");
  const { port } = tcp.address() as AddressInfo;
  const udp = createSocket("udp4");
  udp.on("message", (message, from) => {
    for (const reply of respond(message, "udp")) udp.send(reply, from.port, from.address);
  });
  udp.bind(port, "127.0.0.1");
  await once(udp, "listening");

  const fake: FakeUpstream = {
    address: "127.0.0.1",
    port,
    asked,
    script,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => tcp.close(resolve));
      await new Promise<void>((resolve) => udp.close(resolve));
    },
  };
  return fake;
}
