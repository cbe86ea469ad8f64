import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { TestStore } from "../image/support/test-store.ts";
import { FakeRegistry, imageOf, indexOf, sha256 } from "../support/fake-registry.ts";

const image = imageOf([{ "a.txt": "good" }]);
const evil = imageOf([{ "a.txt": "evil" }]);
const amd64 = { os: "linux", architecture: "amd64" };
let registry: FakeRegistry;
let images: TestStore;
let name = "";
beforeEach(async () => {
  registry = await FakeRegistry.start();
  registry.addImage("team/app", image, "v1");
  registry.addImage("team/app", evil);
  name = `${registry.host}/team/app:v1`;
  images = await TestStore.open();
});
afterEach(async () => {
  await images.close();
  await registry.stop();
});

/** The pull is refused with this reason, and nothing of it is left. */
async function assertRefused(reference: string, message: RegExp): Promise<void> {
  await assert.rejects(images.acquire(reference), { code: "image_pull_failed", message });
  await images.store.close();
  assert.deepEqual(await images.files(), { tmp: 0, "blobs/sha256": 0, images: 0, rootfs: 0, references: 0 });
}

test("another manifest for a digest", async () => {
  registry.addManifest("team/app", evil.manifest, evil.mediaType, image.digest);
  await assertRefused(
    `${registry.host}/team/app@${image.digest}`,
    /what came as sha256:[0-9a-f]+ is something else/,
  );
});

test("another manifest for a digest, vouched for by its header", async () => {
  registry.behave = ({ path }, response) => {
    if (!path.includes(image.digest)) return false;
    response.writeHead(200, { "content-type": evil.mediaType, "docker-content-digest": image.digest });
    response.end(evil.manifest);
    return true;
  };
  await assertRefused(`${registry.host}/team/app@${image.digest}`, /something else/);
});

test("another manifest for an entry of an index", async () => {
  const { bytes, descriptor } = indexOf([{ ...image.descriptor, platform: amd64 }]);
  registry.addManifest("team/app", bytes, descriptor.mediaType, "multi");
  registry.addManifest("team/app", evil.manifest, evil.mediaType, image.digest);
  await assertRefused(`${registry.host}/team/app:multi`, /something else/);
});

test("another config", async () => {
  registry.addBlob(Buffer.from(image.config.toString().replace("linux", "LINUX")), sha256(image.config));
  await assertRefused(name, /has the content of another/);
});

const [layer = Buffer.alloc(0)] = image.layers;
const lies: [name: string, bytes: Buffer, reason: RegExp][] = [
  ["another layer of the same size", Buffer.alloc(layer.length), /has the content of another/],
  [
    "a layer with something at its end",
    Buffer.concat([layer, Buffer.from("x")]),
    /has more than the \d+ bytes/,
  ],
  ["a layer cut short", layer.subarray(0, -1), /ended after \d+ of \d+ bytes|wrong range/],
  ["no layer at all", Buffer.alloc(0), /ended after 0 of \d+ bytes/],
];
for (const [what, bytes, reason] of lies) {
  test(what, async () => {
    registry.addBlob(bytes, sha256(layer));
    await assertRefused(name, reason);
  });
}

test("a layer of another size than the manifest says", async () => {
  const content = JSON.parse(image.manifest.toString());
  content.layers[0].size += 1;
  registry.addManifest("team/app", Buffer.from(JSON.stringify(content)), image.mediaType, "v1");
  await assertRefused(name, /ended after \d+ of \d+ bytes|wrong range/);
});

test("a header that gives another digest for a tag changes nothing", async () => {
  registry.behave = ({ path }, response) => {
    if (path.endsWith("/manifests/v1")) response.setHeader("docker-content-digest", evil.digest);
    return false;
  };
  const { image: got } = await images.acquire(name);
  assert.equal(got.digest, image.digest);
});

test("a header that says that an aged tag has moved is not believed", async () => {
  (await images.acquire(name)).release();
  images.clock.advance(300_000);
  registry.behave = ({ method }, response) => {
    if (method !== "HEAD") return false;
    response.writeHead(200, { "docker-content-digest": evil.digest }).end();
    return true;
  };
  assert.equal((await images.acquire(name)).image.digest, image.digest);
});
