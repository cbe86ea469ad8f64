import { abortable } from "../abortable.ts";

/**
 * The same chunks, until the signal aborts: then it ends with the signal's reason, without waiting for the next one.
 */
export async function* untilAborted<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T> {
  if (!signal) return yield* source;
  const iterator = source[Symbol.asyncIterator]();
  try {
    for (;;) {
      // Before a chunk is asked for: of one that nobody waits for, an error would go unheard.
      signal.throwIfAborted();
      const next = await abortable(iterator.next(), signal);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    // A generator that waits for its next chunk ends only then, so nobody waits for it here.
    iterator.return?.().catch(() => {});
  }
}
