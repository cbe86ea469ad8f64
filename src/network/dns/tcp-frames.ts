import type { Socket } from "node:net";

const LENGTH_BYTES = 2;

/** A message with its length before it, as DNS has it on TCP (RFC 1035, 4.2.2). */
export function frame(message: Buffer): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/**
 * The messages that come on a connection, each as soon as it is whole. More is read from the connection only when the
 * next one is asked for; at most one message and one chunk are held.
 * @throws Error for a message longer than `most_bytes`, or the connection's own
 */
export async function* readFrames(socket: Socket, most_bytes: number): AsyncGenerator<Buffer> {
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    while (held.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + held.readUInt16BE(0);
      if (end > LENGTH_BYTES + most_bytes) throw new Error("the message is too long");
      if (held.length < end) break;
      yield held.subarray(LENGTH_BYTES, end);
      held = held.subarray(end);
    }
  }
}
