/** One of those that are compared. */
export interface Contender {
  readonly name: string;
  /** Does the thing once. @returns what was measured */
  readonly measure: () => Promise<number>;
}

/**
 * Lets contenders do the same in turn, round by round, so that whatever else goes on in the machine strikes all alike.
 * Each round begins with another one, and the first round, which warms caches, does not count.
 * @returns what each measured, by name
 */
export async function interleave(
  contenders: readonly Contender[],
  rounds: number,
): Promise<Map<string, number[]>> {
  const measured = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = -1; round < rounds; round += 1) {
    for (const { name, measure } of rotated(contenders, round + 1)) {
      const value = await measure();
      if (round >= 0) measured.get(name)?.push(value);
    }
  }
  return measured;
}

/** The same items, beginning with another one. Pure. */
function rotated<Item>(items: readonly Item[], by: number): Item[] {
  const start = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}
