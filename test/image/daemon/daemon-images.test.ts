import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { BoxerError } from "../../../src/core/errors.ts";
import { FakeRegistry, imageOf } from "../../support/fake-registry.ts";
import { until } from "../../support/leftovers.ts";
import { dockerArchive, ociArchive } from "../support/archives.ts";
import { FakeDaemon } from "../support/fake-daemon.ts";
import { TestStore } from "../support/test-store.ts";

const image = imageOf([{ "one.txt": "of the daemon" }]);
const newer = imageOf([{ "one.txt": "newer" }]);
const NOTHING = { tmp: 0, "blobs/sha256": 0, images: 0, rootfs: 0, references: 0 };
let registry: FakeRegistry;
let daemon: FakeDaemon;
let images: TestStore;
let name = "";
beforeEach(async () => {
  registry = await FakeRegistry.start();
  daemon = await FakeDaemon.start();
  images = await TestStore.open({ docker_socket: daemon.socket });
  name = `${registry.host}/team/app:v1`;
});
afterEach(async () => {
  await images.close();
  await daemon.stop();
  await registry.stop();
});

const digestOf = async (reference: string, ...rest: [("always" | "missing")?]): Promise<string> => {
  const { image: got, release } = await images.acquire(reference, ...rest);
  release();
  return got.digest;
};

async function refusal(reference = name): Promise<BoxerError> {
  return await images.acquire(reference).then(
    () => assert.fail("it was not refused"),
    (error) => (error instanceof BoxerError ? error : assert.fail(String(error))),
  );
}

test("an image that the registry does not have comes from the daemon", async () => {
  daemon.add(name, ociArchive(image));
  assert.equal(await digestOf(name), image.digest);
  // The unpacked tree is removed in the background.
  await until(async () => (await images.files()).tmp === 0);
  assert.deepEqual(await images.files(), { ...NOTHING, images: 1, rootfs: 1, references: 1 });
  const [facts] = images.store.list();
  assert.equal(facts?.references[0]?.imported, false);
});

test("an image of a registry that cannot be reached comes from the daemon", async () => {
  daemon.add("127.0.0.1:1/team/app:v1", dockerArchive(image, "127.0.0.1:1/team/app:v1"));
  await digestOf("127.0.0.1:1/team/app:v1");
});

test("an image that the registry has does not", async () => {
  registry.addImage("team/app", image, "v1");
  daemon.add(name, ociArchive(newer));
  assert.equal(await digestOf(name), image.digest);
  assert.deepEqual(daemon.seen, []);
});

test("names that are never pulled are not asked for", async () => {
  daemon.add("local/app:1", ociArchive(image));
  await refusal("local/app:1");
  assert.deepEqual(daemon.seen, []);
});

describe("when both fail, both say why", () => {
  test("neither has it", async () => {
    const { code, message } = await refusal();
    assert.equal(code, "image_not_found");
    assert.match(message, /^Cannot pull \S+: registry: .*manifest unknown.*; Docker daemon: No such image/);
  });

  test("the daemon is not there", async () => {
    await images.close();
    images = await TestStore.open({ docker_socket: `${daemon.socket}.gone` });
    const { code, message } = await refusal();
    assert.equal(code, "image_not_found");
    assert.match(message, /registry: .*; Docker daemon: cannot reach it: ENOENT$/);
  });

  test("the daemon's image is for another machine, and is not even exported", async () => {
    daemon.add(name, ociArchive(image), { Architecture: "s390x" });
    assert.match(
      (await refusal()).message,
      /Docker daemon: .*not made for linux\/amd64, only for linux\/s390x/,
    );
    assert.deepEqual(daemon.seen, [`/images/${name}/json`]);
  });

  test("the daemon's export is damaged, and nothing of it stays", async () => {
    daemon.add(name, ociArchive(image).subarray(0, 2000));
    const { code, message } = await refusal();
    assert.equal(code, "image_invalid");
    assert.match(message, /registry: .*; Docker daemon: the archive is damaged/);
    assert.deepEqual(await images.files(), NOTHING);
  });

  test("the registry's image is broken: that is no reason to take another", async () => {
    const broken = imageOf([{ a: "1" }], { diff_ids: [image.digest] });
    registry.addImage("team/app", broken, "v1");
    daemon.add(name, ociArchive(image));
    assert.equal((await refusal()).code, "image_invalid");
    assert.deepEqual(daemon.seen, []);
  });
});

describe("a tag that came from the daemon", () => {
  beforeEach(async () => {
    daemon.add(name, ociArchive(image));
    await digestOf(name);
    daemon.seen.length = 0;
    images.clock.advance(301_000);
  });

  test("is looked up again, and not exported again when it is the same", async () => {
    assert.equal(await digestOf(name), image.digest);
    assert.deepEqual(daemon.seen, [`/images/${name}/json`]);
    await digestOf(name);
    assert.equal(daemon.seen.length, 1, "it is fresh again");
  });

  test("follows the daemon", async () => {
    daemon.add(name, ociArchive(newer));
    assert.equal(await digestOf(name), newer.digest);
  });

  test("follows the registry as soon as that has it", async () => {
    registry.addImage("team/app", newer, "v1");
    assert.equal(await digestOf(name), newer.digest);
    assert.deepEqual(daemon.seen, []);
  });

  test("stays what it is when nobody can say anything", async () => {
    await daemon.stop();
    assert.equal(await digestOf(name), image.digest);
    assert.match(
      images.store.list()[0]?.references[0]?.unreachable ?? "",
      /registry: .*; Docker daemon: cannot reach it/,
    );
    daemon = await FakeDaemon.start();
  });

  test("is known to be the daemon's after a restart", async () => {
    await images.store.close();
    await images.reopen();
    daemon.add(name, ociArchive(newer));
    assert.equal(await digestOf(name), newer.digest);
  });
});

test("a tag that came from the registry is never replaced by the daemon's", async () => {
  registry.addImage("team/app", image, "v1");
  await digestOf(name);
  registry.behave = (_request, response) => {
    response.writeHead(503).end();
    return true;
  };
  daemon.add(name, ociArchive(newer));
  images.clock.advance(301_000);
  assert.equal(await digestOf(name), image.digest);
  assert.deepEqual(daemon.seen, []);
});

describe("a reference with a digest", () => {
  const pinned = (): string => `${registry.host}/team/app@${image.digest}`;

  test("is served by a daemon that has the very manifest", async () => {
    daemon.add(pinned(), ociArchive(image), { Id: image.digest });
    assert.equal(await digestOf(pinned()), image.digest);
  });

  test("is not served by one that only says that it was pulled so", async () => {
    daemon.add(pinned(), dockerArchive(image, "x:1"), { RepoDigests: [pinned()] });
    const { code, message } = await refusal(pinned());
    assert.equal(code, "image_not_found");
    assert.match(message, /Docker daemon: it knows the image as sha256:\w+, and cannot prove/);
    assert.deepEqual(daemon.seen, [`/images/${pinned()}/json`], "it is not exported for nothing");
  });

  test("is not served by one that lies about it", async () => {
    daemon.add(pinned(), ociArchive(newer), { Id: image.digest });
    assert.match((await refusal(pinned())).message, /Docker daemon: sha256:\w+ is not in the archive/);
  });
});

test("concurrent callers share one export", async () => {
  daemon.add(name, ociArchive(image));
  await Promise.all([digestOf(name), digestOf(name), digestOf(name)]);
  assert.deepEqual(daemon.seen, [`/images/${name}/json`, `/images/${name}/get`]);
});
