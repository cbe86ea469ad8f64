import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { BoxerError, type ErrorCode } from "../../../src/core/errors.ts";
import { withArchive } from "../../../src/image/archive/open-archive.ts";
import { type ResolvedImage, resolveImage } from "../../../src/image/manifest/resolve-image.ts";
import { parseReference } from "../../../src/image/reference.ts";
import { imageOf, indexOf, sha256 } from "../../support/fake-registry.ts";
import { directory, file, symlink, tar } from "../../support/tar-builder.ts";
import {
  blobFiles,
  dockerArchive,
  dockerManifest,
  layoutFiles,
  namedEntry,
  ociArchive,
} from "../support/archives.ts";
import { chunked } from "../support/memory-source.ts";
import { TestClock } from "../support/test-clock.ts";
import { testLog } from "../support/test-log.ts";

const image = imageOf([{ "one.txt": "lower" }, { "one.txt": "upper" }], { config: { Cmd: ["run"] } });
const other = imageOf([{ "two.txt": "other" }]);
const foreign = imageOf([{ x: "arm" }], { architecture: "arm64" });
let tmp = "";
beforeEach(async () => {
  tmp = await mkdtemp(join(tmpdir(), "boxer-archive-"));
});
afterEach(async () => {
  assert.deepEqual(await readdir(tmp), [], "nothing is left");
  await rm(tmp, { recursive: true });
});

interface Found {
  readonly name: string;
  readonly resolved: ResolvedImage;
}

async function open(archive: Uint8Array, wanted?: string, chunkBytes = 10_000): Promise<Found> {
  const options = {
    tmp,
    max_image_bytes: 1 << 20,
    max_image_entries: 100,
    platform: { os: "linux", architecture: "amd64" },
    clock: new TestClock(),
    log: testLog().log,
    signal: new AbortController().signal,
  };
  const reference = wanted === undefined ? undefined : parseReference(wanted);
  return await withArchive(chunked(archive, chunkBytes), reference, options, async (found) => {
    const resolved = await resolveImage(found.source, found.reference.digest, options);
    // Everything that the manifest names must be there to be read.
    for (const layer of resolved.layers) {
      let size = 0;
      for await (const chunk of await found.source.openBlob(layer, 0, options.signal)) size += chunk.length;
      assert.equal(size, layer.size_bytes);
    }
    return { name: found.reference.text, resolved };
  });
}

async function refuses(
  archive: Uint8Array,
  code: ErrorCode,
  message: RegExp,
  wanted?: string,
): Promise<void> {
  await assert.rejects(open(archive, wanted), (error) => {
    assert.ok(error instanceof BoxerError, String(error));
    assert.deepEqual([error.code, message.test(error.message)], [code, true], error.message);
    return true;
  });
}

describe("an OCI archive", () => {
  test("gives the image with the digest that it had", async () => {
    const { name, resolved } = await open(ociArchive(image, "team/app:v1"));
    assert.deepEqual([name, resolved.digest], ["docker.io/team/app:v1", image.digest]);
  });

  test("gives its only image any name that is asked for", async () => {
    const { name, resolved } = await open(ociArchive(image, "team/app:v1"), "local/mine:2");
    assert.deepEqual([name, resolved.digest], ["local/mine:2", image.digest]);
  });

  test("gives the platform of ours out of an index", async () => {
    const index = indexOf([
      { ...foreign.descriptor, platform: { os: "linux", architecture: "arm64" } },
      { ...image.descriptor, platform: { os: "linux", architecture: "amd64" } },
    ]);
    const archive = tar(
      blobFiles(index.bytes, image.manifest, image.config, ...image.layers),
      layoutFiles([index.descriptor]),
    );
    const { resolved } = await open(archive, "local/x:1");
    assert.deepEqual([resolved.digest, resolved.resolved], [image.digest, index.descriptor.digest]);
  });

  test("may have the platforms of one name side by side", async () => {
    const entries = [
      { ...namedEntry(foreign, "team/app:v1"), platform: { os: "linux", architecture: "arm64" } },
      { ...namedEntry(image, "team/app:v1"), platform: { os: "linux", architecture: "amd64" } },
      { ...other.descriptor },
    ];
    const blobs = blobFiles(image.manifest, image.config, ...image.layers, other.manifest);
    const { name, resolved } = await open(tar(blobs, layoutFiles(entries)));
    assert.deepEqual([name, resolved.digest], ["docker.io/team/app:v1", image.digest]);
  });

  test("may be asked for the digest that it has", async () => {
    const { resolved } = await open(ociArchive(image), `team/app@${image.digest}`);
    assert.equal(resolved.resolved, image.digest);
  });

  test("is refused when asked for another digest", async () => {
    await refuses(ociArchive(image), "image_invalid", /is not in the archive/, `team/app@${other.digest}`);
  });

  test("is refused when a layer is missing", async () => {
    const archive = tar(blobFiles(image.manifest, image.config), layoutFiles([image.descriptor]));
    await refuses(archive, "image_invalid", /sha256:\w+ is not in the archive/, "local/x:1");
  });

  test("is refused when the manifest is wrong about a size, without another try", async () => {
    const lie = imageOf([{ a: "1" }], {
      manifest: { layers: [{ ...JSON.parse(image.manifest.toString()).layers[0], size: 5 }] },
    });
    const archive = tar(blobFiles(lie.manifest, lie.config, ...image.layers), layoutFiles([lie.descriptor]));
    await refuses(archive, "image_invalid", /of the archive has \d+ bytes, not 5/, "local/x:1");
  });
});

