/**
 * Like `Promise.all`, but waits for all of them also when one fails: whoever cleans up then meets nothing that is still
 * being made.
 * @throws what the first of them in order threw
 */
export async function settleAll<T extends readonly unknown[] | []>(
  promises: {
    readonly [K in keyof T]: Promise<T[K]>;
  },
): Promise<{ -readonly [K in keyof T]: T[K] }> {
  await Promise.allSettled(promises);
  return Promise.all(promises) as Promise<{ -readonly [K in keyof T]: T[K] }>;
}
