import type { Tally } from "../test/junit.ts";

const MARK = "boxer-vm-tally ";

/** The line by which the machine tells how its tests ended. */
export function formatTallyLine(tally: Tally): string {
  return MARK + JSON.stringify(tally);
}

/** What {@link formatTallyLine} wrote, or undefined for any other line, one that was cut short included. */
export function parseTallyLine(line: string): Tally | undefined {
  if (!line.startsWith(MARK)) return undefined;
  try {
    return JSON.parse(line.slice(MARK.length)) as Tally;
  } catch {
    return undefined;
  }
}
