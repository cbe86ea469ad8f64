/**
 * Has those who ask while one look is under way share the next: what each of them is told was seen after it asked.
 * @throws what `look` throws, to each who shares it
 */
export function shareNext<T>(look: () => Promise<T>): () => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  let next: Promise<T> | null = null;
  return () => {
    if (next) return next;
    const shared = last.then(() => {
      next = null;
      return look();
    });
    next = shared;
    last = shared.catch(() => undefined);
    return shared;
  };
}
