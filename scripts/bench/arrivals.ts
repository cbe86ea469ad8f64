import { setTimeout as sleep } from "node:timers/promises";
import { timed } from "./timed.ts";

/** How runs come: each when the one before has ended, each so long after the one before, or all at once. */
export type Arrivals = "sequential" | "staggered" | "burst";

/** Between two runs that are staggered. */
export const STAGGER_MS = 100;

/**
 * Lets runs come as told.
 * @param run one run, given its number
 * @returns how long each took from when it came, in ms
 */
export async function arrive(
  arrivals: Arrivals,
  count: number,
  run: (index: number) => Promise<void>,
): Promise<number[]> {
  const indexes = Array.from({ length: count }, (_, index) => index);
  if (arrivals === "burst") return await Promise.all(indexes.map((index) => timed(() => run(index))));
  const times: Promise<number>[] = [];
  for (const index of indexes) {
    const time = timed(() => run(index));
    times.push(time);
    if (arrivals === "sequential") await time;
    else await Promise.race([sleep(STAGGER_MS), failureOf(time)]);
  }
  return await Promise.all(times);
}

/** Rejects with a promise that rejects, else never settles: a failure is told at once. */
function failureOf(promise: Promise<unknown>): Promise<never> {
  return new Promise((_, reject) => {
    promise.catch(reject);
  });
}
