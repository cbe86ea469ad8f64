import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BoxerError } from "../../../src/core/errors.ts";
import { parseManifest } from "../../../src/image/manifest/parse-manifest.ts";
import { DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from "../../../src/image/media-types.ts";

const digest = `sha256:${"a".repeat(64)}`;
const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest, size: 2 };
const layer = { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest, size: 3 };
const oci = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [layer] };
const docker = {
  schemaVersion: 2,
  mediaType: DOCKER_MANIFEST,
  config: { ...config, mediaType: "application/vnd.docker.container.image.v1+json" },
  layers: [{ ...layer, mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip" }],
};
const entry = { mediaType: OCI_MANIFEST, digest, size: 4, platform: { os: "linux", architecture: "amd64" } };
const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [entry] };

function parse(content: unknown, media_type = "") {
  const text = typeof content === "string" ? content : JSON.stringify(content);
  return parseManifest({ bytes: Buffer.from(text), media_type });
}

describe("manifests and indexes are read", () => {
  const { mediaType: _, ...ociWithoutType } = oci;
  const { mediaType: __, ...indexWithoutType } = index;
  const cases: [name: string, content: unknown, media_type: string, kind: string][] = [
    ["an OCI manifest", oci, OCI_MANIFEST, "image"],
    ["a Docker manifest", docker, DOCKER_MANIFEST, "image"],
    ["an OCI index", index, OCI_INDEX, "index"],
    ["a Docker list", { ...index, mediaType: DOCKER_LIST }, DOCKER_LIST, "index"],
    ["a manifest whose type only the registry states", ociWithoutType, OCI_MANIFEST, "image"],
    ["a manifest whose type only it states itself", oci, "", "image"],
    ["a manifest that comes as plain JSON", oci, "application/json", "image"],
    ["a manifest without any type", ociWithoutType, "", "image"],
    ["an index without any type", indexWithoutType, "text/plain", "index"],
    [
      "fields of newer versions",
      { ...oci, subject: config, annotations: { a: "b" }, artifactType: "x" },
      "",
      "image",
    ],
    ["no layers at all", { ...oci, layers: [] }, "", "image"],
    ["null annotations", { ...index, manifests: [{ ...entry, annotations: null }] }, "", "index"],
  ];
  for (const [name, content, media_type, kind] of cases) {
    test(name, () => assert.equal(parse(content, media_type).kind, kind));
  }
});

test("config and layers come as descriptors, lowest layer first", () => {
  const second = { ...layer, mediaType: "application/vnd.oci.image.layer.v1.tar+zstd", size: 9 };
  assert.deepEqual(parse({ ...oci, layers: [layer, second] }), {
    kind: "image",
    config: { media_type: config.mediaType, digest, size_bytes: 2 },
    layers: [
      { media_type: layer.mediaType, digest, size_bytes: 3 },
      { media_type: second.mediaType, digest, size_bytes: 9 },
    ],
  });
});

describe("what we cannot use is refused with the reason", () => {
  const withLayer = (change: object) => ({ ...oci, layers: [{ ...layer, ...change }] });
  const cases: [name: string, content: unknown, media_type: string, reason: RegExp][] = [
    ["not JSON", "<html>", "", /is not JSON/],
    ["not an object", "5", "", /not usable/],
    ["null", "null", "", /not usable/],
    ["no version", { ...oci, schemaVersion: undefined }, "", /schemaVersion is required/],
    [
      "schema 1",
      { schemaVersion: 1, name: "x", tag: "y", fsLayers: [], history: [] },
      "application/vnd.docker.distribution.manifest.v1+prettyjws",
      /schema 1, which is obsolete/,
    ],
    ["schema 3", { ...oci, schemaVersion: 3 }, "", /schemaVersion is 3/],
    ["manifest and index at once", { ...oci, manifests: [entry] }, "", /both a manifest and an index/],
    ["index and manifest at once", { ...index, layers: [] }, OCI_INDEX, /both a manifest and an index/],
    ["one type outside and another inside", oci, DOCKER_MANIFEST, /it says to be "[^"]*" and comes as/],
    [
      "an index that comes as a manifest",
      { schemaVersion: 2, manifests: [entry] },
      OCI_MANIFEST,
      /config is required/,
    ],
    [
      "a type nobody knows",
      { ...oci, mediaType: "application/x" },
      "application/x",
      /its type is "application\/x"/,
    ],
    ["no config", { ...oci, config: undefined }, "", /config is required/],
    ["no layers", { ...oci, layers: undefined }, "", /layers is required/],
    ["layers null", { ...oci, layers: null }, "", /layers must be array/],
    ["too many layers", { ...oci, layers: Array(513).fill(layer) }, "", /layers must not have more than 512/],
    [
      "a chart",
      { ...oci, config: { ...config, mediaType: "application/vnd.cncf.helm.config.v1+json" } },
      "",
      /not of a container image/,
    ],
    [
      "a digest of an unknown algorithm",
      withLayer({ digest: `md5:${"a".repeat(32)}` }),
      "",
      /not a sha256 or sha512/,
    ],
    [
      "a digest that is a path",
      withLayer({ digest: "sha256:../../../../etc/passwd" }),
      "",
      /not a sha256 or sha512/,
    ],
    ["a negative size", withLayer({ size: -1 }), "", /layers\[0\]\.size/],
    ["half a byte", withLayer({ size: 0.5 }), "", /layers\[0\]\.size/],
    ["a size beyond counting", withLayer({ size: 1e300 }), "", /layers\[0\]\.size/],
    ["a size as text", withLayer({ size: "3" }), "", /layers\[0\]\.size/],
    [
      "a foreign layer",
      withLayer({ mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" }),
      "",
      /foreign layer/,
    ],
    [
      "a nondistributable layer",
      withLayer({ mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip" }),
      "",
      /foreign layer/,
    ],
    ["an encrypted layer", withLayer({ mediaType: `${layer.mediaType}+encrypted` }), "", /it is encrypted/],
    [
      "a layer that is no tar",
      withLayer({ mediaType: "text/html\u001b[2J" }),
      "",
      /"text\/html \[2J" cannot be used: it is not a tar layer/,
    ],
  ];
  for (const [name, content, media_type, reason] of cases) {
    test(name, () => {
      assert.throws(
        () => parse(content, media_type),
        (error) => {
          assert.ok(error instanceof BoxerError);
          assert.equal(error.code, "image_invalid");
          assert.match(error.message, reason);
          return true;
        },
      );
    });
  }
});

test("a document that is not UTF-8 is refused: it could not be kept byte by byte", () => {
  const bytes = Buffer.from(
    JSON.stringify({ ...oci, annotations: { a: "?" } }).replace("?", "\u00ff"),
    "latin1",
  );
  assert.throws(() => parseManifest({ bytes, media_type: "" }), {
    code: "image_invalid",
    message: /is not JSON/,
  });
});
