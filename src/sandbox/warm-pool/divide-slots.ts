import type { BootShape } from "./boot-shape.ts";

/** A shape that is worth booting ahead. */
export interface Candidate {
  /** See `keyOfShape`. */
  readonly key: string;
  readonly shape: BootShape;
  /** How much it is asked for. */
  readonly score: number;
  /** How many are to be there in any case. */
  readonly wanted: number;
  /** More than so many are of no use. */
  readonly most: number;
}

/** A slot is taken from a shape only for one that is so many times more worth: else two would take it in turns. */
const MUCH_MORE = 2;

/**
 * Divides the slots of a pool among shapes: those wanted by name first, then one for each by its demand, for the first
 * saves most; the rest in proportion to demand (D'Hondt: the next goes to the highest score / (slots so far + 1)). Pure.
 * @returns the shape of each slot, the most urgent first; at most `slots`
 */
export function divideSlots(candidates: readonly Candidate[], slots: number): Candidate[] {
  const given = new Map<Candidate, number>();
  const divided: Candidate[] = [];
  while (divided.length < slots) {
    const open = candidates.filter((candidate) => (given.get(candidate) ?? 0) < candidate.most);
    const [first, ...others] = open;
    if (!first) break;
    const next = others.reduce(
      (a, b) => (compare(b, given.get(b) ?? 0, a, given.get(a) ?? 0) > 0 ? b : a),
      first,
    );
    given.set(next, (given.get(next) ?? 0) + 1);
    divided.push(next);
  }
  return divided;
}

/**
 * Whether a shape's last sandbox may go so that another shape has one more. Pure.
 * @param challenger_has sandboxes of the challenger
 * @param holder_has sandboxes of the holder, at least one
 */
export function mayReplace(
  challenger: Candidate,
  challenger_has: number,
  holder: Pick<Candidate, "score" | "wanted">,
  holder_has: number,
): boolean {
  const rank = rankOf(challenger, challenger_has) - rankOf(holder, holder_has - 1);
  if (rank !== 0) return rank > 0;
  return challenger.score / (challenger_has + 1) >= (MUCH_MORE * holder.score) / holder_has;
}

/** Above 0: one more of `a` is worth more than one more of `b`. */
function compare(a: Candidate, a_has: number, b: Candidate, b_has: number): number {
  return rankOf(a, a_has) - rankOf(b, b_has) || a.score / (a_has + 1) - b.score / (b_has + 1);
}

/** How one more counts beside those that are there: 2 for one wanted by name, 1 for the first of a shape. */
function rankOf({ wanted }: Pick<Candidate, "wanted">, has: number): number {
  if (has < wanted) return 2;
  return has === 0 ? 1 : 0;
}
