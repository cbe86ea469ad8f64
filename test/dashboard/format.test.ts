import assert from "node:assert/strict";
import { test } from "node:test";
import {
  commandLine,
  formatAgo,
  formatBytes,
  formatCount,
  formatCounted,
  formatDuration,
  formatPercent,
  shortDigest,
  shortId,
  timeAgo,
} from "../../src/dashboard/format.ts";

test("bytes are told in the unit that fits", () => {
  const shown = [0, 1023, 1024, 10 * 1024, 150 * 1024, 1.5 * 2 ** 30, 2 ** 60].map(formatBytes);
  assert.deepEqual(shown, ["0 B", "1023 B", "1.0 KB", "10.0 KB", "150 KB", "1.5 GB", "1024 PB"]);
});

test("durations are told with the digits that count", () => {
  const shown = [-5, 0, 999, 1_240, 59_940, 125_000, 11_520_000, 352_800_000].map(formatDuration);
  assert.deepEqual(shown, ["0 ms", "0 ms", "999 ms", "1.24 s", "59.9 s", "2m 05s", "3h 12m", "4d 2h"]);
});

test("what is counted is one or many", () => {
  const shown = [formatCounted(1, "core"), formatCounted(0.5, "core"), formatCounted(0, "file")];
  assert.deepEqual(shown, ["1\u00a0core", "0.5\u00a0cores", "0\u00a0files"]);
  assert.equal(formatCounted(12_345, "process", "processes"), "12\u202f345\u00a0processes");
});

test("how long ago is told in one unit", () => {
  const shown = [0, 1_999, 2_000, 59_999, 60_000, 3_600_000, 86_400_000, -5].map((ms) =>
    formatAgo(1e9 - ms, 1e9),
  );
  assert.deepEqual(shown, ["now", "now", "2 s ago", "59 s ago", "1 min ago", "1 h ago", "1 d ago", "now"]);
});

test("a relative time carries the exact one, for machines and on hover", () => {
  assert.equal(
    timeAgo(0, 5_000).text,
    '<time datetime="1970-01-01T00:00:00.000Z" title="1970-01-01T00:00:00.000Z" data-ago>5 s ago</time>',
  );
});

test("thousands are told apart", () => {
  assert.deepEqual([0, 999, 1_000, 1_234_567].map(formatCount), [
    "0",
    "999",
    "1\u202f000",
    "1\u202f234\u202f567",
  ]);
});

test("ids and digests are cut to what tells them apart", () => {
  assert.equal(shortId("boxer-0123abcd-4567-89ab-cdef-000000000000"), "0123abcd");
  assert.equal(shortDigest(`sha256:${"ab".repeat(32)}`), "abababababab");
});

test("a command is shown as it would be typed, and cut", () => {
  assert.equal(commandLine(["sh", "-c", "echo it's"]), "sh -c 'echo it'\\''s'");
  assert.equal(commandLine(["echo", ""]), "echo ''");
  assert.equal(commandLine(["x".repeat(300)]).length, 160);
});

test("a small share is not told as none", () => {
  const shown = [0, 0.0004, 0.001, 0.014, 0.05, 0.42, 1].map((share) =>
    formatPercent(share).replace("\u202f", ""),
  );
  assert.deepEqual(shown, ["0%", "<0.1%", "0.1%", "1.4%", "5%", "42%", "100%"]);
});
