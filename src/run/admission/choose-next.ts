/** The runs of one client. */
export interface Line {
  /** How many of them are under way. */
  readonly active: number;
  /** When the line began to wait, or was last served, as a number that grows: the order of turns. */
  readonly turn: number;
  /** How often a line whose turn comes later was served first. */
  readonly overtaken: number;
  /** What its first waiting run reserves, in MB. */
  readonly next_memory_mb: number;
}

/** So often a line may be overtaken; then it comes first, and may keep others waiting until its run fits. */
export const MAX_OVERTAKEN = 16;

/**
 * Chooses whose run starts next. Pure.
 *
 * Clients take turns, those with fewest runs under way first; a run whose memory is not free yet lets others pass. Both
 * go on for {@link MAX_OVERTAKEN} times only: so each line without runs under way is served after at most as many starts
 * as there are lines, and that number more. One that has some waits for them first: nobody else can be made to wait for
 * the memory that a client keeps from itself.
 * @param lines those that wait
 * @param free_memory_mb what is not reserved
 * @returns null when nothing may start now
 */
export function chooseNext<L extends Line>(lines: readonly L[], free_memory_mb: number): L | null {
  for (const line of lines.toSorted(byPrecedence)) {
    if (line.next_memory_mb <= free_memory_mb) return line;
    if (isOverdue(line) && line.active === 0) return null;
  }
  return null;
}

function isOverdue(line: Line): boolean {
  return line.overtaken >= MAX_OVERTAKEN;
}

function byPrecedence(a: Line, b: Line): number {
  const overdue = Number(isOverdue(b)) - Number(isOverdue(a));
  if (overdue !== 0) return overdue;
  return (isOverdue(a) ? 0 : a.active - b.active) || a.turn - b.turn;
}
