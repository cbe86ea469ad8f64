/**
 * Waits for a promise, at most so long; it goes on when nobody waits for it any more.
 * @returns what it gives, or `late`
 * @throws what it rejects with in time
 */
export async function within<T>(promise: Promise<T>, duration_ms: number): Promise<T | "late"> {
  const { promise: late, resolve } = Promise.withResolvers<"late">();
  const timer = setTimeout(() => resolve("late"), duration_ms);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
