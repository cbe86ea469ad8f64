/** Longest time that unpacking keeps the event loop, in milliseconds: other requests are served in between. */
const SLICE_MS = 5;

/**
 * Gives the event loop its turn during long synchronous work.
 * @returns a function to call between the steps: undefined, or what to wait for before the next one
 */
export function createBreather(): () => Promise<void> | undefined {
  let until = performance.now() + SLICE_MS;
  return () => {
    if (performance.now() < until) return undefined;
    return new Promise((resolve) => {
      setImmediate(() => {
        until = performance.now() + SLICE_MS;
        resolve();
      });
    });
  };
}
