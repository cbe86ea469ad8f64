import { createGzip, type Gzip } from "node:zlib";

/** Much faster than the default level, and little larger for what is text or is compressed already. */
const LEVEL = 1;

/**
 * Compresses a stream (RFC 1952), and asks it for more only as fast as the result is taken. Ending it early ends the
 * source as well.
 * @throws what the source throws
 */
export async function* gzip(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const compressor = createGzip({ level: LEVEL });
  const stopped = Promise.withResolvers<void>();
  const state = { isStopped: false, stopped: stopped.promise };
  const feeding = feed(source, compressor, state);
  try {
    for await (const chunk of compressor) yield chunk;
  } finally {
    state.isStopped = true;
    stopped.resolve();
    compressor.destroy();
    await feeding;
  }
}

/** Never rejects: a fault of the source becomes one of the compressor. */
async function feed(
  source: AsyncIterable<Uint8Array>,
  compressor: Gzip,
  state: { readonly isStopped: boolean; readonly stopped: Promise<void> },
): Promise<void> {
  try {
    for await (const chunk of source) {
      // Not every runtime tells a destroyed stream's writer by an event.
      if (!compressor.write(chunk)) await Promise.race([drained(compressor), state.stopped]);
      if (state.isStopped) return;
    }
    compressor.end();
  } catch (error) {
    compressor.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

function drained(compressor: Gzip): Promise<void> {
  return new Promise((resolve) => compressor.once("drain", resolve));
}
