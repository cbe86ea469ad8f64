import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { FakeRegistry, imageOf, indexOf, refuse } from "../../support/fake-registry.ts";
import { TestStore } from "../support/test-store.ts";

const TTL_MS = 300_000;
const old = imageOf([{ "a.txt": "old" }]);
const fresh = imageOf([{ "a.txt": "new" }]);
let registry: FakeRegistry;
let images: TestStore;
let name = "";
beforeEach(async () => {
  registry = await FakeRegistry.start();
  registry.addImage("team/app", old, "v1");
  name = `${registry.host}/team/app:v1`;
  images = await TestStore.open();
  (await images.acquire(name)).release();
  registry.seen.length = 0;
});
afterEach(async () => {
  await images.close();
  await registry.stop();
});

/** Takes the image and gives it back. */
async function digestOf(pull?: "missing" | "always" | "never"): Promise<string> {
  const lease = await images.acquire(name, pull);
  lease.release();
  return lease.image.digest;
}
/** What the registry was asked, but for the pings. */
const asked = () => registry.seen.filter(({ path }) => path !== "/v2/").map(({ method }) => method);
const reference = () => images.store.list()[0]?.references[0];

test("a tag is not looked up again before its time", async () => {
  registry.addImage("team/app", fresh, "v1");
  images.clock.advance(TTL_MS - 1);
  assert.equal(await digestOf(), old.digest);
  assert.deepEqual(asked(), []);
});

test("a tag is looked up again, and its index chosen from anew, when the platform is another", async () => {
  const arm = imageOf([{ "a.txt": "arm" }], { architecture: "arm64" });
  registry.addImage("team/app", arm, "arm");
  const platformOf = (architecture: string) => ({ platform: { os: "linux", architecture } });
  const { bytes, descriptor } = indexOf([
    { ...old.descriptor, ...platformOf("amd64") },
    { ...arm.descriptor, ...platformOf("arm64") },
  ]);
  registry.addManifest("team/app", bytes, descriptor.mediaType, "v1");
  assert.equal(await digestOf("always"), old.digest);
  await images.store.close();
  await images.reopen(platformOf("arm64"));
  assert.equal(await digestOf(), arm.digest);
});

test("an aged tag that stands for the same image costs one HEAD, and is fresh again", async () => {
  images.clock.advance(TTL_MS);
  assert.equal(await digestOf(), old.digest);
  assert.deepEqual(asked(), ["HEAD"]);
  assert.equal(reference()?.checked_at_ms, images.clock.now());
  images.clock.advance(TTL_MS - 1);
  await digestOf();
  assert.deepEqual(asked(), ["HEAD"]);
});

test("an aged tag that has moved brings the new image, and the old one goes", async () => {
  registry.addImage("team/app", fresh, "v1");
  images.clock.advance(TTL_MS);
  assert.equal(await digestOf(), fresh.digest);
  await images.store.close();
  assert.deepEqual(await images.files(), { tmp: 0, "blobs/sha256": 0, images: 1, rootfs: 1, references: 1 });
});

test("the old image stays for those who use it while the tag moves", async () => {
  const lease = await images.acquire(name);
  registry.addImage("team/app", fresh, "v1");
  images.clock.advance(TTL_MS);
  assert.equal(await digestOf(), fresh.digest);
  assert.equal((await images.files()).rootfs, 2);
  lease.release();
  await images.store.close();
  assert.equal((await images.files()).rootfs, 1);
});

test("50 concurrent callers look an aged tag up once", async () => {
  images.clock.advance(TTL_MS);
  await Promise.all(Array.from({ length: 50 }, () => digestOf()));
  assert.deepEqual(asked(), ["HEAD"]);
});

test("where HEAD gives no digest, a GET says whether the tag has moved", async () => {
  registry.behave = ({ method }, response) => {
    if (method === "HEAD") response.writeHead(405).end();
    return method === "HEAD";
  };
  images.clock.advance(TTL_MS);
  assert.equal(await digestOf(), old.digest);
  assert.deepEqual(asked(), ["HEAD", "GET", "GET"], "the manifest and its config, no layers");
  registry.addImage("team/app", fresh, "v1");
  images.clock.advance(TTL_MS);
  assert.equal(await digestOf(), fresh.digest);
});

test("an index that has changed for other platforms only keeps our image", async () => {
  const platform = { os: "linux", architecture: "amd64" };
  for (const extra of [[], [{ ...fresh.descriptor, platform: { os: "linux", architecture: "s390x" } }]]) {
    const { bytes, descriptor } = indexOf([{ ...old.descriptor, platform }, ...extra]);
    registry.addManifest("team/app", bytes, descriptor.mediaType, "v1");
    images.clock.advance(TTL_MS);
    assert.equal(await digestOf(), old.digest);
  }
  registry.seen.length = 0;
  images.clock.advance(TTL_MS);
  assert.equal(await digestOf(), old.digest);
  assert.deepEqual(asked(), ["HEAD"], "the index is what the tag is known by");
});

