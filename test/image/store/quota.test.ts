import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { FakeRegistry, imageOf } from "../../support/fake-registry.ts";
import { TestStore } from "../support/test-store.ts";
import { writeLayout } from "../support/write-layout.ts";

const NAMES = ["one", "two", "three"] as const;
const MiB = 1 << 20;
let registry: FakeRegistry;
let images: TestStore;
beforeEach(async () => {
  registry = await FakeRegistry.start();
  for (const name of NAMES)
    registry.addImage(name, imageOf([{ [name]: name.repeat(MiB / name.length) }]), "1");
});
afterEach(async () => {
  await images.close();
  await registry.stop();
});

const pull = async (name: string) => {
  images.clock.advance(1000);
  return await images.acquire(`${registry.host}/${name}:1`);
};
/** Names of the images that are here, once evictions have ended. */
async function here(): Promise<string[]> {
  await images.store.prune({ unused_for_ms: Number.POSITIVE_INFINITY, all: true });
  return images.store
    .list()
    .flatMap(({ references }) => references.map(({ reference }) => /([a-z]+):1$/.exec(reference)?.[1] ?? ""));
}
const logged = (msg: string) => images.lines.filter((line) => line.msg === msg).length;
const EVICTED = "evicted an image to keep the quota";
const FULL = "images take more than their quota, and none of them can go";

test("a pull past the quota evicts what was not used for the longest time", async () => {
  images = await TestStore.open({ images_quota_bytes: 2.5 * MiB });
  for (const name of ["one", "two", "one"]) (await pull(name)).release();
  assert.deepEqual(await here(), ["one", "two"]);
  (await pull("three")).release();
  assert.deepEqual(await here(), ["one", "three"]);
  assert.equal(logged(EVICTED), 1);
  assert.equal(images.store.usage().quota_bytes, 2.5 * MiB);
  await images.store.close();
  assert.equal((await images.files()).rootfs, 2);
});

test("an image in use is never evicted, nor the one that was just pulled", async () => {
  images = await TestStore.open({ images_quota_bytes: 1 });
  const lease = await pull("one");
  (await pull("two")).release();
  assert.deepEqual(await here(), ["one", "two"]);
  assert.ok(logged(FULL) > 0);
  (await pull("three")).release();
  assert.deepEqual(await here(), ["one", "three"]);
  lease.release();
});

test("concurrent pulls that are too much for the quota all get their image", async () => {
  images = await TestStore.open({ images_quota_bytes: 1 });
  const leases = await Promise.all(NAMES.map(pull));
  assert.equal((await here()).length, 3);
  assert.equal(registry.seen.filter(({ path }) => path.includes("/manifests/")).length, 3);
  for (const lease of leases) lease.release();
});

test("images that were imported or are pre-pulled are never evicted", async () => {
  const two = `${registry.host}/two:1`;
  images = await TestStore.open({ images_quota_bytes: 1, images_prepull: [two] });
  const directory = await mkdtemp(join(tmpdir(), "boxer-quota-"));
  const image = imageOf([{ a: "imported" }]);
  await writeLayout(directory, [image], [image.descriptor]);
  await images.store.importLayout(directory, "local/mine:1");
  await rm(directory, { recursive: true });
  for (const name of ["two", "one", "three"]) (await pull(name)).release();
  assert.deepEqual(await here(), ["mine", "two", "three"]);
});

test("a quota that was lowered is kept from the next start on", async () => {
  images = await TestStore.open();
  for (const name of NAMES) (await pull(name)).release();
  await images.store.close();
  await images.reopen({ images_quota_bytes: 1.5 * MiB });
  assert.deepEqual(await here(), ["three"]);
});
