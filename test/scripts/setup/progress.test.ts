import assert from "node:assert/strict";
import { test } from "node:test";
import { Progress } from "../../../scripts/setup/progress.ts";

function recorded(): { lines: string[]; progress: Progress } {
  const lines: string[] = [];
  return { lines, progress: new Progress((line) => lines.push(line)) };
}

test("a step is one line with its outcome and its time, after what it had to note", async () => {
  const { lines, progress } = recorded();
  const outcome = await progress.step("runsc", async () => {
    progress.note("fetching it");
    return "/bin/runsc";
  });
  assert.equal(outcome, "/bin/runsc");
  assert.deepEqual(
    lines.map((line) => line.replace(/\d+\.\d\d s/, "T s")),
    ["runsc          fetching it …", "runsc          /bin/runsc (T s)"],
  );
});

test("a step's failure is passed on", async () => {
  const { progress } = recorded();
  await assert.rejects(
    progress.step("runsc", () => Promise.reject(new Error("no runsc"))),
    /no runsc/,
  );
});

test("a step that can be done without says why it failed, and goes on", async () => {
  const { lines, progress } = recorded();
  await progress.attempt("busybox", () => Promise.reject(new Error("no network")));
  assert.match(lines[0] ?? "", /^busybox {8}not available: no network \(\d+\.\d\d s\)$/);
});
