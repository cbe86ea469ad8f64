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
  const state: FeedState = { isStopped: false, wake() {} };
  const feeding = feed(source, compressor, state);
  try {
    for await (const chunk of compressor) yield chunk;
  } finally {
    state.isStopped = true;
    state.wake();
    compressor.destroy();
    await feeding;
  }
}

/** What the two ends of a compression have to tell each other. */
interface FeedState {
  isStopped: boolean;
  /** Ends the wait of the one who feeds, if it waits. */
  wake(): void;
}

/** Never rejects: a fault of the source becomes one of the compressor. */
async function feed(source: AsyncIterable<Uint8Array>, compressor: Gzip, state: FeedState): Promise<void> {
  try {
    for await (const chunk of source) {
      if (state.isStopped) return;
      if (!compressor.write(chunk)) await drained(compressor, state);
    }
    compressor.end();
  } catch (error) {
    compressor.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Not every runtime tells a destroyed stream's writer by an event. */
function drained(compressor: Gzip, state: FeedState): Promise<void> {
  return new Promise((resolve) => {
    state.wake = resolve;
    compressor.once("drain", resolve);
  });
}
