import type { Writable } from "node:stream";

const TAKES_MORE_OR_NEVER = ["drain", "close", "error"] as const;

/** Settles when a stream whose `write()` said that it is full takes more, or never will. */
export function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of TAKES_MORE_OR_NEVER) stream.off(event, done);
      resolve();
    };
    for (const event of TAKES_MORE_OR_NEVER) stream.on(event, done);
  });
}
