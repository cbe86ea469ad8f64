import { BoxerError } from "../core/errors.ts";
import type { Clock } from "./clock.ts";

/** A failure of the network or the registry that another try may mend. */
export class TemporaryError extends BoxerError {
  /** How long the server asks us to wait. */
  readonly retry_after_ms: number | undefined;

  constructor(message: string, options: { cause?: unknown; retry_after_ms?: number | undefined } = {}) {
    super("image_pull_failed", message, { cause: options.cause });
    this.retry_after_ms = options.retry_after_ms;
  }
}

/** Tries that may fail one after another before the failure is final. */
export const MAX_FAILURES = 5;
const FIRST_WAIT_MS = 500;
/** A server that asks for more than this will not be waited for. */
const MAX_WAIT_MS = 30_000;

/**
 * Waits before another try, doubling from half a second or as long as the server asks.
 * @param failures how often it failed in a row, this time included
 * @throws the error itself, when it is final: not temporary, once too often, or the wait would be too long
 */
export async function waitToRetry(
  error: unknown,
  failures: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  if (!(error instanceof TemporaryError) || failures >= MAX_FAILURES) throw error;
  const wait_ms = error.retry_after_ms ?? FIRST_WAIT_MS * 2 ** (failures - 1);
  if (wait_ms > MAX_WAIT_MS) throw error;
  await clock.sleep(wait_ms, signal);
}

/** Repeats what fails with a {@link TemporaryError}; see {@link waitToRetry}. */
export async function retry<T>(attempt: () => Promise<T>, clock: Clock, signal: AbortSignal): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      await waitToRetry(error, failures, clock, signal);
    }
  }
}
