import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { HostPolicy } from "../../../src/image/registry/host-policy.ts";
import { Transport } from "../../../src/image/registry/transport.ts";
import { TemporaryError } from "../../../src/image/retry.ts";
import { FakeRegistry } from "../../support/fake-registry.ts";

const { signal } = new AbortController();
const transport = new Transport(new HostPolicy([]));
const PATIENT_MS = 60_000;
let server: FakeRegistry;
let elsewhere: FakeRegistry;
before(async () => {
  server = await FakeRegistry.start();
  elsewhere = await FakeRegistry.start();
});
after(async () => {
  await server.stop();
  await elsewhere.stop();
});

const get = (path: string, more: object = {}, by = transport) =>
  by.send({
    method: "GET",
    url: new URL(path, `http://${server.host}`),
    headers: { accept: "text/x" },
    authorization: "Bearer secret",
    signal,
    ...more,
  });

test("redirects are followed, and the credentials stay with the origin they are for", async () => {
  server.behave = ({ path }, response) => {
    if (path === "/a") response.writeHead(307, { location: "/b" }).end("moved");
    if (path === "/b") response.writeHead(302, { location: `http://${elsewhere.host}/c` }).end();
    if (path === "/d") response.end("arrived");
    return true;
  };
  elsewhere.behave = (_, response) => {
    response.writeHead(308, { location: `http://${server.host}/d` }).end();
    return true;
  };
  const answer = await get("/a");
  assert.equal(Buffer.from(await answer.bytes(100)).toString(), "arrived");
  assert.equal(answer.url.pathname, "/d");
  const authorizations = server.seen.map(({ path, headers }) => [path, headers.authorization]);
  // Once the request has left the origin, coming back does not bring the secret back.
  assert.deepEqual(authorizations, [
    ["/a", "Bearer secret"],
    ["/b", "Bearer secret"],
    ["/d", undefined],
  ]);
  assert.equal(elsewhere.seen[0]?.headers.authorization, undefined);
  assert.equal(elsewhere.seen[0]?.headers.accept, "text/x", "other headers go along");
});

test("five redirects are followed, six are too many", async () => {
  server.behave = ({ path }, response) => {
    const left = Number(path.slice(1));
    if (left === 0) response.end("arrived");
    else response.writeHead(302, { location: `/${left - 1}` }).end();
    return true;
  };
  assert.equal((await get("/5")).status, 200);
  await assert.rejects(get("/6"), /more than 5 redirects/);
});

test("a redirect that is refused ends the request", async () => {
  server.behave = (_, response) => {
    response.writeHead(302, { location: "http://registry.example/x" }).end();
    return true;
  };
  await assert.rejects(get("/"), { code: "image_pull_failed", message: /plain http is not allowed there/ });
});

test("the redirect of a POST is not followed", async () => {
  const before = elsewhere.seen.length;
  server.behave = (_, response) => {
    response.writeHead(307, { location: `http://${elsewhere.host}/` }).end();
    return true;
  };
  const answer = await get("/", { method: "POST", body: new URLSearchParams({ refresh_token: "secret" }) });
  assert.equal(answer.status, 307);
  await answer.discard();
  assert.equal(elsewhere.seen.length, before);
  assert.equal(server.seen.at(-1)?.body, "refresh_token=secret");
});

test("a server that does not answer is given up", async () => {
  server.behave = () => true;
  const impatient = new Transport(new HostPolicy([]), { head_ms: 200, idle_ms: PATIENT_MS });
  await assert.rejects(get("/", {}, impatient), (error) => {
    assert.ok(error instanceof TemporaryError);
    assert.match(error.message, /^cannot reach 127\.0\.0\.1:\d+: no answer within 200 ms$/);
    return true;
  });
});

test("a server that falls silent half way is given up", async () => {
  server.behave = (_, response) => {
    response.writeHead(200, { "content-length": "100" });
    response.write("half");
    return true;
  };
  const impatient = new Transport(new HostPolicy([]), { head_ms: PATIENT_MS, idle_ms: 200 });
  const answer = await get("/", {}, impatient);
  await assert.rejects(answer.bytes(1000), (error) => {
    assert.ok(error instanceof TemporaryError);
    assert.match(error.message, /^connection to 127\.0\.0\.1:\d+ broke: nothing came for 200 ms$/);
    return true;
  });
});

test("a connection that breaks half way is a temporary failure", async () => {
  server.behave = (_, response) => {
    response.writeHead(200, { "content-length": "100" });
    response.write("half", () => response.destroy());
    return true;
  };
  await assert.rejects(async () => (await get("/")).bytes(1000), TemporaryError);
});

test("a server that is not there is a temporary failure that names it", async () => {
  const gone = await FakeRegistry.start();
  const url = new URL(`http://${gone.host}/x?signature=secret`);
  await gone.stop();
  await assert.rejects(get("", { url }), (error) => {
    assert.ok(error instanceof TemporaryError);
    assert.match(error.message, new RegExp(`^cannot reach ${url.host}: `));
    assert.doesNotMatch(error.message, /secret/);
    return true;
  });
});

test("an abort by the caller is thrown as it is, before the head and after", async () => {
  const caller = new AbortController();
  server.behave = (_, response) => {
    response.writeHead(200, { "content-length": "100" });
    response.write("half");
    return true;
  };
  const answer = await get("/", { signal: caller.signal });
  const reading = answer.bytes(1000);
  caller.abort(new Error("gone"));
  await assert.rejects(reading, /^Error: gone$/);
  await assert.rejects(get("/", { signal: caller.signal }), /^Error: gone$/);
});

test("a body comes as it was sent, whatever encoding the server claims", async () => {
  const packed = gzipSync("x".repeat(100_000));
  server.behave = (_, response) => {
    response.writeHead(200, { "content-encoding": "gzip" }).end(packed);
    return true;
  };
  const answer = await get("/");
  assert.deepEqual(Buffer.from(await answer.bytes(1000)), packed);
  assert.equal(server.seen.at(-1)?.headers["accept-encoding"], "identity");
});

test("a body longer than it may be is not read to its end", async () => {
  server.behave = (_, response) => {
    response.write("x".repeat(1001));
    return true;
  };
  const answer = await get("/");
  await assert.rejects(answer.bytes(1000), { code: "image_invalid", message: /longer than 1000 bytes/ });
});
