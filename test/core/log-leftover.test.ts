import assert from "node:assert/strict";
import { test } from "node:test";
import { pino } from "pino";
import { logLeftover } from "../../src/core/log-leftover.ts";

test("an undo that fails is an error in the log, with the name of the resource and why", () => {
  const lines: string[] = [];
  const log = pino({ base: null, timestamp: false }, { write: (line) => void lines.push(line) });
  logLeftover(log)("run directory", new Error("it is busy"));
  const [line = "{}"] = lines;
  const { level, msg, err } = JSON.parse(line);
  assert.deepEqual([level, msg, err.message], [50, "Cannot give back the run directory", "it is busy"]);
});
