import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { assertNothingLeft, until } from "../support/leftovers.ts";
import { startTestService, type TestService } from "../support/service.ts";

const HEADER = "x-test-client";
/** Big enough for two runs of the default, or one that is bigger. */
const MAX_RESERVED_MB = 640;

describe("a small server", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService({
      max_concurrent_runs: 2,
      max_queued_runs: 2,
      max_reserved_memory_mb: MAX_RESERVED_MB,
      client_header: HEADER,
      max_limits: { wall_clock_secs: 60 },
    });
  });
  after(() => service.stop());

  const sent: Promise<unknown>[] = [];
  /** Sends a run in the name of a client; `stop` cuts the connection. */
  const send = (client: string, script: string, limits: Record<string, number> = {}) => {
    const controller = new AbortController();
    const body = JSON.stringify({ image: "local/busybox:1", cmd: ["sh", "-c", script], limits });
    const headers = { "content-type": "application/json", [HEADER]: client };
    const response = service.fetch("/run", { method: "POST", headers, body, signal: controller.signal });
    const answer = response.then(async (response) => ({
      status: response.status,
      retryAfter: response.headers.get("retry-after"),
      // biome-ignore lint/suspicious/noExplicitAny: a test looks at what came over the wire
      body: (await response.json()) as any,
    }));
    sent.push(answer);
    return { answer, stop: () => controller.abort() };
  };
  const stats = () => service.runner.stats();
  const active = () => service.runner.active();
  const busy = (running: number, queued: number) =>
    until(() => stats().active === running && stats().queued === queued);
  afterEach(async () => {
    for (const { exec_id } of active()) service.runner.stop(exec_id);
    await Promise.allSettled(sent.splice(0));
    await busy(0, 0);
    assert.equal(stats().reserved_memory_mb, 0);
    await assertNothingLeft(service.home);
  });

  it("answers 429 at once when as many wait as may, with when to come again", async () => {
    for (let count = 0; count < 4; count += 1) send("a", "sleep 60");
    await busy(2, 2);
    const { status, retryAfter, body } = await send("a", "true").answer;
    assert.equal(status, 429);
    assert.match(retryAfter ?? "", /^[1-9]\d*$/);
    assert.deepEqual([body.code, body.active, body.queue_length], ["queue_full", 2, 2]);
  });

  it("drops a client that leaves the queue at once; the run never starts", async () => {
    for (let count = 0; count < 2; count += 1) send("a", "sleep 60");
    await busy(2, 0);
    const leaver = send("b", "true");
    const rejected = assert.rejects(leaver.answer);
    await busy(2, 1);
    leaver.stop();
    await busy(2, 0);
    await rejected;
    assert.deepEqual(
      active().map(({ client }) => client),
      ["a", "a"],
    );
  });

  it("makes a run wait for its memory though a slot is free, and refuses what could never fit", async () => {
    const small = send("a", "sleep 60");
    await busy(1, 0);
    const big = send("b", "echo big", { memory_mb: MAX_RESERVED_MB - 64 });
    await busy(1, 1);
    assert.deepEqual(
      active().map(({ client, phase }) => [client, phase === "queued"]),
      [
        ["a", false],
        ["b", true],
      ],
    );
    assert.equal(stats().reserved_memory_mb, 256 + 64);
    service.runner.stop(active()[0]?.exec_id ?? "");
    assert.equal((await small.answer).body.status, "canceled");
    const { status, body } = await big.answer;
    assert.deepEqual([status, body.stdout], [200, "big\n"]);
    assert.ok(body.queue_ms > 0);
    const tooBig = await send("b", "true", { memory_mb: MAX_RESERVED_MB - 63 }).answer;
    assert.deepEqual(
      [tooBig.status, tooBig.body.field, tooBig.body.error],
      [400, "limits.memory_mb", "limits.memory_mb must be <= 576 on this server"],
    );
  });

  it("serves a newcomer before the backlog of who has all the slots, and makes room for it in the queue", async () => {
    const flood = Array.from({ length: 4 }, () => send("flood", "sleep 60"));
    await busy(2, 2);
    const newcomer = send("newcomer", "echo served");
    const pushed = await Promise.race(flood.map(({ answer }) => answer));
    assert.deepEqual([pushed.status, pushed.body.code], [429, "queue_full"]);
    const first = active().find(({ phase }) => phase !== "queued");
    service.runner.stop(first?.exec_id ?? "");
    const { status, body } = await newcomer.answer;
    assert.deepEqual([status, body.stdout], [200, "served\n"]);
  });

  it("refuses a limit over the operator's with 400, naming field and maximum", async () => {
    const { status, body } = await send("a", "true", { wall_clock_secs: 61 }).answer;
    assert.deepEqual(
      [status, body.code, body.field, body.error],
      [
        400,
        "invalid_request",
        "limits.wall_clock_secs",
        "limits.wall_clock_secs must be <= 60 on this server",
      ],
    );
    assert.equal((await send("a", "true", { wall_clock_secs: 60 }).answer).status, 200);
  });
});
