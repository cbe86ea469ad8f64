import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Digest } from "../../../src/image/digest.ts";
import { digestOf } from "../../../src/image/digest.ts";
import { resolveImage } from "../../../src/image/manifest/resolve-image.ts";
import { imageOf, indexOf, sha256, tarOf } from "../../support/fake-registry.ts";
import { MemorySource } from "../support/memory-source.ts";
import { TestClock } from "../support/test-clock.ts";
import { testLog } from "../support/test-log.ts";

const amd64 = { os: "linux", architecture: "amd64" };
const arm64 = { os: "linux", architecture: "arm64" };
const image = imageOf([{ a: "1" }], { config: { Env: ["A=1"] } });

function resolve(source: MemorySource, pinned?: Digest, more: object = {}) {
  const { log, lines } = testLog();
  const { signal } = new AbortController();
  const options = { platform: amd64, max_image_bytes: 1 << 20, clock: new TestClock(), log, signal, ...more };
  return resolveImage(source, pinned, options).then((resolved) => ({ ...resolved, lines }));
}

test("a manifest is resolved with its config", async () => {
  const source = new MemorySource();
  source.addImage(image, undefined);
  const resolved = await resolve(source);
  assert.equal(resolved.resolved, image.digest);
  assert.equal(resolved.digest, image.digest);
  assert.equal(resolved.manifest_text, image.manifest.toString());
  assert.equal(resolved.config_text, image.config.toString());
  assert.deepEqual(
    resolved.layers.map(({ digest, diff_id }) => [digest, diff_id]),
    [[sha256(image.layers[0] ?? ""), sha256(tarOf({ a: "1" }))]],
  );
});

test("of an index our platform is taken, and both digests are told", async () => {
  const foreign = imageOf([{ a: "2" }], { architecture: "arm64" });
  const index = indexOf([
    { ...foreign.descriptor, platform: arm64 },
    { ...image.descriptor, platform: amd64 },
  ]);
  const source = new MemorySource();
  source.addImage(foreign);
  source.addImage(image);
  source.addManifest(index.bytes, index.descriptor.mediaType, undefined);
  const resolved = await resolve(source);
  assert.equal(resolved.resolved, index.descriptor.digest);
  assert.equal(resolved.digest, image.digest);
  assert.equal((await resolve(source, undefined, { platform: arm64 })).digest, foreign.digest);
});

function nested(depth: number): MemorySource {
  const source = new MemorySource();
  source.addImage(image);
  let entry: Parameters<typeof indexOf>[0][number] = image.descriptor;
  for (let level = 0; level < depth; level++) {
    const index = indexOf([{ ...entry, platform: amd64 }]);
    source.addManifest(index.bytes, index.descriptor.mediaType, level === depth - 1 ? undefined : "");
    entry = index.descriptor;
  }
  return source;
}

test("an index may hold indexes, three deep", async () => {
  assert.equal((await resolve(nested(3))).digest, image.digest);
  await assert.rejects(resolve(nested(4)), { code: "image_invalid", message: /nested more than 3 deep/ });
});

test("an image asked for by a sha512 digest is known by its sha256", async () => {
  const pinned = digestOf(image.manifest, "sha512");
  const source = new MemorySource();
  source.addImage(image, pinned);
  assert.equal((await resolve(source, pinned)).digest, image.digest);
});

test("an image of another system or architecture is refused, one that names none is taken", async () => {
  const resolveOf = (options: { os?: string; architecture?: string }) => {
    const source = new MemorySource();
    source.addImage(imageOf([{ a: "1" }], options), undefined);
    return resolve(source);
  };
  await assert.rejects(resolveOf({ architecture: "arm64\n" }), {
    code: "image_not_found",
    message: "the image is made for linux/arm64 , not for linux/amd64",
  });
  await assert.rejects(resolveOf({ os: "windows" }), { message: /made for windows\/amd64, not for linux/ });
  await resolveOf({ architecture: "" });
  await resolveOf({ architecture: "x86_64" });
});

describe("what does not hold together is refused", () => {
  const other = imageOf([{ a: "other" }]);
  const cases: [
    name: string,
    build: (source: MemorySource) => Digest | undefined,
    code: string,
    reason: RegExp,
  ][] = [
    [
      "a digest that another manifest is served for",
      (source) => {
        source.addImage(other, image.digest);
        return image.digest;
      },
      "image_pull_failed",
      /something else/,
    ],
    [
      "a manifest of an index that is another",
      (source) => {
        source.addImage(other, image.digest);
        const index = indexOf([{ ...image.descriptor, platform: amd64 }]);
        source.addManifest(index.bytes, index.descriptor.mediaType, undefined);
        return undefined;
      },
      "image_pull_failed",
      /something else/,
    ],
    [
      "a manifest of an index with another size",
      (source) => {
        source.addImage(image);
        const index = indexOf([{ ...image.descriptor, size: 5, platform: amd64 }]);
        source.addManifest(index.bytes, index.descriptor.mediaType, undefined);
        return undefined;
      },
      "image_pull_failed",
      /something else/,
    ],
    [
      "a config with another number of layers",
      (source) => {
        source.addImage(imageOf([{ a: "1" }], { diff_ids: [] }), undefined);
        return undefined;
      },
      "image_invalid",
      /the image config has 0 layers, its manifest 1/,
    ],
    [
      "a config beyond bounds",
      (source) => {
        const config = {
          mediaType: image.descriptor.mediaType.replace("manifest", "config"),
          digest: image.digest,
          size: 5 << 20,
        };
        source.addImage(imageOf([], { manifest: { config } }), undefined);
        return undefined;
      },
      "image_invalid",
      /larger than 4194304 bytes/,
    ],
    [
      "layers beyond bounds, before any is fetched",
      (source) => {
        const layer = { ...JSON.parse(image.manifest.toString()).layers[0], size: (1 << 20) + 1 };
        source.addImage(imageOf([], { manifest: { layers: [layer] } }), undefined);
        return undefined;
      },
      "image_invalid",
      /1048577 bytes, more than the allowed 1048576/,
    ],
  ];
  for (const [name, build, code, reason] of cases) {
    test(name, async () => {
      const source = new MemorySource();
      const pinned = build(source);
      await assert.rejects(resolve(source, pinned), { code, message: reason });
    });
  }
});
