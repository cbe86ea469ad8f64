import { createSocket } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";

/** Answers a message; undefined leaves it unanswered. Never throws. */
export type Respond = (message: Buffer, transport: "udp" | "tcp") => Promise<Buffer | undefined>;

/** A bound socket. */
export interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Answers datagrams.
 * @throws Error of the system when the address cannot be bound
 */
export async function listenByUdp(address: string, port: number, respond: Respond): Promise<Listener> {
  const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
  let open = true;
  socket.bind(port, address);
  try {
    await once(socket, "listening");
  } catch (error) {
    socket.close();
    throw error;
  }
  // A reply that cannot be delivered is the guest's own loss.
  socket.on("error", () => undefined);
  socket.on("message", async (message, from) => {
    const reply = await respond(message, "udp");
    if (reply && open) socket.send(reply, from.port, from.address, () => undefined);
  });
  return {
    port: socket.address().port,
    async close() {
      open = false;
      await new Promise<void>((resolve) => socket.close(resolve));
    },
  };
}
