import { createSocket } from "node:dgram";
import { connect, isIPv6 } from "node:net";
import ipaddr from "ipaddr.js";
import { frame, readFrames } from "./tcp-frames.ts";
import { MAX_ANSWER_BYTES } from "./upstream-message.ts";

/** A name server. */
export interface UpstreamServer {
  /** IPv4 or IPv6, never a name. */
  readonly address: string;
  readonly port: number;
}

/** What one exchange needs. */
export interface Exchange<T> {
  readonly server: UpstreamServer;
  readonly message: Buffer;
  /** Reads a reply; undefined when it is not for this message. */
  accept(reply: Buffer): T | undefined;
  /** Ends it early; the exchange then fails. */
  readonly signal: AbortSignal;
  readonly timeout_ms: number;
}

/** Replies that are not for the message, after which a forger is at work rather than a late answer on its way. */
const MAX_STRAY_REPLIES = 8;

/**
 * Sends a message by UDP, from a port of its own that the kernel picks, and takes the reply that comes from the server
 * and is accepted.
 * @throws Error when none comes in time, or too many others do
 */
export function exchangeByUdp<T>({ server, message, accept, signal, timeout_ms }: Exchange<T>): Promise<T> {
  return settle(signal, timeout_ms, (resolve, reject) => {
    const socket = createSocket(isIPv6(server.address) ? "udp6" : "udp4");
    let strays = 0;
    socket.on("error", reject);
    socket.on("message", (bytes, from) => {
      // Not every runtime keeps others away from a connected socket.
      const accepted = isFrom(server, from) ? accept(bytes) : undefined;
      if (accepted !== undefined) return resolve(accepted);
      strays += 1;
      if (strays > MAX_STRAY_REPLIES) reject(new Error("replies came that nobody asked for"));
    });
    socket.send(message, server.port, server.address, (error) => error && reject(error));
    return () => socket.close();
  });
}

function isFrom(server: UpstreamServer, from: UpstreamServer): boolean {
  return from.port === server.port && canonical(from.address) === canonical(server.address);
}

function canonical(address: string): string {
  return ipaddr.parse(address).toString();
}

/**
 * Sends a message by TCP (RFC 7766) and reads the reply.
 * @throws Error when none comes in time, it is too long, or it is not accepted
 */
export function exchangeByTcp<T>({ server, message, accept, signal, timeout_ms }: Exchange<T>): Promise<T> {
  return settle(signal, timeout_ms, (resolve, reject) => {
    const socket = connect(server.port, server.address);
    socket.on("error", reject);
    socket.write(frame(message));
    const read = async () => {
      for await (const reply of readFrames(socket, MAX_ANSWER_BYTES)) {
        const accepted = accept(reply);
        if (accepted === undefined) throw new Error("the reply is not for the question");
        return resolve(accepted);
      }
      throw new Error("the connection ended without a reply");
    };
    read().catch(reject);
    return () => socket.destroy();
  });
}

/** Settles once, whichever comes first, and then undoes what was started. */
async function settle<T>(
  signal: AbortSignal,
  timeout_ms: number,
  start: (resolve: (value: T) => void, reject: (reason: unknown) => void) => () => void,
): Promise<T> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const undo = start(resolve, reject);
  const timer = setTimeout(() => reject(new Error(`no reply within ${timeout_ms} ms`)), timeout_ms);
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    undo();
  }
}
