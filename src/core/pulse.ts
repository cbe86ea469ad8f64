import { clearInterval, setInterval } from "node:timers";

/** Between two beats. */
export const PULSE_MS = 10;

const listeners = new Set<() => void>();
let timer: NodeJS.Timeout | undefined;

function beat(): void {
  for (const listener of listeners) listener();
}

/**
 * Calls a function every {@link PULSE_MS}, all such by one timer: to be woken costs this process some twenty times what a
 * look at something does. It does not keep the process alive.
 * @param onBeat must not throw
 * @returns ends it
 */
export function listenToPulse(onBeat: () => void): () => void {
  const listener = () => onBeat();
  listeners.add(listener);
  timer ??= setInterval(beat, PULSE_MS).unref();
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}
