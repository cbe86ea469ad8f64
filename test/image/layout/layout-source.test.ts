import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { Descriptor } from "../../../src/image/image-source.ts";
import { LayoutSource } from "../../../src/image/layout/layout-source.ts";
import { parseReference } from "../../../src/image/reference.ts";
import { type FakeImage, imageOf, sha256 } from "../../support/fake-registry.ts";
import { writeLayout } from "../support/write-layout.ts";

const { signal } = new AbortController();
const first = imageOf([{ a: "1" }]);
const second = imageOf([{ a: "2" }]);
const amd64 = { os: "linux", architecture: "amd64" };
let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "boxer-layout-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const source = (reference = "local/x:v2") => new LayoutSource(directory, parseReference(reference));
const named = (image: FakeImage, name: string) => ({
  ...image.descriptor,
  annotations: { "org.opencontainers.image.ref.name": name },
});
const blobOf = (image: FakeImage): Descriptor => ({
  media_type: "",
  digest: sha256(image.layers[0] ?? ""),
  size_bytes: image.layers[0]?.length ?? 0,
});

describe("of the images in a layout the right one is taken", () => {
  const cases: [name: string, entries: object[], chosen: FakeImage | undefined][] = [
    ["the only one, whatever it is called", [named(first, "v1")], first],
    ["the one with our tag", [named(first, "v1"), named(second, "v2")], second],
    ["the one with our name in full", [named(first, "v1"), named(second, "local/x:v2")], second],
    ["with none of ours, the index itself", [named(first, "v1"), named(second, "v3")], undefined],
    ["with two of ours, the index itself", [named(first, "v2"), named(second, "v2")], undefined],
    [
      "without names, the index itself",
      [first.descriptor, { ...second.descriptor, platform: amd64 }],
      undefined,
    ],
  ];
  for (const [name, entries, chosen] of cases) {
    test(name, async () => {
      const index = await writeLayout(directory, [first, second], entries);
      const { bytes } = await source().getManifest(undefined, signal);
      assert.deepEqual(Buffer.from(bytes), chosen?.manifest ?? index);
    });
  }

  test("by digest, that one", async () => {
    await writeLayout(directory, [first, second], [first.descriptor, second.descriptor]);
    const { bytes } = await source().getManifest(second.digest, signal);
    assert.deepEqual(Buffer.from(bytes), second.manifest);
  });
});

test("a blob is read from an offset on", async () => {
  await writeLayout(directory, [first], [first.descriptor]);
  const chunks: Uint8Array[] = [];
  for await (const chunk of await source().openBlob(blobOf(first), 10, signal)) chunks.push(chunk);
  assert.deepEqual(Buffer.concat(chunks), first.layers[0]?.subarray(10));
});

describe("what is no layout is refused with the reason", () => {
  test("an empty directory", async () => {
    await assert.rejects(source().getManifest(undefined, signal), {
      code: "image_not_found",
      message: "oci-layout of the image layout is not there",
    });
  });
  test("no index", async () => {
    await writeFile(join(directory, "oci-layout"), "{}");
    await assert.rejects(source().getManifest(undefined, signal), {
      message: /^index\.json of .* is not there/,
    });
  });
  test("an index that is none", async () => {
    await writeFile(join(directory, "oci-layout"), "{}");
    await writeFile(join(directory, "index.json"), "[]");
    await assert.rejects(source().getManifest(undefined, signal), { code: "image_invalid" });
  });
  test("an index that is too large", async () => {
    await writeFile(join(directory, "oci-layout"), "{}");
    await writeFile(join(directory, "index.json"), " ".repeat((4 << 20) + 1));
    await assert.rejects(source().getManifest(undefined, signal), { message: /larger than/ });
  });
  test("a blob that is not there", async () => {
    await writeLayout(directory, [], [first.descriptor]);
    await assert.rejects(source().openBlob(blobOf(first), 0, signal), { code: "image_not_found" });
  });
  test("a blob that is a device", async () => {
    await mkdir(join(directory, "blobs/sha256"), { recursive: true });
    await symlink("/dev/zero", join(directory, "blobs/sha256", blobOf(first).digest.slice(7)));
    await assert.rejects(source().openBlob(blobOf(first), 0, signal), { message: /is not a file/ });
  });
});
