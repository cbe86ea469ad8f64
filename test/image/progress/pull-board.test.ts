import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { BoxerError } from "../../../src/core/errors.ts";
import type { Digest } from "../../../src/image/digest.ts";
import { PullBoard, type Report } from "../../../src/image/progress/pull-board.ts";
import type { PullEvent, PullStatus } from "../../../src/image/progress/pull-status.ts";
import { TestClock } from "../support/test-clock.ts";
import { testLog } from "../support/test-log.ts";

const [image, blob] = ["1", "a"].map((digit) => `sha256:${digit.repeat(64)}` as Digest) as [Digest, Digest];
const RESOLVED: PullEvent = { type: "resolved", digest: image, layers: [{ digest: blob, size_bytes: 1000 }] };
const { signal } = new AbortController();
let clock: TestClock;
let lines: ReturnType<typeof testLog>["lines"];
let board: PullBoard;
beforeEach(() => {
  const test = testLog();
  clock = new TestClock();
  lines = test.lines;
  board = new PullBoard({ clock, log: test.log, log_interval_ms: 5 });
});

/** A pull that goes on until it is told to end. */
function begin(reference: string) {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let report: Report = () => {};
  const ended = board.track(reference, (given) => {
    report = given;
    return promise;
  });
  ended.catch(() => {});
  return { report: (event: PullEvent) => report(event), succeed: () => resolve("it"), fail: reject, ended };
}
const phases = () => board.pulls().map(({ reference, phase }) => `${reference} ${phase}`);

describe("the board", () => {
  test("shows a pull from its begin to its end", async () => {
    const pull = begin("x");
    assert.deepEqual(phases(), ["x resolving"]);
    pull.report(RESOLVED);
    assert.deepEqual(phases(), ["x downloading"]);
    pull.succeed();
    assert.equal(await pull.ended, "it");
    assert.deepEqual(phases(), []);
  });

  test("forgets a pull that failed, and passes its error on", async () => {
    const pull = begin("x");
    const error = new BoxerError("image_invalid", "it is bad");
    pull.fail(error);
    await assert.rejects(pull.ended, error);
    assert.deepEqual(phases(), []);
    assert.deepEqual(
      lines.map(({ msg, image: name, reason }) => [msg, name, reason]),
      [["image pull failed", "x", "it is bad"]],
    );
  });

  test("shows no path of the host where the system failed", async () => {
    const pull = begin("x");
    pull.fail(Object.assign(new Error("ENOSPC: no space, write '/root/secret'"), { code: "ENOSPC" }));
    await assert.rejects(pull.ended);
    assert.equal(lines[0]?.reason, "ENOSPC");
  });

  test("shows two names of one image alike, the later one as far as the earlier", () => {
    const first = begin("x");
    first.report(RESOLVED);
    board.reportBlob(blob, 400);
    const second = begin("y");
    second.report(RESOLVED);
    board.reportImage(image, { type: "building_rootfs" });
    assert.deepEqual(phases(), ["x building_rootfs", "y building_rootfs"]);
    assert.deepEqual(
      board.pulls().map(({ layers }) => layers[0]?.downloaded_bytes),
      [400, 400],
    );
    for (const pull of [first, second]) pull.succeed();
  });

  test("tells apart a pull that is being abandoned and the next of the same name", async () => {
    const [first, second] = [begin("x"), begin("x")];
    second.report(RESOLVED);
    first.fail(new Error("gone"));
    await assert.rejects(first.ended);
    assert.deepEqual(phases(), ["x downloading"]);
    second.succeed();
  });

  test("logs how far a pull is that takes long, and stops with its end", async () => {
    const pull = begin("x");
    pull.report(RESOLVED);
    board.reportBlob(blob, 420);
    while (lines.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    assert.equal(lines[0]?.msg, "image pull goes on");
    assert.deepEqual([lines[0]?.image, lines[0]?.percent, lines[0]?.phase], ["x", 42, "downloading"]);
    pull.succeed();
    await pull.ended;
    const before = lines.length;
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.equal(lines.length, before);
  });
});

describe("a watcher", () => {
  const next = async (watcher: AsyncIterator<PullStatus, void>) => {
    const { done, value } = await watcher.next();
    return done ? "over" : `${value.phase} ${value.layers[0]?.downloaded_bytes ?? "-"}`;
  };

  test("gets the present state at once, then each change, then the end", async () => {
    const pull = begin("x");
    const watcher = board.watch("x", signal);
    assert.equal(await next(watcher), "resolving -");
    pull.report(RESOLVED);
    assert.equal(await next(watcher), "downloading 0");
    pull.succeed();
    assert.equal(await next(watcher), "ready 1000");
    assert.equal(await next(watcher), "over");
  });

  test("gets why the pull failed", async () => {
    const pull = begin("x");
    const watcher = board.watch("x", signal);
    await watcher.next();
    pull.fail(new BoxerError("image_invalid", "it is bad"));
    assert.equal((await watcher.next()).value?.reason, "it is bad");
  });

  test("waits for a pull that has not begun, and is not woken by others", async () => {
    const watcher = board.watch("x", signal);
    const first = next(watcher);
    begin("y").succeed();
    const pull = begin("x");
    assert.equal(await first, "resolving -");
    pull.succeed();
  });

  test("gets the latest of a thousand changes, not all of them", async () => {
    const pull = begin("x");
    pull.report(RESOLVED);
    const watcher = board.watch("x", signal);
    assert.equal(await next(watcher), "downloading 0");
    for (let bytes = 1; bytes <= 1000; bytes++) board.reportBlob(blob, bytes);
    assert.equal(await next(watcher), "downloading 1000");
    pull.succeed();
    assert.equal(await next(watcher), "ready 1000");
  });

  test("is given a quarter of a second between two states", async () => {
    const pull = begin("x");
    pull.report(RESOLVED);
    const watcher = board.watch("x", signal);
    await watcher.next();
    assert.deepEqual(clock.sleeps, []);
    for (const bytes of [1, 2, 3]) {
      const state = next(watcher);
      board.reportBlob(blob, bytes);
      assert.equal(await state, `downloading ${bytes}`);
    }
    assert.deepEqual(clock.sleeps, [250, 250, 250]);
    pull.succeed();
  });

  test("follows the pull that is left when another of the same name ends", async () => {
    const [first, second] = [begin("x"), begin("x")];
    const watcher = board.watch("x", signal);
    assert.equal(await next(watcher), "resolving -");
    first.fail(new Error("gone"));
    await assert.rejects(first.ended);
    second.report(RESOLVED);
    assert.equal(await next(watcher), "downloading 0");
    second.succeed();
  });

  test("ends when its signal aborts, while waiting and before", async () => {
    const pull = begin("x");
    const stop = new AbortController();
    const watcher = board.watch("x", stop.signal);
    await watcher.next();
    const last = next(watcher);
    stop.abort();
    assert.equal(await last, "over");
    assert.equal(await next(board.watch("x", stop.signal)), "over");
    pull.succeed();
  });
});
