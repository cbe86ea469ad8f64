import { type Candidate, divideSlots, mayReplace } from "./divide-slots.ts";

/** What a pool holds. */
export interface Holdings {
  /** The most it may hold. */
  readonly slots: number;
  /** The slots that are taken, those of sandboxes on their way out included. */
  readonly taken: number;
  /** For each key of a shape: sandboxes that wait or boot. */
  readonly held: ReadonlyMap<string, number>;
  /** The keys of shapes of which one waits, that of the oldest first. */
  readonly waiting: readonly string[];
}

/** What a pool does next: boot one, discard one that waits so that there is room, or nothing. */
export type Step = { readonly boot: Candidate } | { readonly discard: string } | null;

/** Chooses what brings a pool nearer to what is asked for. Pure. @param isPaused whether a shape cannot be booted now */
export function nextStep(
  candidates: readonly Candidate[],
  { slots, taken, held, waiting }: Holdings,
  isPaused: (key: string) => boolean,
): Step {
  const divided = divideSlots(candidates, slots);
  const boot = firstMissing(divided, held, isPaused);
  if (!boot) return null;
  if (taken < slots) return { boot };
  // As many sandboxes as slots, and one of another shape is missing: some shape has more than its share.
  const byKey = new Map(candidates.map((candidate) => [candidate.key, candidate]));
  const replaceable = waiting.filter((key) => {
    const has = held.get(key) ?? 0;
    const holder = byKey.get(key) ?? NOT_ASKED_FOR;
    return has > countOf(divided, key) && mayReplace(boot, held.get(boot.key) ?? 0, holder, has);
  });
  const worth = (key: string) => (byKey.get(key) ?? NOT_ASKED_FOR).score / (held.get(key) ?? 1);
  const [least] = replaceable.sort((a, b) => worth(a) - worth(b));
  return least === undefined ? null : { discard: least };
}

const NOT_ASKED_FOR = { score: 0, wanted: 0 };

function firstMissing(
  divided: readonly Candidate[],
  held: ReadonlyMap<string, number>,
  isPaused: (key: string) => boolean,
): Candidate | undefined {
  const left = new Map(held);
  return divided.find(({ key }) => {
    const here = left.get(key) ?? 0;
    left.set(key, here - 1);
    return here <= 0 && !isPaused(key);
  });
}

function countOf(divided: readonly Candidate[], key: string): number {
  return divided.filter((candidate) => candidate.key === key).length;
}
