import assert from "node:assert/strict";
import { test } from "node:test";
import { type WantedImages, wantWarmImages } from "../src/compose-sandbox.ts";
import { parseConfig } from "../src/config/load-config.ts";
import type { BootShape } from "../src/sandbox/warm-pool/boot-shape.ts";

const DIGESTS: Record<string, string> = { "local/a:1": "sha256:a", "local/b:1": "sha256:b" };

/** What is wanted of a pool, and said, given the images that a configuration names. */
async function wanted(
  names: readonly string[],
  signal = new AbortController().signal,
  before: WantedImages = new Map(),
  digests = DIGESTS,
) {
  const dropped: string[] = [];
  const said: object[] = [];
  const shapes: [BootShape, number][] = [];
  let leases = 0;
  const acquire = async (reference: string) => {
    const digest = digests[reference];
    signal.throwIfAborted();
    if (!digest) throw new Error("no such image");
    leases += 1;
    const release = () => {
      leases -= 1;
    };
    return { image: { digest, rootfs: `/images/${digest}`, rootfs_type: "erofs" }, release };
  };
  const file = { listen_addr: "127.0.0.1:0", warm_pool: { images: names }, defaults: { memory_mb: 99 } };
  const config = parseConfig(JSON.stringify(file), "test configuration", "/nosuch");
  const known = [...before.values()];
  const pool = {
    want: (shape: BootShape, count: number) => shapes.push([shape, count]),
    drop: async (matches: (shape: BootShape) => boolean) => {
      dropped.push(...known.filter(matches).map(({ image }) => image));
    },
  };
  const parts = { config, images: { acquire }, log: { warn: (details: object) => said.push(details) } };
  type Arguments = Parameters<typeof wantWarmImages>;
  await wantWarmImages({ pool } as unknown as Arguments[0], parts as unknown as Arguments[1], signal, before);
  return { shapes, said, leases, dropped };
}

test("one sandbox is wanted of each image that the configuration names, with the usual limits", async () => {
  const { shapes, said, leases } = await wanted(["local/a:1", "local/b:1"]);
  assert.deepEqual(
    shapes.map(([{ image, rootfs, rootfsType, memory_mb }, count]) => [
      image,
      rootfs,
      rootfsType,
      memory_mb,
      count,
    ]),
    ["a", "b"].map((name) => [`sha256:${name}`, `/images/sha256:${name}`, "erofs", 99, 1]),
  );
  assert.deepEqual([said, leases], [[], 0]);
});

test("an image that cannot be had is told, and the others are wanted all the same", async () => {
  const { shapes, said } = await wanted(["local/nosuch:1", "local/b:1"]);
  assert.deepEqual(
    shapes.map(([{ image }]) => image),
    ["sha256:b"],
  );
  assert.deepEqual(said, [{ image: "local/nosuch:1", reason: "no such image" }]);
});

test("where a name means another image now, those of the old one go, and the new one is wanted", async () => {
  const before = new Map();
  await wanted(["local/a:1", "local/b:1"], undefined, before);
  const { shapes, dropped } = await wanted(["local/a:1", "local/b:1"], undefined, before, {
    ...DIGESTS,
    "local/a:1": "sha256:c",
  });
  assert.deepEqual(
    shapes.map(([{ image }]) => image),
    ["sha256:c", "sha256:b"],
  );
  assert.deepEqual(dropped, ["sha256:a"]);
});

test("nothing is told of what is not wanted any more", async () => {
  const { shapes, said } = await wanted(["local/a:1"], AbortSignal.abort());
  assert.deepEqual([shapes, said], [[], []]);
});