test("a clock that was put back does not keep a tag for ever", async () => {
  images.clock.advance(-1e9);
  await digestOf();
  assert.deepEqual(asked(), ["HEAD"]);
});

describe("pull policies", () => {
  test("always: the registry is asked each time, and nothing is fetched that is here", async () => {
    assert.equal(await digestOf("always"), old.digest);
    assert.equal(await digestOf("always"), old.digest);
    assert.deepEqual(asked(), ["HEAD", "HEAD"]);
    registry.addImage("team/app", fresh, "v1");
    assert.equal(await digestOf("always"), fresh.digest);
  });

  test("never: an aged tag is good enough", async () => {
    images.clock.advance(10 * TTL_MS);
    assert.equal(await digestOf("never"), old.digest);
    assert.deepEqual(asked(), []);
  });
});

describe("while the registry cannot be asked", () => {
  beforeEach(() => {
    registry.behave = ({ path }, response) => {
      if (path === "/v2/") return false;
      refuse(response, 503, "UNAVAILABLE", "down for the night");
      return true;
    };
    images.clock.advance(TTL_MS);
  });

  test("the old image serves, and both log and list say why", async () => {
    assert.equal(await digestOf(), old.digest);
    const warning = images.lines.find(({ level }) => level === 40);
    assert.equal(warning?.msg, "cannot look the image up again; the one from before is used");
    assert.equal(warning?.reason, "registry answered 503");
    assert.equal(reference()?.unreachable, "registry answered 503");
  });

  test("it is left alone for half a minute, then asked again", async () => {
    await digestOf();
    images.clock.advance(29_999);
    await digestOf();
    assert.deepEqual(asked(), ["HEAD"]);
    images.clock.advance(1);
    await digestOf();
    assert.deepEqual(asked(), ["HEAD", "HEAD"]);
  });

  test("once it answers again all is as before", async () => {
    await digestOf();
    registry.behave = () => false;
    images.clock.advance(30_000);
    assert.equal(await digestOf(), old.digest);
    assert.equal(reference()?.unreachable, undefined);
    assert.equal(reference()?.checked_at_ms, images.clock.now());
  });

  test("always means always: the failure is the caller's", async () => {
    await assert.rejects(digestOf("always"), {
      code: "image_pull_failed",
      message: `Cannot pull ${name}: registry answered 503`,
    });
  });

  test("a new image that cannot be had whole leaves the old one", async () => {
    registry.addImage("team/app", fresh, "v1");
    registry.behave = ({ path }, response) => {
      if (!path.includes("/blobs/")) return false;
      refuse(response, 404, "BLOB_UNKNOWN", "lost");
      return true;
    };
    assert.equal(await digestOf(), old.digest);
    assert.equal(reference()?.unreachable, "registry answered 404 BLOB_UNKNOWN: lost");
  });

  test("a tag that is no longer there leaves the old image", async () => {
    registry.behave = ({ path }, response) => {
      if (path === "/v2/") return false;
      refuse(response, 404, "MANIFEST_UNKNOWN", "deleted");
      return true;
    };
    assert.equal(await digestOf(), old.digest);
    assert.equal(reference()?.unreachable, "registry answered 404 MANIFEST_UNKNOWN: deleted");
  });
});

test("a caller who goes away while a tag is looked up says nothing of the registry", async () => {
  const asked = Promise.withResolvers<void>();
  registry.behave = ({ method }) => {
    if (method === "HEAD") asked.resolve();
    return method === "HEAD";
  };
  images.clock.advance(TTL_MS);
  const caller = new AbortController();
  const gone = images.acquire(name, "missing", caller.signal);
  await asked.promise;
  caller.abort(new Error("gone"));
  await assert.rejects(gone, /^Error: gone$/);
  // Time for the abandoned pull to end, and to note something wrong.
  await new Promise((resolve) => setTimeout(resolve, 50));
  registry.behave = () => false;
  assert.equal(await digestOf(), old.digest);
  assert.equal(reference()?.checked_at_ms, images.clock.now());
  assert.equal(reference()?.unreachable, undefined);
});

test("a pull that takes too long is given up", async () => {
  await images.close();
  images = await TestStore.open({ pull_timeout_secs: 0.2 });
  registry.behave = ({ path }) => path.includes("/blobs/");
  await assert.rejects(images.acquire(name), {
    code: "image_pull_failed",
    message: `Cannot pull ${name}: it took longer than 0.2 s`,
  });
  assert.deepEqual((await images.files()).rootfs, 0);
});
