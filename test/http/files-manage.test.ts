import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { listTree, openFilesBelow } from "../support/file-store.ts";
import { type FilesServer, startFilesServer } from "../support/files-server.ts";
import { until } from "../support/leftovers.ts";

const run = promisify(execFile);
const LONG = `${"long/".repeat(40)}${"n".repeat(200)}`;
const NAMES = ["a/naïve ☃", "a/line\nbreak", `a/${LONG}`, "a/-dash", "a/back\\slash", "a/empty"];
let files: FilesServer;
before(async () => {
  files = await startFilesServer();
  for (const name of NAMES) await files.put(name, name.endsWith("empty") ? "" : name.repeat(100));
  await files.put("b", "beside");
});
after(async () => {
  await until(async () => (await openFilesBelow(files.root)).length === 0);
  await files.remove();
});

async function codeOf(path: string, init?: RequestInit): Promise<unknown[]> {
  const response = await files.fetch(path, init);
  const { code, field } = (await response.json()) as Record<string, unknown>;
  return [response.status, code, field];
}
const DELETE = { method: "DELETE" };

describe("GET /files/archive", () => {
  test("GNU tar unpacks it to the very files, whatever their names", async () => {
    const home = await mkdtemp(join(tmpdir(), "boxer-archive-"));
    try {
      const response = await files.fetch("/files/archive?prefix=a");
      assert.equal(response.headers.get("content-type"), "application/gzip");
      assert.equal(response.headers.get("content-disposition"), "attachment; filename=a.tar.gz");
      await writeFile(join(home, "a.tar.gz"), new Uint8Array(await response.arrayBuffer()));
      await mkdir(join(home, "out"));
      await run("tar", ["-xzf", join(home, "a.tar.gz"), "-C", join(home, "out")]);
      assert.deepEqual(await listTree(join(home, "out")), await listTree(join(files.root, "a")));
      await run("diff", ["-r", join(home, "out"), join(files.root, "a")]);
    } finally {
      await rm(home, { recursive: true });
    }
  });

  test("a client that goes away leaves no file open", async () => {
    const bytes = Buffer.alloc(8_000_000, "x");
    for (let i = 0; i < bytes.length; i += 7) bytes[i] = (i * 31 + (i >> 8)) & 255;
    await files.put("large/file", bytes.toString("latin1"));
    const gone = new AbortController();
    const response = await files.fetch("/files/archive?prefix=large", { signal: gone.signal });
    await response.body?.getReader().read();
    gone.abort();
    await until(async () => (await openFilesBelow(files.root)).length === 0);
    await files.store.removeBelow("large");
  });
});

describe("GET /files/list", () => {
  test("gives pages", async () => {
    const first = await (await files.fetch("/files/list?prefix=a&limit=1")).json();
    assert.deepEqual([first.files[0].path, first.next], ["a/-dash", "a/-dash"]);
    const second = await (await files.fetch("/files/list?prefix=a&limit=1&after=a%2F-dash")).json();
    assert.equal(second.files[0].path, "a/back\\slash");
    assert.equal(second.quota_bytes, null);
  });
});

describe("DELETE /files", () => {
  test("removes one file or a subtree and counts; then there is none", async () => {
    for (const name of ["d/1", "d/2", "e"]) await files.put(name, "1234");
    for (const [query, removed] of [
      ["path=e", 1],
      ["prefix=d/", 2],
    ] as const) {
      const response = await files.fetch(`/files?${query}`, DELETE);
      assert.deepEqual(await response.json(), { removed, freed_bytes: 4 * removed });
      assert.equal((await codeOf(`/files?${query}`, DELETE))[0], 404);
    }
  });

  test("lets a download under way go on to its end", async () => {
    const text = "0123456789".repeat(2_000_000);
    for (const [path, query] of [
      ["f/one", "path=f/one"],
      ["f/two", "prefix=f"],
    ] as const) {
      await files.put(path, text);
      const reader = (await files.download(path)).body?.getReader() ?? assert.fail();
      const chunks = [(await reader.read()).value ?? assert.fail()];
      assert.equal((await files.fetch(`/files?${query}`, DELETE)).status, 200);
      assert.equal((await files.download(path)).status, 404);
      for (let next = await reader.read(); !next.done; next = await reader.read()) chunks.push(next.value);
      assert.ok(Buffer.concat(chunks).toString() === text, path);
    }
  });

  test("is refused to pages of another site", async () => {
    const init = { ...DELETE, headers: { "sec-fetch-site": "cross-site" } };
    assert.deepEqual((await codeOf("/files?path=b", init)).slice(0, 2), [403, "cross_site"]);
    assert.equal(await files.get("b"), "beside");
  });
});

const REFUSED: [method: string, target: string, status: number][] = [
  ["GET", "/files/list?prefix=..", 400],
  ["GET", "/files/list?prefix=%2e%2e%2f", 400],
  ["GET", "/files/list?prefix=/etc", 400],
  ["GET", "/files/list?prefix=a%00", 400],
  ["GET", "/files/list?limit=0", 400],
  ["GET", "/files/list?limit=10001", 400],
  ["GET", "/files/list?limit=-1", 400],
  ["GET", "/files/list?path=a", 400],
  ["GET", "/files/archive?prefix=../x", 400],
  ["GET", "/files/archive?prefix=%252e%252e", 404],
  ["GET", "/files/archive?prefix=missing", 404],
  ["DELETE", "/files", 400],
  ["DELETE", "/files?path=b&prefix=b", 400],
  ["DELETE", "/files?prefix=", 400],
  ["DELETE", "/files?prefix=./", 400],
  ["DELETE", "/files?prefix=a/..", 400],
  ["DELETE", "/files?path=", 400],
  ["DELETE", "/files?path=../b", 400],
  ["DELETE", "/files?path=output", 404],
  ["DELETE", "/files?path=a", 404],
];
for (const [method, target, status] of REFUSED) {
  test(`${method} ${target} is refused and removes nothing`, async () => {
    assert.equal((await codeOf(target, { method }))[0], status);
    assert.equal((await files.store.list("", { after: "", limit: 100 })).files.length, NAMES.length + 1);
  });
}
