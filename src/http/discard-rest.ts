const MAX_BYTES = 256 * 1024 * 1024;
const MAX_MS = 10_000;

/**
 * Reads on after a request was refused: many clients look for the answer only when all of their body is sent, and a
 * connection closed on them would take the answer with it. No endless body is read for ever, though.
 * @returns whether the body has come to its end; if not, the connection is good for nothing more
 */
export async function discardRest(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  max_ms = MAX_MS,
): Promise<boolean> {
  const { promise: late, resolve: stop } = Promise.withResolvers<"late">();
  const timer = setTimeout(() => stop("late"), max_ms);
  try {
    for (let discarded = 0; discarded < MAX_BYTES; ) {
      const part = await Promise.race([reader.read(), late]);
      if (part === "late") break;
      if (part.done) return true;
      discarded += part.value.byteLength;
    }
    await reader.cancel();
  } catch {
    // The client is gone, and there is nobody to answer.
  } finally {
    clearTimeout(timer);
  }
  return false;
}
