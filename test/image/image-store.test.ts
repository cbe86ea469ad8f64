import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync } from "node:fs";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { BoxerError } from "../../src/core/errors.ts";
import { FakeRegistry, imageOf, indexOf, sha256 } from "../support/fake-registry.ts";
import { fsckPath } from "../support/fixtures.ts";
import { TestStore } from "./support/test-store.ts";
import { writeLayout } from "./support/write-layout.ts";

const config = { Env: ["A=1"], WorkingDir: "/app", Entrypoint: ["/e"], Cmd: ["c"], User: "5" };
const image = imageOf([{ "one.txt": "lower", "two.txt": "two" }, { "one.txt": "upper" }], { config });
const other = imageOf([{ "one.txt": "other" }]);
const ONE = { tmp: 0, "blobs/sha256": 0, images: 1, rootfs: 1, references: 1 };
const NONE = { tmp: 0, "blobs/sha256": 0, images: 0, rootfs: 0, references: 0 };
let registry: FakeRegistry;
let images: TestStore;
let name = "";
beforeEach(async () => {
  registry = await FakeRegistry.start();
  registry.addImage("team/app", image, "v1");
  name = `${registry.host}/team/app:v1`;
  images = await TestStore.open();
});
afterEach(async () => {
  await images.close();
  await registry.stop();
});

test("an image is pulled, flattened, and described", async () => {
  const { image: got } = await images.acquire(name);
  assert.equal(got.digest, image.digest);
  assert.equal(got.reference, name);
  assert.deepEqual(got.config, {
    env: ["A=1"],
    working_dir: "/app",
    entrypoint: ["/e"],
    cmd: ["c"],
    user: "5",
  });
  assert.equal((await stat(got.rootfs)).size, got.size_bytes);
  assert.ok(got.rootfs.startsWith(join(images.root, "rootfs")));
  const extracted = join(images.root, "extracted");
  const { status, stderr } = spawnSync(fsckPath(), [`--extract=${extracted}`, got.rootfs]);
  assert.equal(status, 0, String(stderr));
  assert.equal(await readFile(join(extracted, "one.txt"), "utf8"), "upper");
  assert.equal(await readFile(join(extracted, "two.txt"), "utf8"), "two");
});

test("nothing but the image is left on disk", async () => {
  await images.acquire(name);
  await images.store.close();
  assert.deepEqual(await images.files(), ONE);
});

test("an image that is here is a lookup: no request, no file, no process, one turn of the microtasks", async () => {
  await images.acquire(name);
  await registry.stop();
  await rm(images.root, { recursive: true, force: true });
  let isHere = false;
  images.acquire(name).then(() => {
    isHere = true;
  });
  await Promise.resolve();
  await Promise.resolve();
  assert.equal(isHere, true);
  registry = await FakeRegistry.start();
});

test("all spellings of a reference are one, and other references share the image", async () => {
  registry.addImage("team/copy", image, "v9");
  await images.acquire(name);
  const again = await images.acquire(`${registry.host}/team/copy:v9`);
  assert.equal(again.image.digest, image.digest);
  assert.equal(again.image.reference, `${registry.host}/team/copy:v9`);
  const blobs = registry.seen.filter(({ path }) => path.includes(`/blobs/${sha256(image.layers[0] ?? "")}`));
  assert.equal(blobs.length, 1, "layers are not fetched again");
  assert.deepEqual((await images.files()).rootfs, 1);
});

test("after a restart the image is here", async () => {
  const before = await images.acquire(name);
  await images.store.close();
  await registry.stop();
  await images.reopen();
  assert.deepEqual((await images.acquire(name)).image, before.image);
  registry = await FakeRegistry.start();
});

test("an image without layers is an empty root", async () => {
  registry.addImage("team/empty", imageOf([]), "v1");
  const { image: got } = await images.acquire(`${registry.host}/team/empty:v1`);
  assert.ok(got.size_bytes > 0);
});

test("a layer that comes twice is fetched once and unpacked twice", async () => {
  const twice = imageOf([{ a: "1" }, { b: "2" }, { a: "1" }]);
  registry.addImage("team/twice", twice, "v1");
  await images.acquire(`${registry.host}/team/twice:v1`);
  assert.equal(registry.count("GET", `/blobs/${sha256(twice.layers[0] ?? "")}`), 1);
});

