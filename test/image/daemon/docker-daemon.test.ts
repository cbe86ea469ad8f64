import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, test } from "node:test";
import { BoxerError } from "../../../src/core/errors.ts";
import { DockerDaemon } from "../../../src/image/daemon/docker-daemon.ts";
import { until } from "../../support/leftovers.ts";
import { FakeDaemon } from "../support/fake-daemon.ts";

const NAME = "docker.io/library/app:1";
const ID = `sha256:${"1".repeat(64)}` as const;
const MIB = 1 << 20;
let fake: FakeDaemon;
let daemon: DockerDaemon;
const { signal } = new AbortController();
beforeEach(async () => {
  fake = await FakeDaemon.start();
  daemon = new DockerDaemon(fake.socket);
});
afterEach(() => fake.stop());

async function readAll(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function rejects(promise: Promise<unknown>, code: string, message: RegExp): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof BoxerError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  });
}

test("an image is inspected and exported by its name", async () => {
  const archive = Buffer.alloc(3 * MIB, "archive");
  fake.add(NAME, archive, { Id: ID, RepoDigests: [] });
  assert.deepEqual(await daemon.inspect(NAME, signal), { id: ID, os: "linux", architecture: "amd64" });
  assert.ok(archive.equals(await readAll(await daemon.export(NAME, signal))));
  assert.deepEqual(fake.seen, [`/images/${NAME}/json`, `/images/${NAME}/get`]);
});

test("a name with the address of a registry finds its image", async () => {
  fake.add("[::1]:5000/x:1", Buffer.alloc(1), { Id: ID });
  assert.equal((await daemon.inspect("[::1]:5000/x:1", signal)).id, ID);
});

test("an image that is not there is not found, in the daemon's own words", async () => {
  await rejects(daemon.inspect(NAME, signal), "image_not_found", /^No such image: docker\.io/);
  await rejects(daemon.export(NAME, signal), "image_not_found", /^No such image/);
});

test("a daemon that is not there is said to be, without the path of its socket", async () => {
  const gone = new DockerDaemon(`${fake.socket}.gone`);
  await rejects(gone.inspect(NAME, signal), "image_pull_failed", /^cannot reach it: ENOENT$/);
});

describe("an answer that is no good is refused", () => {
  const endless = (response: ServerResponse): void => {
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(MIB, " ")));
      if (!response.destroyed) response.once("drain", more);
    };
    more();
  };
  const cases: [string, (response: ServerResponse) => void, code: string, message: RegExp][] = [
    [
      "another status",
      (r) => r.writeHead(500).end('{"message":"broken\\u0007"}'),
      "image_pull_failed",
      /answered 500: broken$/,
    ],
    [
      "a status without reason",
      (r) => r.writeHead(302).end("<html>"),
      "image_pull_failed",
      /^it answered 302$/,
    ],
    ["no JSON", (r) => r.end("<html>"), "image_invalid", /not JSON/],
    ["no Id", (r) => r.end("{}"), "image_invalid", /no usable Id/],
    ["an Id that is no digest", (r) => r.end('{"Id":"../x"}'), "image_invalid", /no usable Id/],
    ["no end", endless, "image_pull_failed", /longer than/],
    ["a connection cut at once", (r) => void r.socket?.destroy(), "image_pull_failed", /cannot reach it/],
    [
      "a connection cut in the middle",
      (r) => void r.writeHead(200, { "content-length": "9" }).write("{", () => r.socket?.destroy()),
      "image_pull_failed",
      /broke|cannot reach it/,
    ],
  ];
  for (const [what, behave, code, message] of cases) {
    test(what, async () => {
      fake.behave = (_request, response) => {
        behave(response);
        return true;
      };
      await rejects(daemon.inspect(NAME, signal), code, message);
    });
  }
});

describe("a long export", () => {
  let sent = 0;
  let isClosed = false;
  beforeEach(() => {
    sent = 0;
    isClosed = false;
    fake.behave = (_request, response) => {
      response.on("close", () => {
        isClosed = true;
      });
      const more = (): void => {
        while (!isClosed && sent < 256) {
          sent += 1;
          if (!response.write(Buffer.alloc(MIB))) return void response.once("drain", more);
        }
      };
      more();
      return true;
    };
  });

  test("is sent no faster than it is read", async () => {
    const iterator = (await daemon.export(NAME, signal))[Symbol.asyncIterator]();
    await iterator.next();
    // Twice round the event loop of both sides for all that the socket takes.
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setTimeout(resolve, 2));
    assert.ok(sent < 32, `${sent} MiB were sent`);
    await iterator.return?.();
  });

  test("ends for the daemon too when its reader has had enough", async () => {
    for await (const _chunk of await daemon.export(NAME, signal)) break;
    await until(() => isClosed);
  });

  test("ends with the signal's reason, also while the daemon is silent", async () => {
    const abort = new AbortController();
    const reading = readAll(await daemon.export(NAME, abort.signal));
    setTimeout(() => abort.abort(new Error("enough")), 20);
    await assert.rejects(reading, /enough/);
    await until(() => isClosed);
  });
});

test("a question that is not answered ends with the signal's reason", async () => {
  fake.behave = () => true;
  const abort = new AbortController();
  const asked = daemon.inspect(NAME, abort.signal);
  await until(() => fake.seen.length === 1);
  abort.abort(new Error("enough"));
  await assert.rejects(asked, /enough/);
});
