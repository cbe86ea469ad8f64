import assert from "node:assert/strict";
import { test } from "node:test";
import { QueueFullError } from "../../../src/run/admission/queue-full-error.ts";

test("a full queue tells how busy it is, also once it is the fault of one run", () => {
  const busy = { active: 2, queue_length: 3, retry_after_secs: 4 };
  const error = new QueueFullError(busy);
  assert.equal(error.message, "2 runs are under way and 3 wait already; see Retry-After");
  const ofRun = error.ofRun("boxer-1");
  assert.ok(ofRun instanceof QueueFullError);
  assert.deepEqual([error.exec_id, ofRun.exec_id, ofRun.busy], [undefined, "boxer-1", busy]);
  assert.equal(ofRun.code, "queue_full");
});
