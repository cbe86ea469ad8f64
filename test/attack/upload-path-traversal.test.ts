import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { dirname } from "node:path";
import { after, before, test } from "node:test";
import { listTree } from "../support/file-store.ts";
import { type FilesServer, startFilesServer } from "../support/files-server.ts";

let files: FilesServer;
let untouched: string[];
before(async () => {
  files = await startFilesServer();
  await files.upload("existing/file", "x");
  untouched = await listTree(dirname(files.root));
});
after(() => files.remove());

async function assertRefused(response: Response, code = "invalid_path"): Promise<void> {
  const body = (await response.json()) as { code: string };
  assert.deepEqual([response.status, body.code], [400, code]);
  assert.deepEqual(await listTree(dirname(files.root)), untouched);
}

const PATHS = [
  "../escape",
  "../../../../../../tmp/escape",
  "..",
  "../",
  "existing/../../escape",
  "existing/..",
  "./../escape",
  ".//..//escape",
  "/escape",
  "//escape",
  "/../escape",
  "/etc/cron.d/escape",
  "existing/file/../../../escape",
  "escape\0",
  "../escape\0.txt",
  "output",
  "/output",
  "./output",
  "x/../output",
  "output/",
  ".//output",
  "output/boxer-1/x",
  "./output/./x",
  "output/../output/x",
  ".",
  "./",
  "",
  "existing/",
  "existing",
  "existing/file/x",
  "x".repeat(256),
  "x/".repeat(10_000),
  "../".repeat(2500),
];

for (const path of PATHS) {
  test(`an upload to ${JSON.stringify(path.slice(0, 40))} (${path.length}) is refused and writes nothing`, async () => {
    await assertRefused(await files.upload(path, "evil"));
  });
}

/** A form as bytes, for what no client would send. */
function post(parts: string[]): Promise<Response> {
  const body = `${parts.map((part) => `--xx\r\n${part}\r\n`).join("")}--xx--\r\n`;
  return files.fetch("/files", {
    method: "POST",
    headers: { "content-type": "multipart/form-data; boundary=xx" },
    body: Buffer.from(body, "latin1"),
  });
}

const FILE = 'Content-Disposition: form-data; name="file"; filename="f"\r\n\r\nevil';

test("a path in an encoding where the dots look otherwise is refused", async () => {
  const wide =
    'Content-Disposition: form-data; name="path"\r\nContent-Type: text/plain; charset=utf-16le\r\n\r\n.\0.\0/\0x\0';
  await assertRefused(await post([wide, FILE]));
  const overlong = 'Content-Disposition: form-data; name="path"\r\n\r\n\xc0\xae\xc0\xae/escape';
  await assertRefused(await post([overlong, FILE]));
});

test("the file's own name leads nowhere", async () => {
  for (const name of ["../../escape", "/escape", "..\\\\escape", "output/x"]) {
    const file = `Content-Disposition: form-data; name="file"; filename="${name}"\r\n\r\nevil`;
    await assertRefused(await post([file]), "invalid_request");
    await assertRefused(await post([file, file]), "invalid_request");
  }
});

test("a path that changes its mind is refused", async () => {
  const path = (text: string) => `Content-Disposition: form-data; name="path"\r\n\r\n${text}`;
  await assertRefused(await post([path("fine"), FILE, path("../escape")]), "invalid_request");
  await assertRefused(await post([path("../escape"), path("fine"), FILE]));
});

test("percent-encoded dots are a name like any other, and stay inside", async () => {
  for (const path of ["%2e%2e/escape", "..%2fescape", "%2e%2e%2fescape", "%252e%252e/escape", "..\\escape"]) {
    const response = await files.upload(path, "harmless");
    assert.deepEqual([response.status, await response.json()], [200, { path }]);
    assert.equal(await files.get(path), "harmless");
  }
  assert.deepEqual((await readdir(dirname(files.root))).sort(), ["files", "runs", "uploads"]);
});
