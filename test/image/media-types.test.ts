import assert from "node:assert/strict";
import { test } from "node:test";
import { complaintAboutLayer, compressionOf } from "../../src/image/media-types.ts";

const cases: [mediaType: string, compression: string][] = [
  ["application/vnd.oci.image.layer.v1.tar", "none"],
  ["application/vnd.oci.image.layer.v1.tar+gzip", "gzip"],
  ["application/vnd.oci.image.layer.v1.tar+zstd", "zstd"],
  ["application/vnd.docker.image.rootfs.diff.tar", "none"],
  ["application/vnd.docker.image.rootfs.diff.tar.gzip", "gzip"],
];
for (const [mediaType, compression] of cases) {
  test(mediaType, () => {
    assert.equal(complaintAboutLayer(mediaType), undefined);
    assert.equal(compressionOf(mediaType), compression);
  });
}

test("what is no layer of ours is complained about", () => {
  assert.match(
    complaintAboutLayer("application/vnd.oci.image.layer.v1.tar+gzip+encrypted") ?? "",
    /encrypted/,
  );
  assert.match(
    complaintAboutLayer("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip") ?? "",
    /foreign/,
  );
  assert.match(complaintAboutLayer("constructor") ?? "", /not a tar layer/);
});
