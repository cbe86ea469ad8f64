/**
 * Like `Promise.all`, but waits for all of them also when one fails: whoever cleans up then meets nothing that is still
 * being made.
 * @throws what the first of them in order threw
 */
export async function settleAll<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}
