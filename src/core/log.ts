import { type Logger, pino, stdTimeFunctions } from "pino";
import pretty from "pino-pretty";

/**
 * The log of the process, on stderr: JSON lines, or coloured text on a terminal. Written synchronously, so that nothing
 * is lost when the process ends.
 */
export function createLog(): Logger {
  if (process.stderr.isTTY)
    return pino({ base: null }, pretty({ destination: 2, sync: true, ignore: "pid,hostname" }));
  return pino({ base: null, timestamp: stdTimeFunctions.isoTime }, pino.destination({ dest: 2, sync: true }));
}

/** A log that says nothing. */
export const silentLog: Logger = pino({ level: "silent" });
