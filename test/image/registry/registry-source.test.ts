import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { Descriptor } from "../../../src/image/image-source.ts";
import {
  type FakeImage,
  FakeRegistry,
  imageOf,
  refuse,
  type SeenRequest,
} from "../../support/fake-registry.ts";
import { basic, sourceOf } from "../support/registry-source.ts";
import { TestClock } from "../support/test-clock.ts";
import { testLog } from "../support/test-log.ts";

const { signal } = new AbortController();
const image: FakeImage = imageOf([{ "hello.txt": "hello" }]);
const layer: Descriptor = {
  media_type: "application/vnd.oci.image.layer.v1.tar+gzip",
  digest: JSON.parse(image.manifest.toString()).layers[0].digest,
  size_bytes: image.layers[0]?.length ?? 0,
};
let registry: FakeRegistry;
let other: FakeRegistry;
beforeEach(async () => {
  registry = await FakeRegistry.start();
  registry.addImage("team/app", image, "v1");
  other = await FakeRegistry.start();
});
afterEach(async () => {
  await registry.stop();
  await other.stop();
});

async function read(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Asks for a token of `realm`, and lets those in who have `token`. */
function demandToken(realm: string, token: () => string) {
  return ({ path, headers }: SeenRequest, response: ServerResponse): boolean => {
    if (path === "/v2/" || headers.authorization === `Bearer ${token()}`) return false;
    const challenge = `Bearer realm="${realm}",service="fake",scope="repository:team/app:pull,push"`;
    refuse(response, 401, "UNAUTHORIZED", "authentication required", { "www-authenticate": challenge });
    return true;
  };
}

/** A token server that notes nothing and gives out `token`. */
function giveToken(token: () => object) {
  return (_: SeenRequest, response: ServerResponse): boolean => {
    response.end(JSON.stringify(token()));
    return true;
  };
}

test("a public image needs no credentials", async () => {
  const source = sourceOf(`${registry.host}/team/app:v1`);
  const document = await source.getManifest(undefined, signal);
  assert.deepEqual(Buffer.from(document.bytes), image.manifest);
  assert.equal(document.media_type, image.mediaType);
  assert.equal(await source.headManifest(signal), image.digest);
  assert.deepEqual(await read(await source.openBlob(layer, 0, signal)), image.layers[0]);
  assert.ok(registry.seen.every(({ headers }) => headers.authorization === undefined));
});

test("what is asked for is what we can read", async () => {
  await sourceOf(`${registry.host}/team/app:v1`).getManifest(undefined, signal);
  const accept = registry.seen.at(-1)?.headers.accept ?? "";
  assert.match(accept, /vnd\.oci\.image\.index\.v1\+json/);
  assert.match(accept, /vnd\.docker\.distribution\.manifest\.v2\+json/);
  assert.doesNotMatch(accept, /distribution\.manifest\.v1/);
});

test("a digest goes before the tag", async () => {
  const source = sourceOf(`${registry.host}/team/app:elsewhere@${image.digest}`);
  await source.getManifest(undefined, signal);
  assert.equal(registry.count("GET", `/manifests/${image.digest}`), 1);
});

describe("tokens", () => {
  test("an anonymous token is fetched once, for pulling this repository and nothing more", async () => {
    registry.behave = demandToken(`http://${other.host}/token?a=b`, () => "t1");
    other.behave = giveToken(() => ({ token: "t1", expires_in: 300 }));
    const source = sourceOf(`${registry.host}/team/app:v1`);
    await source.getManifest(undefined, signal);
    await read(await source.openBlob(layer, 0, signal));
    assert.deepEqual(
      other.seen.map(({ method, path, headers }) => [method, path, headers.authorization]),
      [["GET", "/token?a=b&service=fake&scope=repository%3Ateam%2Fapp%3Apull", undefined]],
    );
  });

  test("the password goes to the token server, and the registry sees the token alone", async () => {
    registry.behave = demandToken(`http://${other.host}/token`, () => "t1");
    other.behave = giveToken(() => ({ access_token: "t1" }));
    const auths = { [registry.host]: { auth: basic("user", "pässword") } };
    await sourceOf(`${registry.host}/team/app:v1`, { auths }).getManifest(undefined, signal);
    assert.equal(other.seen[0]?.headers.authorization, `Basic ${basic("user", "pässword")}`);
    assert.deepEqual(registry.seen.map(({ headers }) => headers.authorization).filter(Boolean), [
      "Bearer t1",
    ]);
  });

  test("an identity token is exchanged by POST", async () => {
    registry.behave = demandToken(`http://${other.host}/token`, () => "t1");
    other.behave = giveToken(() => ({ access_token: "t1" }));
    const auths = { [registry.host]: { identitytoken: "refresh&me" } };
    await sourceOf(`${registry.host}/team/app:v1`, { auths }).getManifest(undefined, signal);
    const [request] = other.seen;
    assert.equal(request?.method, "POST");
    assert.deepEqual(Object.fromEntries(new URLSearchParams(request?.body)), {
      grant_type: "refresh_token",
      client_id: "boxer",
      refresh_token: "refresh&me",
      service: "fake",
      scope: "repository:team/app:pull",
    });
  });

  test("a token is renewed before it ends", async () => {
    let issued = 0;
    registry.behave = demandToken(`http://${other.host}/token`, () => `t${issued}`);
    other.behave = giveToken(() => ({ token: `t${++issued}`, expires_in: 300 }));
    const clock = new TestClock();
    const source = sourceOf(`${registry.host}/team/app:v1`, { clock });
    await source.getManifest(undefined, signal);
    clock.advance(280_000);
    await source.getManifest(undefined, signal);
    assert.equal(issued, 1);
    clock.advance(15_000);
    await source.getManifest(undefined, signal);
    assert.equal(issued, 2);
    assert.equal(registry.seen.filter(({ headers }) => headers.authorization === "Bearer t2").length, 1);
  });

  test("a token that the registry no longer takes is renewed once, for all who use it", async () => {
    let issued = 0;
    let valid = "t1";
    registry.behave = demandToken(`http://${other.host}/token`, () => valid);
    other.behave = giveToken(() => ({ token: `t${++issued}`, expires_in: 300 }));
    const source = sourceOf(`${registry.host}/team/app:v1`);
    await source.getManifest(undefined, signal);
    valid = "t2";
    await Promise.all(Array.from({ length: 5 }, () => source.getManifest(undefined, signal)));
    assert.equal(issued, 2);
  });

  test("a token server that refuses is named, with its reason", async () => {
    registry.behave = demandToken(`http://${other.host}/token`, () => "t1");
    other.behave = (_, response) => {
      refuse(response, 403, "DENIED", "account suspended");
      return true;
    };
    await assert.rejects(sourceOf(`${registry.host}/team/app:v1`).getManifest(undefined, signal), {
      code: "image_pull_failed",
      message: `token server ${other.host} answered 403 DENIED: account suspended`,
    });
  });

  test("a token server that stumbles is asked again", async () => {
    let tries = 0;
    registry.behave = demandToken(`http://${other.host}/token`, () => "t1");
    other.behave = (_, response) => {
      if (++tries === 1) refuse(response, 503, "UNAVAILABLE", "");
      else response.end('{"token":"t1"}');
      return true;
    };
    await sourceOf(`${registry.host}/team/app:v1`).getManifest(undefined, signal);
    assert.equal(tries, 2);
  });

  test("a token that is not good enough is an error of the registry, not a loop", async () => {
    registry.behave = demandToken(`http://${other.host}/token`, () => "better");
    other.behave = giveToken(() => ({ token: "t1" }));
    await assert.rejects(sourceOf(`${registry.host}/team/app:v1`).getManifest(undefined, signal), {
      code: "image_pull_failed",
      message: "registry answered 401 UNAUTHORIZED: authentication required",
    });
    assert.equal(registry.count("GET", "/manifests/v1"), 2);
  });
});

describe("basic authentication", () => {
  const demandPassword = ({ path, headers }: SeenRequest, response: ServerResponse): boolean => {
    if (path === "/v2/" || headers.authorization === `Basic ${basic("user", "password")}`) return false;
    refuse(response, 401, "UNAUTHORIZED", "who are you", { "www-authenticate": 'Basic realm="fake"' });
    return true;
  };

  test("the password is sent once the registry asks for it", async () => {
    registry.behave = demandPassword;
    const auths = { [registry.host]: { auth: basic("user", "password") } };
    const source = sourceOf(`${registry.host}/team/app:v1`, { auths });
    await source.getManifest(undefined, signal);
    await source.getManifest(undefined, signal);
    assert.deepEqual(
      registry.seen.filter(({ path }) => path !== "/v2/").map(({ headers }) => headers.authorization),
      [undefined, `Basic ${basic("user", "password")}`, `Basic ${basic("user", "password")}`],
    );
  });

  test("a wrong password is the registry's error, and is not sent twice", async () => {
    registry.behave = demandPassword;
    const auths = { [registry.host]: { auth: basic("user", "wrong") } };
    await assert.rejects(sourceOf(`${registry.host}/team/app:v1`, { auths }).getManifest(undefined, signal), {
      message: "registry answered 401 UNAUTHORIZED: who are you",
    });
    assert.equal(registry.count("GET", "/manifests/v1"), 2);
  });

  test("without credentials nothing is tried again", async () => {
    registry.behave = demandPassword;
    await assert.rejects(sourceOf(`${registry.host}/team/app:v1`).getManifest(undefined, signal));
    assert.equal(registry.count("GET", "/manifests/v1"), 1);
  });
});

describe("faults of the registry", () => {
  test("a missing image is told apart, in the registry's own words", async () => {
    await assert.rejects(sourceOf(`${registry.host}/team/app:v2`).getManifest(undefined, signal), {
      code: "image_not_found",
      message: "registry answered 404 MANIFEST_UNKNOWN: manifest unknown",
    });
    assert.equal(registry.count("GET", "/manifests/v2"), 1, "it is not asked again");
  });

  test("a registry that is busy is asked again when it says so", async () => {
    const clock = new TestClock();
    let tries = 0;
    registry.behave = ({ path }, response) => {
      if (path === "/v2/" || ++tries === 4) return false;
      refuse(
        response,
        [429, 500, 503][tries - 1] ?? 0,
        "BUSY",
        "later",
        tries === 1 ? { "retry-after": "3" } : {},
      );
      return true;
    };
    await sourceOf(`${registry.host}/team/app:v1`, { clock }).getManifest(undefined, signal);
    assert.deepEqual(clock.sleeps, [3000, 1000, 2000]);
  });

  test("a registry that stays busy is given up with its last words", async () => {
    registry.behave = ({ path }, response) => {
      if (path === "/v2/") return false;
      refuse(response, 503, "BUSY", "later");
      return true;
    };
    await assert.rejects(sourceOf(`${registry.host}/team/app:v1`).getManifest(undefined, signal), {
      code: "image_pull_failed",
      message: "registry answered 503 BUSY: later",
    });
    assert.equal(registry.count("GET", "/manifests/v1"), 5);
  });

  test("a registry that is not there is given up, and named", async () => {
    const { host } = registry;
    await registry.stop();
    await assert.rejects(sourceOf(`${host}/team/app:v1`).getManifest(undefined, signal), (error: Error) => {
      assert.ok(error.message.startsWith(`cannot reach ${host}: `), error.message);
      return true;
    });
    registry = await FakeRegistry.start();
  });

  test("HEAD that is not understood, or gives no digest, is no fault", async () => {
    const source = sourceOf(`${registry.host}/team/app:v1`);
    for (const answer of [
      { status: 405 },
      { status: 404 },
      { status: 200 },
      { status: 200, digest: "sha256:xyz" },
    ]) {
      registry.behave = ({ method }, response) => {
        if (method !== "HEAD") return false;
        response
          .writeHead(answer.status, answer.digest ? { "docker-content-digest": answer.digest } : {})
          .end();
        return true;
      };
      assert.equal(await source.headManifest(signal), undefined);
    }
  });

  test("HEAD at a registry that is busy is a failure at once", async () => {
    registry.behave = ({ method }, response) => {
      if (method !== "HEAD") return false;
      response.writeHead(503).end();
      return true;
    };
    await assert.rejects(sourceOf(`${registry.host}/team/app:v1`).headManifest(signal), /answered 503/);
    assert.equal(registry.count("HEAD", "/manifests/v1"), 1);
  });
});

describe("blobs from an offset on", () => {
  test("a registry that knows ranges sends the rest", async () => {
    const source = sourceOf(`${registry.host}/team/app:v1`);
    assert.deepEqual(await read(await source.openBlob(layer, 10, signal)), image.layers[0]?.subarray(10));
    assert.equal(registry.seen.at(-1)?.headers.range, "bytes=10-");
  });

  test("of one that does not, the beginning is passed over", async () => {
    registry.behave = ({ path }, response) => {
      if (path === "/v2/") return false;
      response.end(image.layers[0]);
      return true;
    };
    const source = sourceOf(`${registry.host}/team/app:v1`);
    assert.deepEqual(await read(await source.openBlob(layer, 10, signal)), image.layers[0]?.subarray(10));
  });

  test("a range that was not asked for is a failure", async () => {
    registry.behave = ({ path }, response) => {
      if (path === "/v2/") return false;
      response.writeHead(206, { "content-range": "bytes 0-5/6" }).end("abcdef");
      return true;
    };
    const opening = sourceOf(`${registry.host}/team/app:v1`).openBlob(layer, 10, signal);
    await assert.rejects(opening, /wrong range: "bytes 0-5\/6"/);
  });
});

describe("mirrors", () => {
  const source = (mirrors: string[], log = testLog().log) =>
    sourceOf(`${registry.host}/team/app:v1`, { registry_mirrors: { [registry.host]: mirrors }, log });

  test("a mirror that has the image is all that is asked", async () => {
    other.addImage("team/app", image, "v1");
    const mirrored = source([other.host]);
    await mirrored.getManifest(undefined, signal);
    await read(await mirrored.openBlob(layer, 0, signal));
    assert.equal(registry.seen.length, 0);
  });

  test("a mirror that has not is passed over for good, with a line in the log", async () => {
    const { log, lines } = testLog();
    const mirrored = source([other.host], log);
    await mirrored.getManifest(undefined, signal);
    await read(await mirrored.openBlob(layer, 0, signal));
    assert.equal(other.count("GET", "/manifests/v1"), 1);
    assert.equal(other.seen.filter(({ path }) => path.includes("/blobs/")).length, 0);
    assert.deepEqual(
      lines.map(({ msg, mirror }) => [msg, mirror]),
      [["registry mirror failed", other.host]],
    );
  });

  test("where nobody has it, the registry's own answer is the reason", async () => {
    other.behave = (_, response) => {
      refuse(response, 418, "TEAPOT", "I am a mirror");
      return true;
    };
    const missing = sourceOf(`${registry.host}/team/app:v2`, {
      registry_mirrors: { [registry.host]: [other.host] },
    });
    await assert.rejects(missing.getManifest(undefined, signal), {
      message: "registry answered 404 MANIFEST_UNKNOWN: manifest unknown",
    });
  });
});
