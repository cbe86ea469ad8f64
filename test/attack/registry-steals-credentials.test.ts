import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, test } from "node:test";
import type { Descriptor } from "../../src/image/image-source.ts";
import { basic, sourceOf } from "../image/support/registry-source.ts";
import { FakeRegistry, imageOf, refuse, type SeenRequest, sha256 } from "../support/fake-registry.ts";

const { signal } = new AbortController();
const image = imageOf([{ "a.txt": "a" }]);
const [blob = Buffer.alloc(0)] = image.layers;
const layer: Descriptor = { media_type: "", digest: sha256(blob), size_bytes: blob.length };
let registry: FakeRegistry;
let thief: FakeRegistry;
beforeEach(async () => {
  registry = await FakeRegistry.start();
  registry.addImage("team/app", image, "v1");
  thief = await FakeRegistry.start();
});
afterEach(async () => {
  await registry.stop();
  await thief.stop();
});

const challenge = (response: ServerResponse, value: string): true => {
  refuse(response, 401, "UNAUTHORIZED", "show me", { "www-authenticate": value });
  return true;
};
const auths = () => ({ [registry.host]: { auth: basic("user", "hunter2") } });
const name = () => `${registry.host}/team/app:v1`;

/** The registry demands the password, and sends blobs elsewhere. */
function redirectBlobs({ path, headers }: SeenRequest, response: ServerResponse): boolean {
  if (path === "/v2/") return false;
  if (headers.authorization === undefined) return challenge(response, 'Basic realm="r"');
  if (!path.includes("/blobs/")) return false;
  response.writeHead(307, { location: `http://${thief.host}/storage?signature=s` }).end();
  return true;
}

function assertNothingStolen(server: FakeRegistry): void {
  const told = JSON.stringify(server.seen);
  for (const secret of ["hunter2", basic("user", "hunter2"), "t0ken"]) {
    assert.ok(!told.includes(secret), `${secret} was told: ${told}`);
  }
}

test("the host that a blob is redirected to is not shown the password", async () => {
  registry.behave = redirectBlobs;
  thief.behave = (_, response) => {
    response.end(blob);
    return true;
  };
  const chunks: Uint8Array[] = [];
  for await (const chunk of await sourceOf(name(), { auths: auths() }).openBlob(layer, 0, signal))
    chunks.push(chunk);
  assert.deepEqual(Buffer.concat(chunks), blob);
  assert.equal(thief.seen.length, 1);
  assertNothingStolen(thief);
});

for (const scheme of ["Basic", "Bearer"]) {
  test(`the host that a blob is redirected to cannot ask for the password (${scheme})`, async () => {
    registry.behave = redirectBlobs;
    thief.behave = (_, response) => challenge(response, `${scheme} realm="http://${thief.host}/token"`);
    await assert.rejects(sourceOf(name(), { auths: auths() }).openBlob(layer, 0, signal), {
      code: "image_pull_failed",
      message: "registry answered 401 UNAUTHORIZED: show me",
    });
    assert.equal(thief.seen.length, 1, "it is not asked again, nor its token server");
    assertNothingStolen(thief);
  });
}

for (const scheme of ["Basic", "Bearer"]) {
  test(`the host that everything is redirected to cannot ask for the password (${scheme})`, async () => {
    registry.behave = ({ path }, response) => {
      if (path === "/v2/") return false;
      response.writeHead(307, { location: `http://${thief.host}${path}` }).end();
      return true;
    };
    thief.behave = (_, response) => challenge(response, `${scheme} realm="http://${thief.host}/token"`);
    const pulling = sourceOf(name(), { auths: auths() }).getManifest(undefined, signal);
    await assert.rejects(pulling, { message: "registry answered 401 UNAUTHORIZED: show me" });
    assert.equal(thief.seen.length, 1);
    assertNothingStolen(thief);
    assertNothingStolen(registry);
  });
}

test("the host that a blob is redirected to is not shown the token", async () => {
  const tokens = await FakeRegistry.start();
  tokens.behave = (_, response) => {
    response.end('{"token":"t0ken"}');
    return true;
  };
  registry.behave = (request, response) => {
    if (request.path === "/v2/") return false;
    if (request.headers.authorization === "Bearer t0ken") return redirectBlobs(request, response);
    return challenge(response, `Bearer realm="http://${tokens.host}/"`);
  };
  thief.behave = (_, response) => {
    response.end(blob);
    return true;
  };
  await (await sourceOf(name()).openBlob(layer, 0, signal))[Symbol.asyncIterator]().next();
  assertNothingStolen(thief);
  await tokens.stop();
});

