import { LAST_FAILURE_BYTES } from "./tape.ts";

/** The steps of a start. `began`: nothing was left but to start the command. */
export const STEPS = [
  "began",
  "report",
  "inputs",
  "owner",
  "cwd",
  "control",
  "stdin",
  "limits",
  "user",
  "command",
] as const;
export type Step = (typeof STEPS)[number];

/** The number of a step on a tape. */
export function stepNumber(step: Step): number {
  return STEPS.indexOf(step);
}

/** What the guest's first program had to say last. */
export interface StartReport {
  /** The step that failed, or `began`. */
  readonly step: Step;
  /** Of errno(3); 0 with `began`. */
  readonly errno: number;
}

/** What is written to the report before the command is started: like a failure, without one. */
export function beganEntry(): Uint8Array {
  return new Uint8Array(LAST_FAILURE_BYTES);
}

/**
 * Reads what the guest's first program wrote to its report; the command itself cannot write there. Pure.
 * @returns the last entry; null when there is none, since the sandbox ended before, or cannot be one of ours
 */
export function parseReport(bytes: Uint8Array): StartReport | null {
  const last = bytes.length - LAST_FAILURE_BYTES;
  if (last < 0 || last % LAST_FAILURE_BYTES !== 0) return null;
  const entry = new DataView(bytes.buffer, bytes.byteOffset + last, LAST_FAILURE_BYTES);
  const step = STEPS[entry.getUint32(0, true)];
  return step === undefined ? null : { step, errno: entry.getUint32(4, true) };
}