describe("references by digest", () => {
  test("are pulled once and never looked up again", async () => {
    const pinned = `${registry.host}/team/app@${image.digest}`;
    const first = await images.acquire(pinned);
    assert.equal(first.image.reference, pinned);
    const requests = registry.seen.length;
    images.clock.advance(1e12);
    await images.acquire(pinned);
    await images.acquire(pinned, "always");
    assert.equal(registry.seen.length, requests);
  });

  test("find an image that is here under another name", async () => {
    await images.acquire(name);
    const requests = registry.seen.length;
    const { image: got } = await images.acquire(`registry.example/x@${image.digest}`, "never");
    assert.equal(got.reference, `registry.example/x@${image.digest}`);
    assert.equal(registry.seen.length, requests);
  });

  test("may be of an index", async () => {
    const index = indexOf([{ ...image.descriptor, platform: { os: "linux", architecture: "amd64" } }]);
    registry.addManifest("team/app", index.bytes, index.descriptor.mediaType);
    const pinned = `${registry.host}/team/app@${index.descriptor.digest}`;
    assert.equal((await images.acquire(pinned)).image.digest, image.digest);
    const requests = registry.seen.length;
    await images.acquire(pinned);
    assert.equal(registry.seen.length, requests);
  });
});

describe("what cannot be had", () => {
  const rejection = async (reference: string, pull?: "never") => {
    const error = await images.acquire(reference, pull).then(
      () => assert.fail("it was had"),
      (error) => error,
    );
    assert.ok(error instanceof BoxerError);
    return error;
  };

  test("a bad reference is refused before anything is asked", async () => {
    assert.equal((await rejection("A B")).code, "invalid_image_reference");
    assert.equal(registry.seen.length, 0);
  });

  test("a missing image is refused with the registry's words", async () => {
    const error = await rejection(`${registry.host}/team/app:v2`);
    assert.equal(error.code, "image_not_found");
    assert.equal(
      error.message,
      `Cannot pull ${registry.host}/team/app:v2: registry answered 404 MANIFEST_UNKNOWN: manifest unknown`,
    );
    assert.deepEqual(await images.files(), NONE);
  });

  test("each caller gets an error of its own", async () => {
    const missing = `${registry.host}/team/app:v2`;
    const [one, two] = await Promise.all([rejection(missing), rejection(missing)]);
    assert.notEqual(one, two);
    assert.equal(registry.count("GET", "/manifests/v2"), 1);
  });

  test("a local name is never looked for in a registry", async () => {
    const error = await rejection("local/python:3");
    assert.equal(error.code, "image_not_found");
    assert.match(error.message, /never pulled; import an OCI image layout/);
  });

  test("an image that is not here is not pulled against the request's will", async () => {
    const error = await rejection(name, "never");
    assert.equal(error.code, "image_not_found");
    assert.equal(registry.seen.length, 0);
  });

  test("a layer that is no archive is refused, and nothing is left", async () => {
    const bad = imageOf([{ a: "1" }]);
    const layer = Buffer.from("not gzip at all");
    const content = JSON.parse(bad.manifest.toString());
    content.layers[0] = { ...content.layers[0], digest: sha256(layer), size: layer.length };
    registry.addBlob(bad.config);
    registry.addBlob(layer);
    registry.addManifest("team/bad", Buffer.from(JSON.stringify(content)), bad.mediaType, "v1");
    const error = await rejection(`${registry.host}/team/bad:v1`);
    assert.equal(error.code, "image_invalid");
    assert.match(error.message, /^Cannot pull .*: Cannot unpack/);
    await images.store.close();
    assert.deepEqual(await images.files(), NONE);
  });

  test("a layer other than the config speaks of is refused", async () => {
    registry.addImage("team/bad", imageOf([{ a: "1" }], { diff_ids: [image.digest] }), "v1");
    const error = await rejection(`${registry.host}/team/bad:v1`);
    assert.equal(error.code, "image_invalid");
    assert.match(error.message, /is not the one that the image config speaks of/);
  });

  test("an image that unpacks to more than is allowed is refused", async () => {
    await images.close();
    images = await TestStore.open({ max_image_bytes: 100_000 });
    registry.addImage("team/big", imageOf([{ a: "x".repeat(100_000) }]), "v1");
    const error = await rejection(`${registry.host}/team/big:v1`);
    assert.equal(error.code, "image_invalid");
    await images.store.close();
    assert.deepEqual(await images.files(), NONE);
  });
});

test("a failed pull is not remembered", async () => {
  registry.behave = ({ path }, response) => {
    if (!path.includes("/manifests/")) return false;
    response.writeHead(403).end();
    return true;
  };
  await assert.rejects(images.acquire(name), { code: "image_pull_failed" });
  registry.behave = () => false;
  assert.equal((await images.acquire(name)).image.digest, image.digest);
});

