import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import type { Connection } from "../../src/platform/platform.ts";
import { until } from "../support/leftovers.ts";
import { platform } from "../support/platform.ts";
import type { TestContext } from "../support/temp-directory.ts";

const LONG_MS = 600_000;

type Handler = (request: Request, connection: Connection) => Response | Promise<Response>;

async function serve(t: TestContext, fetch: Handler, hostname = "127.0.0.1") {
  const server = await platform.serve({ hostname, port: 0, fetch });
  t.after(() => server.stop(0));
  return { server, url: `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${server.port}` };
}

async function connectTo(t: TestContext, port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

test("a server binds the address named and tells the port it was given", async (t) => {
  const { server, url } = await serve(t, () => new Response("hello"));
  assert.equal(server.hostname, "127.0.0.1");
  assert.ok(server.port > 0);
  assert.equal(await (await fetch(url)).text(), "hello");
});

for (const hostname of ["127.0.0.1", "::1"]) {
  test(`a server tells a handler the address of the client, over ${hostname}`, async (t) => {
    const { url } = await serve(t, (_, { remoteAddress }) => new Response(remoteAddress), hostname);
    assert.equal(await (await fetch(url)).text(), hostname);
  });
}

test("a server refuses a port that is taken", async (t) => {
  const { server } = await serve(t, () => new Response());
  const again = { hostname: "127.0.0.1", port: server.port, fetch: () => new Response() };
  await assert.rejects(platform.serve(again), /in use/);
});

test("a server hands over a request whose body is larger than any default limit", async (t) => {
  const { server } = await serve(t, ({ headers }) => new Response(headers.get("content-length")));
  const socket = await connectTo(t, server.port);
  socket.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000000\r\nConnection: close\r\n\r\nx");
  const [answer] = await once(socket, "data");
  socket.destroy();
  assert.match(String(answer), /^HTTP\/1\.1 200 /);
});

test("a server streams a body as it comes, to the handler and from it", async (t) => {
  const { url } = await serve(t, ({ body }) => new Response(body));
  const body = new Uint8Array(3_000_000).fill(7);
  const echoed = new Uint8Array(await (await fetch(url, { method: "POST", body })).arrayBuffer());
  assert.equal(Buffer.compare(echoed, body), 0);
});

test("the signal of a request aborts when the client goes away before the answer", async (t) => {
  const { promise: gone, resolve } = Promise.withResolvers<void>();
  let arrived = false;
  const { server } = await serve(t, async ({ signal }, { keepAlive }) => {
    keepAlive();
    signal.addEventListener("abort", () => resolve());
    arrived = true;
    await gone;
    return new Response();
  });
  const socket = await connectTo(t, server.port);
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await until(() => arrived);
  socket.destroy();
  await gone;
});

test("the signal of a request does not abort once the answer was taken", async (t) => {
  const signals: AbortSignal[] = [];
  const { url } = await serve(t, ({ signal }) => {
    signals.push(signal);
    return new Response("done");
  });
  for (let round = 0; round < 3; round += 1) await (await fetch(url)).text();
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [false, false, false],
  );
});

test("stopping lets a request in flight end, takes no new one, and does not wait for idle connections", async (t) => {
  const { promise: mayEnd, resolve: letEnd } = Promise.withResolvers<void>();
  let waiting = 0;
  const { server, url } = await serve(t, async ({ url: path }) => {
    if (path.endsWith("/slow")) {
      waiting += 1;
      await mayEnd;
    }
    return new Response("ok");
  });
  const idle = await connectTo(t, server.port);
  idle.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await once(idle, "data");
  const slow = fetch(`${url}/slow`);
  await until(() => waiting === 1);
  const stopped = server.stop(LONG_MS);
  await until(() =>
    fetch(url).then(
      () => false,
      () => true,
    ),
  );
  letEnd();
  assert.equal(await (await slow).text(), "ok");
  await stopped;
});

for (const [name, request] of [
  ["has not said what it wants", "GET / HTTP/1.1\r\nHost"],
  ["keeps the rest of its body to itself", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\nx"],
] as const) {
  test(`stopping does not wait beyond its grace for a client that ${name}`, async (t) => {
    const { server } = await serve(t, async (request) => new Response(await request.text()));
    const socket = await connectTo(t, server.port);
    socket.write(request);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await server.stop(50);
  });
}