describe("a Docker archive", () => {
  test("gives the image with a manifest made of what came", async () => {
    const { name, resolved } = await open(dockerArchive(image, "team/app:v1"));
    assert.equal(name, "docker.io/team/app:v1");
    assert.equal(sha256(resolved.config_text), sha256(image.config));
    assert.deepEqual(
      resolved.layers.map(({ digest, diff_id, media_type }) => [digest === diff_id, media_type]),
      [0, 1].map(() => [true, "application/vnd.docker.image.rootfs.diff.tar"]),
    );
  });

  test("gives the same digest each time", async () => {
    const first = await open(dockerArchive(image, "team/app:v1"));
    const second = await open(gzipSync(dockerArchive(image, "team/else:v2")));
    assert.equal(first.resolved.digest, second.resolved.digest);
  });

  test("may have compressed layers, and names as builders write them", async () => {
    const [lower = Buffer.alloc(0), upper = Buffer.alloc(0)] = image.layers;
    const archive = tar(
      file(sha256(image.config), image.config),
      file("lower.tar.gz", lower),
      file("./upper.tar.gz", upper),
      file(
        "manifest.json",
        JSON.stringify([
          { Config: sha256(image.config), RepoTags: null, Layers: ["lower.tar.gz", "upper.tar.gz"] },
        ]),
      ),
    );
    const { resolved } = await open(archive, "local/x:1");
    assert.deepEqual(
      resolved.layers.map(({ digest }) => digest),
      image.layers.map(sha256),
    );
  });

  test("is refused when it names a file that it lacks", async () => {
    const archive = tar(file("manifest.json", '[{"Config":"a.json","Layers":["b.tar"]}]'));
    await refuses(archive, "image_invalid", /cannot take "a\.json".*not there/, "local/x:1");
  });

  for (const [what, content] of Object.entries({
    "is no list": "{}",
    "is no JSON": "nonsense",
    "has an image without Config": '[{"Layers":[]}]',
  })) {
    test(`is refused when its manifest ${what}`, async () => {
      await refuses(tar(file("manifest.json", content)), "image_invalid", /manifest\.json/, "local/x:1");
    });
  }
});

describe("an archive of both kinds", () => {
  const both = (...contents: readonly Uint8Array[]) =>
    tar(
      blobFiles(...contents),
      layoutFiles([
        {
          ...image.descriptor,
          annotations: {
            "io.containerd.image.name": "docker.io/team/app:v1",
            "org.opencontainers.image.ref.name": "v1",
          },
        },
      ]),
      dockerManifest(image, "team/app:v1"),
    );

  test("is read as the layout that it is", async () => {
    const { name, resolved } = await open(both(image.manifest, image.config, ...image.layers));
    assert.deepEqual([name, resolved.digest], ["docker.io/team/app:v1", image.digest]);
  });

  test("is read as a Docker archive when the layout lacks its manifest", async () => {
    const { name, resolved } = await open(both(image.config, ...image.layers));
    assert.equal(name, "docker.io/team/app:v1");
    assert.notEqual(resolved.digest, image.digest);
  });

  test("is read as a Docker archive when the layout lacks a layer", async () => {
    const layout = Buffer.concat([
      blobFiles(image.manifest, image.config),
      layoutFiles([namedEntry(image, "a/b:1")]),
    ]);
    const { resolved } = await open(Buffer.concat([layout, dockerArchive(image, "team/app:v1")]));
    assert.notEqual(resolved.digest, image.digest);
  });

  test("is refused when it is whole as neither", async () => {
    const archive = both(image.manifest, image.config, ...image.layers.slice(1));
    await refuses(archive, "image_invalid", /manifest\.json names it/);
  });
});

