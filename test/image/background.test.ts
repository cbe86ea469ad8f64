import assert from "node:assert/strict";
import { test } from "node:test";
import { Background } from "../../src/image/background.ts";
import { testLog } from "./support/test-log.ts";

test("settled waits for all work, also for what is started meanwhile", async () => {
  const background = new Background(testLog().log);
  const done: string[] = [];
  const later = (name: string, then?: () => void) => async () => {
    await new Promise((resolve) => setTimeout(resolve, 2));
    then?.();
    done.push(name);
  };
  background.start(
    "a",
    later("a", () => background.start("b", later("b"))),
  );
  await background.settled();
  assert.deepEqual(done, ["a", "b"]);
});

test("work that fails is logged, and does not keep the rest", async () => {
  const { log, lines } = testLog();
  const background = new Background(log);
  background.start("tidy up", () => Promise.reject(new Error("bad")));
  await background.settled();
  assert.deepEqual(
    lines.map(({ msg }) => msg),
    ["cannot tidy up"],
  );
});