describe("removal", () => {
  test("by name and by digest", async () => {
    (await images.acquire(name)).release();
    assert.equal(await images.store.remove(name), "removed");
    assert.equal(await images.store.remove(name), "not_found");
    (await images.acquire(name)).release();
    assert.equal(await images.store.remove(image.digest), "removed");
    await images.store.close();
    assert.deepEqual(await images.files(), NONE);
  });

  test("an image in use stays", async () => {
    const lease = await images.acquire(name);
    assert.equal(await images.store.remove(name), "in_use");
    await stat(lease.image.rootfs);
    lease.release();
    assert.equal(await images.store.remove(name), "removed");
  });

  test("what is no reference is refused", async () => {
    await assert.rejects(images.store.remove("A B"), { code: "invalid_image_reference" });
  });
});

describe("import of an image layout", () => {
  let directory = "";
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "boxer-import-"));
    await writeLayout(directory, [image], [image.descriptor]);
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  test("makes a local name", async () => {
    const imported = await images.store.importLayout(directory, "local/app:1");
    assert.equal(imported.digest, image.digest);
    assert.equal(imported.reference, "local/app:1");
    for (const pull of ["missing", "always", "never"] as const) {
      assert.equal((await images.acquire("local/app:1", pull)).image.digest, image.digest);
    }
    await images.store.close();
    assert.deepEqual(await images.files(), ONE);
  });

  test("under a registry's name, is asked for there only when a pull is demanded", async () => {
    registry.addImage("team/app", other, "v1");
    await images.store.importLayout(directory, name);
    images.clock.advance(1e9);
    assert.equal((await images.acquire(name)).image.digest, image.digest);
    assert.equal(registry.seen.length, 0);
    assert.equal(images.store.list()[0]?.references[0]?.imported, true);
    assert.equal((await images.acquire(name, "always")).image.digest, other.digest);
    assert.equal(
      images.store.list().find(({ digest }) => digest === other.digest)?.references[0]?.imported,
      false,
    );
  });

  test("moves a name from the image that it stood for", async () => {
    await images.store.importLayout(directory, "local/app:1");
    await rm(directory, { recursive: true });
    await writeLayout(directory, [other], [other.descriptor]);
    await images.store.importLayout(directory, "local/app:1");
    assert.equal((await images.acquire("local/app:1")).image.digest, other.digest);
    await images.store.close();
    assert.deepEqual(await images.files(), ONE);
  });

  test("by digest, takes that image and no other", async () => {
    await assert.rejects(images.store.importLayout(directory, `local/app@${other.digest}`), {
      code: "image_not_found",
    });
    const imported = await images.store.importLayout(directory, `local/app@${image.digest}`);
    assert.equal(imported.digest, image.digest);
  });

  test("of a directory that is none, says so", async () => {
    await assert.rejects(images.store.importLayout(join(directory, "x"), "local/app:1"), {
      code: "image_not_found",
      message: /^Cannot import local\/app:1 from .*: oci-layout of the image layout is not there$/,
    });
  });
});

test("what a killed process has left is cleared by the next start, and the pull works", async () => {
  const stuck = Promise.withResolvers<void>();
  registry.behave = ({ path }, response) => {
    if (!path.includes(sha256(image.layers[1] ?? ""))) return false;
    response.writeHead(200, { "content-length": "1000" });
    response.write("half", () => stuck.resolve());
    return true;
  };
  const caller = new AbortController();
  const pulling = images.acquire(name, "missing", caller.signal);
  pulling.catch(() => {});
  await stuck.promise;
  const left = await images.files();
  assert.ok((left.tmp ?? 0) >= 2, "a blob half down and an image half unpacked");
  // A second store on the same directory is what the next process would be.
  const next = await TestStore.open();
  await rm(next.root, { recursive: true, force: true });
  cpSync(images.root, next.root, { recursive: true });
  await next.reopen();
  assert.deepEqual(await next.files(), NONE);
  registry.behave = () => false;
  assert.equal((await next.acquire(name)).image.digest, image.digest);
  await next.close();
  caller.abort(new Error("gone"));
  await assert.rejects(pulling, /gone/);
});

test("close ends pulls under way and leaves nothing", async () => {
  const stuck = Promise.withResolvers<void>();
  registry.behave = ({ path }) => {
    if (!path.includes("/blobs/")) return false;
    stuck.resolve();
    return true;
  };
  const pulling = images.acquire(name);
  pulling.catch(() => {});
  await stuck.promise;
  await images.store.close();
  await assert.rejects(pulling, { code: "draining" });
  assert.deepEqual(await images.files(), NONE);
});