describe("which image is meant", () => {
  const two = (first: string | undefined, second: string | undefined) =>
    tar(
      blobFiles(image.manifest, image.config, ...image.layers),
      blobFiles(other.manifest, other.config, ...other.layers),
      layoutFiles([namedEntry(image, first), namedEntry(other, second)]),
    );
  const cases: [what: string, archive: Buffer, wanted: string | undefined, digest: string | RegExp][] = [
    ["the one of the name asked for", two("a/x:1", "a/y:1"), "a/y:1", other.digest],
    ["the one of the tag asked for", two("v1", "v2"), "local/mine:v2", other.digest],
    ["none, when the name is of neither", two("a/x:1", "a/y:1"), "a/z:1", /holds 2 images, a\/x:1, a\/y:1/],
    ["none, when no name is asked for", two("a/x:1", "a/y:1"), undefined, /reference must say which/],
    [
      "none, when it has a tag alone",
      ociArchive(image, "v1"),
      undefined,
      /does not say what the image is called/,
    ],
    ["none, when it has no name", ociArchive(image), undefined, /does not say what the image is called/],
    ["none, when its name is no reference", ociArchive(image, "A:/b"), undefined, /does not say/],
    ["none, when it has two names", dockerArchive(image, "a/x:1", "a/y:1"), undefined, /a\/x:1 = a\/y:1/],
  ];
  for (const [what, archive, wanted, expected] of cases) {
    test(what, async () => {
      if (expected instanceof RegExp) return await refuses(archive, "invalid_request", expected, wanted);
      assert.equal((await open(archive, wanted)).resolved.digest, expected);
    });
  }
});

describe("the stream", () => {
  const plain = dockerArchive(image, "team/app:v1");
  const packed: [string, Buffer][] = [
    ["plain", plain],
    ["gzip", gzipSync(plain)],
    ["zstd", zstdCompressSync(plain)],
  ];
  for (const [what, bytes] of packed) {
    for (const chunkBytes of [1, 700, 1 << 20]) {
      test(`may be ${what}, in chunks of ${chunkBytes} bytes`, async () => {
        assert.equal((await open(bytes, undefined, chunkBytes)).name, "docker.io/team/app:v1");
      });
    }
  }

  const damaged: [what: string, bytes: Buffer, reason: RegExp][] = [
    ["empty", Buffer.alloc(0), /no image archive/],
    ["an empty archive", tar(), /no image archive/],
    ["some other archive", tar(directory("etc"), file("etc/passwd", "root")), /no image archive/],
    ["cut off within a file", plain.subarray(0, 3000), /damaged: .*truncated/],
    ["cut off within its compression", gzipSync(plain).subarray(0, 300), /damaged: .*gzip/],
    ["no archive", Buffer.from("<html>".repeat(1000)), /damaged/],
    ["compressed with xz", Buffer.from("fd377a585a000000", "hex"), /compressed with xz; use gzip, zstd/],
    ["compressed with bzip2", Buffer.from("425a6839", "hex"), /compressed with bzip2/],
  ];
  for (const [what, bytes, reason] of damaged) {
    test(`is refused when it is ${what}`, () => refuses(bytes, "image_invalid", reason, "local/x:1"));
  }

  test("keeps the error of its source", async () => {
    async function* breaks(): AsyncGenerator<Uint8Array> {
      yield plain.subarray(0, 2000);
      throw new BoxerError("canceled", "the client went away");
    }
    const options = { tmp, max_image_bytes: 1 << 20, max_image_entries: 100 };
    const rest = {
      platform: { os: "linux", architecture: "amd64" },
      clock: new TestClock(),
      log: testLog().log,
    };
    const { signal } = new AbortController();
    await assert.rejects(
      withArchive(breaks(), undefined, { ...options, ...rest, signal }, async () => {}),
      /the client went away/,
    );
  });
});

test("links of layers are followed within the archive, also through other links", async () => {
  const [layer = Buffer.alloc(0)] = other.layers;
  const manifest = JSON.stringify([{ Config: "c.json", RepoTags: ["a/b:1"], Layers: ["two/layer.tar"] }]);
  const archive = tar(
    symlink("two/layer.tar", "../one/layer.tar"),
    symlink("one/layer.tar", "../real/layer.tar"),
    file("real/layer.tar", layer),
    file("c.json", other.config),
    file("manifest.json", manifest),
  );
  const { resolved } = await open(archive);
  assert.equal(resolved.layers[0]?.digest, sha256(layer));
});
