import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { eventStream, type ServerEvent } from "../../src/http/sse.ts";

const signal = new AbortController().signal;
const onGone = () => {};

async function* these(...events: ServerEvent[]): AsyncGenerator<ServerEvent> {
  yield* events;
}

test("events are answered in the wire format, one after the other, to the end", async () => {
  const response = eventStream(these({ event: "a", data: "1" }, { event: "b", data: "2" }), {
    signal,
    onGone,
  });
  assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/);
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.equal(await response.text(), "event: a\ndata: 1\n\nevent: b\ndata: 2\n\n");
});

describe("data of several lines stays one event, whatever ends its lines", () => {
  for (const end of ["\n", "\r", "\r\n"]) {
    test(JSON.stringify(end), async () => {
      const response = eventStream(these({ event: "a", data: `x${end}${end}event: b` }), { signal, onGone });
      assert.equal(await response.text(), "event: a\ndata: x\ndata: \ndata: event: b\n\n");
    });
  }
});

test("a comment is sent while there is nothing to tell, and the event is not lost", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  async function* slow(): AsyncGenerator<ServerEvent> {
    await promise;
    yield { event: "a", data: "1" };
  }
  const { body } = eventStream(slow(), { signal, onGone, heartbeat_ms: 5 });
  assert.ok(body);
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  const parts = [await reader.read(), await reader.read()].map(({ value }) => value);
  assert.deepEqual(parts, [":\n\n", ":\n\n"]);
  resolve();
  let rest = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) rest += part.value;
  assert.equal(rest.replaceAll(":\n\n", ""), "event: a\ndata: 1\n\n");
});

test("an event is not asked for before the client takes it", async () => {
  let asked = 0;
  async function* endless(): AsyncGenerator<ServerEvent> {
    for (;;) yield { event: "a", data: String(++asked) };
  }
  const { body } = eventStream(endless(), { signal, onGone });
  const reader = body?.getReader();
  await reader?.read();
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(asked, 1);
  await reader?.cancel();
});

describe("a client that goes away is told of", () => {
  const silent = () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) });

  test("when the stream is canceled", async () => {
    let gone = 0;
    const { body } = eventStream(silent(), { signal, onGone: () => void gone++ });
    await body?.cancel();
    assert.equal(gone, 1);
  });

  test("when the request is aborted, also before the answer", () => {
    const request = new AbortController();
    let gone = 0;
    const options = { signal: request.signal, onGone: () => void gone++ };
    eventStream(silent(), options);
    request.abort();
    assert.equal(gone, 1);
    eventStream(silent(), options);
    assert.equal(gone, 2);
  });

  test("but not when it has had all events", async () => {
    const request = new AbortController();
    let gone = 0;
    const options = { signal: request.signal, onGone: () => void gone++ };
    await eventStream(these({ event: "a", data: "1" }), options).text();
    request.abort();
    assert.equal(gone, 0);
  });
});
