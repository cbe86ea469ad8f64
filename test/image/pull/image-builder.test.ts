import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { FakeRegistry, imageOf, sha256 } from "../../support/fake-registry.ts";
import { TestStore } from "../support/test-store.ts";

const base = { "base.txt": "b".repeat(5000) };
const image = imageOf([base, { "app.txt": "app" }]);
const sibling = imageOf([base, { "other.txt": "other" }]);
const baseBlob = sha256(image.layers[0] ?? "");
let registry: FakeRegistry;
let images: TestStore;
let name = "";
beforeEach(async () => {
  registry = await FakeRegistry.start();
  registry.addImage("team/app", image, "v1", "same");
  registry.addImage("team/sibling", sibling, "v1");
  name = `${registry.host}/team/app:v1`;
  images = await TestStore.open();
});
afterEach(async () => {
  await images.close();
  await registry.stop();
});

/** Lets blobs through only once `open` is called. */
function gate(): { open: () => void; reached: Promise<void> } {
  const reached = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  registry.behave = async ({ path }) => {
    if (!path.includes(`/blobs/${baseBlob}`)) return false;
    reached.resolve();
    await opened.promise;
    return false;
  };
  return { open: opened.resolve, reached: reached.promise };
}

/** How often each blob was fetched. */
function blobFetches(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { path } of registry.seen.filter(({ path }) => path.includes("/blobs/"))) {
    const digest = path.slice(path.lastIndexOf("/") + 1);
    counts[digest] = (counts[digest] ?? 0) + 1;
  }
  return counts;
}

test("50 concurrent callers cost one download of each blob and one image", async () => {
  const leases = await Promise.all(Array.from({ length: 50 }, () => images.acquire(name)));
  assert.equal(new Set(leases.map((lease) => lease.image.rootfs)).size, 1);
  assert.deepEqual(Object.values(blobFetches()), [1, 1, 1]);
  assert.equal(registry.count("GET", "/manifests/v1"), 1);
  assert.equal(images.store.list()[0]?.in_use, 50);
});

test("two names of one image, pulled at the same time, cost one download of each layer", async () => {
  const both = [name, `${registry.host}/team/app:same`].map((reference) => images.acquire(reference));
  const [one, two] = await Promise.all(both);
  assert.equal(one?.image.rootfs, two?.image.rootfs);
  for (const layer of image.layers) assert.equal(blobFetches()[sha256(layer)], 1);
});

test("images that share a layer, pulled at the same time, cost one download of it", async () => {
  const { open, reached } = gate();
  const first = images.acquire(name);
  await reached;
  const second = images.acquire(`${registry.host}/team/sibling:v1`);
  // Long enough under way to have asked for its own layer, which is no proof but for a failure.
  while (registry.count("GET", sha256(sibling.layers[1] ?? "")) === 0)
    await new Promise((go) => setTimeout(go, 5));
  open();
  await Promise.all([first, second]);
  assert.equal(blobFetches()[baseBlob], 1);
  await images.store.close();
  assert.equal((await images.files())["blobs/sha256"], 0);
});

describe("callers who go away", () => {
  test("one of several does not stop the pull of the others", async () => {
    const { open, reached } = gate();
    const impatient = new AbortController();
    const gone = images.acquire(name, "missing", impatient.signal);
    const stays = images.acquire(name);
    await reached;
    impatient.abort(new Error("gone"));
    await assert.rejects(gone, /^Error: gone$/);
    open();
    assert.equal((await stays).image.digest, image.digest);
    assert.equal(blobFetches()[baseBlob], 1);
  });

  test("the last one stops it, and nothing is left", async () => {
    const { reached } = gate();
    const callers = [new AbortController(), new AbortController()];
    const pulls = callers.map(({ signal }) => images.acquire(name, "missing", signal));
    await reached;
    for (const caller of callers) caller.abort(new Error("gone"));
    for (const pull of pulls) await assert.rejects(pull, /^Error: gone$/);
    await images.store.close();
    assert.deepEqual(await images.files(), {
      tmp: 0,
      "blobs/sha256": 0,
      images: 0,
      rootfs: 0,
      references: 0,
    });
  });

  test("the next one pulls anew", async () => {
    const { reached } = gate();
    const impatient = new AbortController();
    const gone = images.acquire(name, "missing", impatient.signal);
    await reached;
    impatient.abort(new Error("gone"));
    registry.behave = () => false;
    const next = images.acquire(name);
    await assert.rejects(gone, /gone/);
    assert.equal((await next).image.digest, image.digest);
  });

  test("one of two names does not stop the other", async () => {
    const { open, reached } = gate();
    const impatient = new AbortController();
    const gone = images.acquire(name, "missing", impatient.signal);
    await reached;
    const stays = images.acquire(`${registry.host}/team/app:same`);
    while (registry.count("GET", "/manifests/same") === 0) await new Promise((go) => setTimeout(go, 5));
    impatient.abort(new Error("gone"));
    await assert.rejects(gone, /gone/);
    open();
    assert.equal((await stays).image.digest, image.digest);
  });

  test("one who is gone before he came gets nothing, though the image is here", async () => {
    await images.acquire(name);
    await assert.rejects(
      images.acquire(name, "missing", AbortSignal.abort(new Error("gone"))),
      /^Error: gone$/,
    );
    assert.equal(images.store.list()[0]?.in_use, 1);
  });
});

test("when a layer fails, the others are given up and nothing is left", async () => {
  registry.behave = ({ path }, response) => {
    if (path.includes(`/blobs/${baseBlob}`)) return true;
    if (!path.includes(`/blobs/${sha256(image.layers[1] ?? "")}`)) return false;
    response.writeHead(404).end();
    return true;
  };
  await assert.rejects(images.acquire(name), { message: `Cannot pull ${name}: registry answered 404` });
  await images.store.close();
  assert.deepEqual(await images.files(), { tmp: 0, "blobs/sha256": 0, images: 0, rootfs: 0, references: 0 });
});

test("connections that break are taken up where they broke", async () => {
  const big = imageOf([{ "noise.txt": Array.from({ length: 20_000 }, () => Math.random()).join("") }]);
  registry.addImage("team/big", big, "v1");
  const [blob = Buffer.alloc(0)] = big.layers;
  const ranges: (string | undefined)[] = [];
  registry.behave = ({ path, headers }, response) => {
    if (!path.includes(sha256(blob))) return false;
    ranges.push(headers.range);
    const start = Number(/\d+/.exec(headers.range ?? "0"));
    const part = blob.subarray(start, start + 50_000);
    if (start > 0) response.setHeader("content-range", `bytes ${start}-${blob.length - 1}/${blob.length}`);
    response.writeHead(start > 0 ? 206 : 200, { "content-length": blob.length - start });
    if (start + part.length === blob.length) response.end(part);
    else response.write(part, () => setTimeout(() => response.destroy(), 150));
    return true;
  };
  const { image: got } = await images.acquire(`${registry.host}/team/big:v1`);
  assert.equal(got.digest, big.digest);
  assert.ok(ranges.length > 2);
  assert.equal(ranges[0], undefined);
  assert.ok(
    ranges.slice(1).every((range) => /^bytes=[1-9]\d*-$/.test(range ?? "")),
    String(ranges),
  );
});