test("a token server that redirects does not pass the password on", async () => {
  registry.behave = ({ path }, response) =>
    path !== "/v2/" && challenge(response, `Bearer realm="http://${registry.host}/token"`);
  const demand = registry.behave;
  registry.behave = (request, response) => {
    if (!request.path.startsWith("/token")) return demand(request, response);
    response.writeHead(302, { location: `http://${thief.host}/token` }).end();
    return true;
  };
  thief.behave = (_, response) => {
    response.end('{"token":"worthless"}');
    return true;
  };
  await assert.rejects(sourceOf(name(), { auths: auths() }).getManifest(undefined, signal));
  assert.ok(thief.seen.length > 0);
  assertNothingStolen(thief);
});

test("a token server that redirects does not get an identity token passed on", async () => {
  registry.behave = ({ path }, response) => {
    if (path === "/v2/") return false;
    if (!path.startsWith("/token"))
      return challenge(response, `Bearer realm="http://${registry.host}/token"`);
    response.writeHead(307, { location: `http://${thief.host}/token` }).end();
    return true;
  };
  const identity = { [registry.host]: { identitytoken: "hunter2" } };
  await assert.rejects(sourceOf(name(), { auths: identity }).getManifest(undefined, signal));
  assert.equal(thief.seen.length, 0);
});

test("the password goes to no token server in plain http elsewhere", async () => {
  registry.behave = ({ path }, response) =>
    path !== "/v2/" && challenge(response, 'Bearer realm="http://tokens.example/"');
  await assert.rejects(sourceOf(name(), { auths: auths() }).getManifest(undefined, signal), {
    code: "image_pull_failed",
    message:
      /^refusing the token server "http:\/\/tokens\.example\/" of .*: plain http is not allowed there$/,
  });
});

for (const realm of ["file:///etc/passwd", "data:,x", "", "not an address at all:"]) {
  test(`a token server must be on http(s): ${JSON.stringify(realm)}`, async () => {
    registry.behave = ({ path }, response) =>
      path !== "/v2/" && challenge(response, `Bearer realm="${realm}"`);
    const pulling = sourceOf(name(), { auths: auths() }).getManifest(undefined, signal);
    await assert.rejects(pulling, { code: "image_pull_failed" });
  });
}

test("a registry is not shown the password of another, nor of the one it mirrors", async () => {
  thief.behave = (_, response) => challenge(response, 'Basic realm="r"');
  const everything = { ...auths(), "https://index.docker.io/v1/": { auth: basic("user", "hunter2") } };
  await assert.rejects(
    sourceOf(`${thief.host}/team/app:v1`, { auths: everything }).getManifest(undefined, signal),
  );
  const mirrors = { registry_mirrors: { [registry.host]: [thief.host] } };
  await sourceOf(name(), { auths: everything, ...mirrors }).getManifest(undefined, signal);
  assert.ok(thief.seen.length > 1);
  assertNothingStolen(thief);
});

for (const token of ["t\r\nx-injected: 1", "t\u0000", "t t", "", "ü"]) {
  test(`a token that does not fit into a header is no token: ${JSON.stringify(token)}`, async () => {
    registry.behave = ({ path }, response) => {
      if (path === "/v2/") return false;
      if (!path.startsWith("/token"))
        return challenge(response, `Bearer realm="http://${registry.host}/token"`);
      response.end(JSON.stringify({ token }));
      return true;
    };
    await assert.rejects(sourceOf(name()).getManifest(undefined, signal), {
      code: "image_pull_failed",
      message: `token server ${registry.host} gave no token`,
    });
  });
}

test("a registry cannot make us ask for a token that can do more than pull this image", async () => {
  registry.behave = ({ path, headers }, response) => {
    if (path === "/v2/" || headers.authorization) return false;
    if (path.startsWith("/token")) response.end('{"token":"t"}');
    else
      return challenge(
        response,
        `Bearer realm="http://${registry.host}/token",scope="repository:private/x:push,delete"`,
      );
    return true;
  };
  await sourceOf(name()).getManifest(undefined, signal);
  const [asked] = registry.seen.filter(({ path }) => path.startsWith("/token"));
  assert.equal(asked?.path, "/token?scope=repository%3Ateam%2Fapp%3Apull");
});
