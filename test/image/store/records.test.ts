import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseImageRecord, parseNameRecord, parseUsageRecord } from "../../../src/image/store/records.ts";
import { imageOf } from "../../support/fake-registry.ts";
import { imageRecord, nameRecord, someImage } from "../support/records.ts";

const image = someImage();
const name = nameRecord("docker.io/library/python:3", image);

test("an image record gives back what the image is", () => {
  assert.deepEqual(parseImageRecord(JSON.stringify(imageRecord(image, 77))), {
    digest: image.digest,
    config: { env: [], working_dir: "/", entrypoint: [], cmd: ["run"], user: "" },
    layers: 1,
    size_bytes: 77,
    rootfs_type: "erofs",
    user: { uid: 0, gid: 0 },
    created_at_ms: undefined,
    pulled_at_ms: 1000,
  });
});

test("an image record tells who the USER is, and that the image is a directory", () => {
  const user = { uid: 5, gid: null };
  const text = JSON.stringify({ ...imageRecord(image, 77), user, rootfs_type: "directory" });
  const facts = parseImageRecord(text);
  assert.deepEqual([facts.user, facts.rootfs_type], [user, "directory"]);
});

test("a record of before users were looked up knows those that are numbers", () => {
  const userOf = (User: string) =>
    parseImageRecord(JSON.stringify(imageRecord(imageOf([{ "file.txt": "x" }], { config: { User } }), 77)))
      .user;
  assert.deepEqual(userOf("5:6"), { uid: 5, gid: 6 });
  assert.deepEqual(userOf("5"), { uid: 5, gid: null });
  assert.match(JSON.stringify(userOf("postgres")), /"unknown":".*pull or import it again"/);
});

test("an image record tells when the image says it was made", () => {
  const made = imageOf([{ "file.txt": "x" }], { created: "2024-05-06T07:08:09.123456789Z" });
  const { created_at_ms } = parseImageRecord(JSON.stringify(imageRecord(made, 77)));
  assert.equal(created_at_ms, Date.parse("2024-05-06T07:08:09.123Z"));
});

test("a usage record gives back what was written", () => {
  const usage = { version: 1, images: { [image.digest]: { uses: 3, last_used_at_ms: 5 } } };
  assert.deepEqual(parseUsageRecord(JSON.stringify(usage)), usage);
});

describe("a damaged usage record is refused", () => {
  const cases: [name: string, text: string][] = [
    ["empty", ""],
    ["cut off", '{"version":1,"images":{"sha256:'],
    ["of another version", '{"version":2,"images":{}}'],
    ["with a use that is none", '{"version":1,"images":{"x":{"uses":-1,"last_used_at_ms":1}}}'],
  ];
  for (const [what, text] of cases) test(what, () => assert.throws(() => parseUsageRecord(text)));
});

test("a name record gives back what was written", () => {
  assert.deepEqual(parseNameRecord(JSON.stringify(name)), name);
});

describe("a damaged image record is refused", () => {
  const record = imageRecord(image, 77);
  const other = someImage("other");
  const cases: [name: string, text: string][] = [
    ["empty", ""],
    ["cut off", JSON.stringify(record).slice(0, -10)],
    ["of another version", JSON.stringify({ ...record, version: 2 })],
    ["with another digest", JSON.stringify({ ...record, digest: other.digest })],
    ["with the config of another image", JSON.stringify({ ...record, config: other.config.toString() })],
    ["with a changed manifest", JSON.stringify({ ...record, manifest: `${record.manifest} ` })],
    ["without a size", JSON.stringify({ ...record, rootfs_bytes: undefined })],
  ];
  for (const [what, text] of cases) test(what, () => assert.throws(() => parseImageRecord(text)));
});

describe("a damaged name record is refused", () => {
  const cases: [name: string, text: string][] = [
    ["empty", ""],
    ["of another version", JSON.stringify({ ...name, version: 2 })],
    ["with a digest that is none", JSON.stringify({ ...name, digest: "x" })],
    ["with a resolved digest that is none", JSON.stringify({ ...name, resolved: "../x" })],
    ["with a reference that is none", JSON.stringify({ ...name, reference: "A B" })],
    ["with a reference that is not normalised", JSON.stringify({ ...name, reference: "python:3" })],
  ];
  for (const [what, text] of cases) test(what, () => assert.throws(() => parseNameRecord(text)));
});
