import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { type FilesServer, startFilesServer } from "../support/files-server.ts";

const SECRET = "the secret beside the store";
let files: FilesServer;
before(async () => {
  files = await startFilesServer();
  await writeFile(join(dirname(files.root), "secret"), SECRET);
  await mkdir(`${files.root}-other`);
  await writeFile(join(`${files.root}-other`, "secret"), SECRET);
  await files.upload("a/file", "x");
});
after(() => files.remove());

/** Query strings as they go over the wire. */
const QUERIES: [string, number][] = [
  ["path=../secret", 400],
  ["path=..%2fsecret", 400],
  ["path=..%2Fsecret", 400],
  ["path=%2e%2e/secret", 400],
  ["path=%2e%2e%2fsecret", 400],
  ["path=.%2e%2fsecret", 400],
  ["path=a/../../secret", 400],
  ["path=a%2f..%2f..%2fsecret", 400],
  ["path=./../secret", 400],
  ["path=.//..//secret", 400],
  ["path=../files-other/secret", 400],
  ["path=/etc/passwd", 400],
  ["path=%2fetc%2fpasswd", 400],
  ["path=//etc/passwd", 400],
  ["path=..%00/secret", 400],
  ["path=a/file%00", 400],
  ["path=a/file%00.txt", 400],
  ["path=..", 400],
  ["path=.", 400],
  ["path=a/..", 400],
  ["path=a/", 400],
  [`path=${"../".repeat(1000)}etc/passwd`, 400],
  [`path=${"x/".repeat(3000)}x`, 400],
  [`path=${"x".repeat(300)}`, 400],
  // Decoded once and no more, these are names that nobody has.
  ["path=%252e%252e%252fsecret", 404],
  ["path=%252e%252e/secret", 404],
  ["path=..%255csecret", 404],
  ["path=..%5csecret", 404],
  ["path=%c0%ae%c0%ae/secret", 404],
  ["path=%c0%ae%c0%ae%c0%afsecret", 404],
  ["path=%uff0e%uff0e/secret", 404],
  ["path=%EF%BC%8E%EF%BC%8E/secret", 404],
  ["path=..;/secret", 404],
  ["path=.../secret", 404],
  ["path=file:///etc/passwd", 404],
  ["path=~/secret", 404],
  ["path=proc/self/environ", 404],
];

for (const [query, status] of QUERIES) {
  test(`GET /files?${query.slice(0, 60)} (${query.length}) gives nothing away`, async () => {
    const request = `GET /files?${query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
    const answer = await files.raw(request).answer;
    assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `));
    assert.doesNotMatch(answer, /secret beside|root:/);
    assert.match(answer, /"code":"(invalid_path|not_found)"/);
  });
}

test("a request target that climbs is not the route", async () => {
  for (const target of [
    "/files/../../secret",
    "/files/%2e%2e/secret",
    "/files/a/file",
    "//files?path=../secret",
  ]) {
    const request = `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
    assert.match(await files.raw(request).answer, /^HTTP\/1.1 40[04] /);
  }
});
