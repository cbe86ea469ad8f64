import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, test } from "node:test";
import { gzipSync } from "node:zlib";
import { TestStore } from "../image/support/test-store.ts";
import { FakeRegistry, imageOf, refuse, sha256 } from "../support/fake-registry.ts";

const image = imageOf([{ "a.txt": "good" }]);
let registry: FakeRegistry;
let images: TestStore;
let name = "";
/** Bytes that the registry got rid of. */
let sent = 0;
beforeEach(async () => {
  sent = 0;
  registry = await FakeRegistry.start();
  registry.addImage("team/app", image, "v1");
  name = `${registry.host}/team/app:v1`;
  images = await TestStore.open();
});
afterEach(async () => {
  await images.close();
  await registry.stop();
});

/** Sends until the other side hangs up. */
function flood(response: ServerResponse): true {
  const piece = Buffer.alloc(64 << 10, 0x20);
  const more = (): void => {
    if (response.destroyed || response.closed) return;
    sent += piece.length;
    response.write(piece, (error) => {
      if (!error) setImmediate(more);
    });
  };
  more();
  return true;
}

/** What is in the pipes and buffers between the two. */
const IN_BETWEEN = 32 << 20;

test("a manifest without end", async () => {
  registry.behave = ({ path }, response) => path.endsWith("/manifests/v1") && flood(response);
  await assert.rejects(images.acquire(name), { code: "image_invalid", message: /longer than 4194304 bytes/ });
  assert.ok(sent < IN_BETWEEN, `${sent} bytes were taken`);
});

test("an error without end", async () => {
  registry.behave = ({ path }, response) => {
    if (!path.endsWith("/manifests/v1")) return false;
    response.statusCode = 404;
    return flood(response);
  };
  await assert.rejects(images.acquire(name), { message: `Cannot pull ${name}: registry answered 404` });
  assert.ok(sent < IN_BETWEEN, `${sent} bytes were taken`);
});

test("a token without end", async () => {
  registry.behave = ({ path }, response) => {
    if (path === "/token?scope=repository%3Ateam%2Fapp%3Apull") return flood(response);
    if (path === "/v2/") return false;
    const challenge = `Bearer realm="http://${registry.host}/token"`;
    refuse(response, 401, "UNAUTHORIZED", "", { "www-authenticate": challenge });
    return true;
  };
  await assert.rejects(images.acquire(name), { message: /longer than 1048576 bytes/ });
  assert.ok(sent < IN_BETWEEN, `${sent} bytes were taken`);
});

test("a blob without end", async () => {
  registry.behave = ({ path }, response) => path.includes(sha256(image.layers[0] ?? "")) && flood(response);
  await assert.rejects(images.acquire(name), {
    code: "image_pull_failed",
    message: /has more than the \d+ bytes/,
  });
  assert.ok(sent < IN_BETWEEN, `${sent} bytes were taken`);
});

test("redirects without end", async () => {
  registry.behave = ({ path }, response) => {
    if (path === "/v2/") return false;
    response.writeHead(302, { location: `${path}x` }).end();
    return true;
  };
  await assert.rejects(images.acquire(name), { message: /more than 5 redirects/ });
});

test("challenges without end", async () => {
  registry.behave = ({ path }, response) => {
    if (path === "/v2/") return false;
    if (path.startsWith("/token")) response.end('{"token":"t"}');
    else
      refuse(response, 401, "NO", "again", {
        "www-authenticate": `Bearer realm="http://${registry.host}/token"`,
      });
    return true;
  };
  await assert.rejects(images.acquire(name), { message: /registry answered 401 NO: again$/ });
});

test("a manifest that grows by a content encoding", async () => {
  registry.behave = ({ path }, response) => {
    if (!path.endsWith("/manifests/v1")) return false;
    response.writeHead(200, { "content-type": image.mediaType, "content-encoding": "gzip" });
    response.end(gzipSync(Buffer.alloc(100 << 20, 0x20)));
    return true;
  };
  await assert.rejects(images.acquire(name), { code: "image_invalid", message: /is not JSON/ });
});

test("a JSON document nested without end", async () => {
  const deep = Buffer.from(`${"[".repeat(2_000_000)}`);
  registry.addManifest("team/app", deep, image.mediaType, "v1");
  await assert.rejects(images.acquire(name), { code: "image_invalid" });
});
