import assert from "node:assert/strict";
import { test } from "node:test";
import { BoxerError } from "../../src/core/errors.ts";
import { RunEntry } from "../../src/run/run-entry.ts";
import { REQUEST } from "../support/run-parts.ts";

const RUN = { exec_id: "boxer-1", request: REQUEST, client: "ada", submitted_at_ms: 1 };

test("what others see of a run follows its phase, and its age begins when it runs", () => {
  const entry = new RunEntry(RUN, new AbortController().signal);
  assert.deepEqual(entry.active, { ...RUN, phase: "queued", started_at_ms: null, sandbox_id: null });
  entry.phase = "preparing";
  assert.equal(entry.active.started_at_ms, null);
  const before = Date.now();
  entry.phase = "running";
  const { phase, started_at_ms } = entry.active;
  assert.equal(phase, "running");
  assert.ok(started_at_ms !== null && started_at_ms >= before && started_at_ms <= Date.now());
  entry.phase = "capturing";
  assert.deepEqual(entry.active, { ...RUN, phase: "capturing", started_at_ms, sandbox_id: null });
});

test("a run has a name on the host once it has a sandbox", () => {
  const entry = new RunEntry(RUN, new AbortController().signal);
  entry.sandbox_id = "pad-1";
  assert.equal(entry.active.sandbox_id, "pad-1");
});

test("a run is stopped by its client's leaving, before it came as well, and by its stop", () => {
  const client = new AbortController();
  const left = new RunEntry(RUN, client.signal);
  assert.equal(left.signal.aborted, false);
  client.abort();
  const late = new RunEntry(RUN, client.signal);
  const stopped = new RunEntry(RUN, new AbortController().signal);
  stopped.stop();
  for (const { signal } of [left, late, stopped]) {
    assert.ok(signal.reason instanceof BoxerError && signal.reason.code === "canceled");
  }
});

test("once nothing of a run is left, that is told, and its client can stop it no more", async () => {
  const client = new AbortController();
  const entry = new RunEntry(RUN, client.signal);
  entry.leave();
  await entry.gone;
  client.abort();
  assert.equal(entry.signal.aborted, false);
});
