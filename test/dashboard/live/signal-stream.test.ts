import assert from "node:assert/strict";
import { test } from "node:test";
import type { Topic } from "../../../src/dashboard/dashboard-data.ts";
import { signalStream } from "../../../src/dashboard/live/signal-stream.ts";
import { platform } from "../../support/platform.ts";

function stream(heartbeat_ms = 60_000) {
  const gone = new AbortController();
  const hub = { tell: (_: Topic[]): void => {}, end: (): void => {}, unsubscribed: 0 };
  const response = signalStream(
    (listener, ended) => {
      hub.tell = (topics) => listener(new Set(topics));
      hub.end = ended;
      return () => {
        hub.unsubscribed += 1;
      };
    },
    { signal: gone.signal, heartbeat_ms },
  );
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const next = async () => {
    const { done, value } = await reader.read();
    return done ? null : new TextDecoder().decode(value);
  };
  return { gone, hub, reader, next };
}

test("a browser that comes (back) is told of everything first, then of what changes", async () => {
  const { hub, next } = stream();
  assert.match((await next()) ?? "", /^retry: \d+\nevent: boxer-active\ndata: 1\n\n/);
  const following = next();
  hub.tell(["runs"]);
  assert.equal(await following, "event: boxer-runs\ndata: 1\n\n");
});

test("signals that a slow browser has not taken fall into one", async () => {
  const { hub, next } = stream();
  await next();
  for (let count = 0; count < 100; count += 1) hub.tell(["runs", "active"]);
  assert.equal(await next(), "event: boxer-runs\ndata: 1\n\nevent: boxer-active\ndata: 1\n\n");
});

test("silence is filled with comments", async () => {
  const { next } = stream(5);
  await next();
  assert.equal(await next(), ":\n\n");
});

test("a browser that goes away ends its subscription, by cancel or by signal, once", async () => {
  const one = stream();
  await one.reader.cancel();
  assert.equal(one.hub.unsubscribed, 1);
  const other = stream();
  await other.next();
  const waiting = other.next();
  other.gone.abort();
  assert.equal(await waiting, null);
  assert.equal(other.hub.unsubscribed, 1);
});

test("a server that stops ends the stream", async () => {
  const { hub, next } = stream();
  await next();
  const waiting = next();
  hub.end();
  assert.equal(await waiting, null);
});

test("over a real connection, a page that is closed ends its subscription at once", async () => {
  const ended = Promise.withResolvers<void>();
  const server = await platform.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => signalStream(() => () => ended.resolve(), { signal: request.signal }),
  });
  const gone = new AbortController();
  const response = await fetch(`http://127.0.0.1:${server.port}/`, { signal: gone.signal });
  await response.body?.getReader().read();
  gone.abort();
  await ended.promise;
  await server.stop(0);
});
