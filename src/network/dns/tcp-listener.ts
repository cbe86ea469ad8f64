import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { drained } from "../../core/drained.ts";
import { MAX_QUERY_BYTES } from "./dns-query.ts";
import { frame, readFrames } from "./tcp-frames.ts";
import type { Listener, Respond } from "./udp-listener.ts";

/** More than upstream servers may take together; after it a connection without a query is closed (RFC 7766, 6.2.3). */
const IDLE_MS = 10_000;

/**
 * Answers queries that come on connections, on each one after the other. A connection is closed when it idles, and at
 * the first message that has no answer.
 * @param connections most at a time; one more is closed at once
 * @throws Error of the system when the address cannot be bound
 */
export async function listenByTcp(
  address: string,
  port: number,
  connections: number,
  respond: Respond,
): Promise<Listener> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    if (sockets.size >= connections) return socket.destroy();
    sockets.add(socket);
    serve(socket, respond).finally(() => {
      socket.destroy();
      sockets.delete(socket);
    });
  });
  server.listen(port, address);
  await once(server, "listening");
  // Such as too many open files while accepting: the guest asks again.
  server.on("error", () => undefined);
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Never throws: what goes wrong on a connection ends it, and nothing else. */
async function serve(socket: Socket, respond: Respond): Promise<void> {
  socket.on("error", () => undefined);
  socket.setTimeout(IDLE_MS, () => socket.destroy());
  try {
    for await (const message of readFrames(socket, MAX_QUERY_BYTES)) {
      const reply = await respond(message, "tcp");
      if (!reply || socket.destroyed) return;
      // Who does not read is waited for until the connection idles.
      if (!socket.write(frame(reply))) await drained(socket);
    }
  } catch {}
}
