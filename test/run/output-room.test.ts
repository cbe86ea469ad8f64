import assert from "node:assert/strict";
import { test } from "node:test";
import { maxEntriesOf } from "../../src/files/select-outputs.ts";
import { outputRoomOf } from "../../src/run/output-room.ts";

test("a run has the room in /output that the configuration gives, and that of entries that go with its files", () => {
  const room = outputRoomOf({ output_files_limit_bytes: 5000, output_files_limit_count: 7 });
  assert.deepEqual(room, { max_bytes: 5000, max_files: 7, max_entries: maxEntriesOf(7), max_depth: 64 });
});
