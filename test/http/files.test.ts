import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { openFilesBelow } from "../support/file-store.ts";
import {
  type FilesServer,
  startFilesServer,
  UPLOAD_LIMIT_BYTES,
  uploadForm,
} from "../support/files-server.ts";
import { until } from "../support/leftovers.ts";

const run = promisify(execFile);
let files: FilesServer;
before(async () => {
  files = await startFilesServer();
});
after(async () => {
  await until(async () => (await readdir(files.staging)).length === 0);
  await until(async () => (await openFilesBelow(files.root)).length === 0);
  await files.remove();
});

/** Status and JSON of an answer. */
async function answerOf(pending: Response | Promise<Response>): Promise<[number, Record<string, unknown>]> {
  const response = await pending;
  assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
  return [response.status, (await response.json()) as Record<string, unknown>];
}

const curl = (...args: string[]) => run("curl", ["-sS", ...args, `http://127.0.0.1:${files.port}/files`]);

describe("POST /files", () => {
  test("stores the file and echoes its path", async () => {
    assert.deepEqual(await answerOf(files.upload("workspace/script.py", "print(42)\n")), [
      200,
      { path: "workspace/script.py" },
    ]);
    assert.equal(await files.get("workspace/script.py"), "print(42)\n");
  });

  test("takes the parts in either order, from other clients as well", async () => {
    const path = join(files.runs, "to-upload");
    await writeFile(path, "from curl");
    const parts = [`file=@${path}`, "path=order/x"];
    for (const [first = "", second = ""] of [parts, parts.toReversed()]) {
      const { stdout } = await curl("-F", first, "-F", second);
      assert.deepEqual(JSON.parse(stdout), { path: "order/x" });
      assert.equal(await files.get("order/x"), "from curl");
    }
  });

  test("echoes the one spelling of the path", async () => {
    assert.deepEqual(await answerOf(files.upload("./a//b", "x")), [200, { path: "a/b" }]);
  });

  test("overwrites", async () => {
    await files.upload("twice", "a long first text");
    await files.upload("twice", "second");
    assert.equal(await files.get("twice"), "second");
  });

  test("stores any bytes as they are", async () => {
    const bytes = Uint8Array.from({ length: 700_000 }, (_, index) => (index * index) % 256);
    await files.upload("bytes", bytes);
    const response = await files.download("bytes");
    assert.ok(Buffer.from(await response.arrayBuffer()).equals(bytes));
  });

  test("stores a file of exactly the limit", async () => {
    const [status] = await answerOf(files.upload("limit", new Uint8Array(UPLOAD_LIMIT_BYTES)));
    assert.equal(status, 200);
  });

  test("refuses a bad path, naming it, and stores nothing", async () => {
    const [status, body] = await answerOf(files.upload("../escape", "x"));
    assert.equal(status, 400);
    assert.deepEqual(body, {
      error: 'Cannot use path "../escape": it contains ".."',
      code: "invalid_path",
      field: "path",
    });
  });

  test("refuses a path where a directory is, or below a file", async () => {
    await files.upload("taken/file", "x");
    for (const path of ["taken", "taken/file/x"]) {
      const [status, body] = await answerOf(files.upload(path, "x"));
      assert.deepEqual([status, body.code, body.field], [400, "invalid_path", "path"]);
    }
  });

  test("refuses a form without file, without path, or with something else", async () => {
    for (const [field, names] of [
      ["file", ["path"]],
      ["path", ["file"]],
      ["mode", ["file", "mode", "path"]],
    ] as const) {
      const form = new FormData();
      for (const name of names) form.append(name, "x");
      const [status, body] = await answerOf(files.fetch("/files", { method: "POST", body: form }));
      assert.deepEqual([status, body.code, body.field], [400, "invalid_request", field]);
    }
  });

  test("refuses what is no form, or nothing at all", async () => {
    for (const init of [
      { body: "{}", headers: { "content-type": "application/json" } },
      { body: "path=x&file=y", headers: { "content-type": "application/x-www-form-urlencoded" } },
      {},
    ]) {
      const [status, body] = await answerOf(files.fetch("/files", { method: "POST", ...init }));
      assert.deepEqual([status, body.code], [415, "unsupported_media_type"]);
    }
  });

  test("refuses a file over the limit: fetch gets the answer", async () => {
    for (const size of [UPLOAD_LIMIT_BYTES + 1, 30_000_000]) {
      const [status, body] = await answerOf(files.upload("large", new Uint8Array(size)));
      assert.deepEqual([status, body.code, body.field], [413, "payload_too_large", "file"]);
    }
    await assert.rejects(files.get("large"), { code: "not_found" });
  });

  for (const size of ["30M", "200M"]) {
    test(`refuses a file over the limit: curl gets the answer, of ${size} too`, async () => {
      const path = join(files.runs, "large");
      await writeFile(path, "");
      await truncate(path, Number.parseInt(size, 10) * 1024 * 1024);
      for (const parts of [
        ["-F", `file=@${path}`, "-F", "path=large"],
        ["-F", "path=large", "-F", `file=@${path}`],
      ]) {
        const { stdout } = await curl("-w", " %{http_code}", ...parts);
        assert.match(stdout, /^\{.*"code":"payload_too_large".*\} 413$/);
      }
    });
  }

  test("leaves nothing staged when the client goes away half-way", async () => {
    const head = [
      "POST /files HTTP/1.1",
      "Host: localhost",
      "Content-Type: multipart/form-data; boundary=xx",
      "Content-Length: 900000",
      "",
      "--xx",
      'Content-Disposition: form-data; name="file"; filename="f"',
      "",
      "x".repeat(300_000),
    ];
    const { socket } = files.raw(head.join("\r\n"));
    await until(async () => (await readdir(files.staging)).length === 1);
    socket.destroy();
    await until(async () => (await readdir(files.staging)).length === 0);
  });
});

describe("GET /files", () => {
  before(() => files.upload("ten", "0123456789"));

  test("gives the file with its length, as bytes to be saved", async () => {
    const response = await files.download("ten");
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "application/octet-stream");
    assert.equal(response.headers.get("content-length"), "10");
    assert.equal(response.headers.get("accept-ranges"), "bytes");
    assert.equal(response.headers.get("x-content-type-options"), "nosniff");
    assert.equal(response.headers.get("content-disposition"), "attachment; filename=ten");
    assert.equal(await response.text(), "0123456789");
  });

  test("gives an empty file", async () => {
    await files.upload("empty", "");
    const response = await files.download("empty");
    assert.deepEqual([response.status, response.headers.get("content-length")], [200, "0"]);
    assert.equal(await response.text(), "");
  });

  test("gives a range", async () => {
    for (const [range, text, where] of [
      ["bytes=2-4", "234", "bytes 2-4/10"],
      ["bytes=7-", "789", "bytes 7-9/10"],
      ["bytes=-2", "89", "bytes 8-9/10"],
      ["bytes=0-99", "0123456789", "bytes 0-9/10"],
    ] as const) {
      const response = await files.download("ten", { headers: { range } });
      assert.equal(response.status, 206);
      assert.equal(response.headers.get("content-range"), where);
      assert.equal(response.headers.get("content-length"), String(text.length));
      assert.equal(await response.text(), text);
    }
  });

  test("answers a range outside the file with 416 and the size", async () => {
    const response = await files.download("ten", { headers: { range: "bytes=10-" } });
    assert.equal(response.headers.get("content-range"), "bytes */10");
    const [status, body] = await answerOf(response);
    assert.deepEqual([status, body.code], [416, "range_not_satisfiable"]);
  });

  test("lets an interrupted download go on, and begins anew when the file has changed", async () => {
    await files.upload("resumed", "first contents");
    const etag = (await files.download("resumed")).headers.get("etag") ?? "";
    const resume = () => files.download("resumed", { headers: { range: "bytes=6-", "if-range": etag } });
    assert.equal(await (await resume()).text(), "contents");
    await files.upload("resumed", "other contents");
    const response = await resume();
    assert.deepEqual([response.status, await response.text()], [200, "other contents"]);
  });

  test("answers 304 to who has the contents", async () => {
    const etag = (await files.download("ten")).headers.get("etag") ?? "";
    const response = await files.download("ten", { headers: { "if-none-match": etag } });
    assert.deepEqual([response.status, await response.text()], [304, ""]);
    assert.equal(response.headers.get("etag"), etag);
  });

  test("answers 404 for what is missing and for a directory", async () => {
    await files.upload("directory/file", "x");
    for (const path of ["missing", "directory", "directory/missing"]) {
      const [status, body] = await answerOf(files.download(path));
      assert.deepEqual(
        [status, body],
        [404, { error: `There is no file "${path}"`, code: "not_found", field: "path" }],
      );
    }
  });

  test("gives captured outputs", async () => {
    const source = join(files.runs, "output");
    await mkdir(join(source, "deep"), { recursive: true });
    await writeFile(join(source, "deep/result é\n"), "42");
    await files.store.captureOutputs(source, "boxer-1", { max_bytes: 9, max_files: 9, max_depth: 9 });
    const response = await files.download("output/boxer-1/deep/result é\n");
    assert.deepEqual([response.status, await response.text()], [200, "42"]);
  });

  test("decodes the path once", async () => {
    await files.upload("a b+c%20d", "x");
    assert.equal((await files.fetch("/files?path=a%20b%2Bc%2520d")).status, 200);
    assert.equal((await files.fetch("/files?path=a+b%2Bc%2520d")).status, 200);
    assert.equal((await files.fetch("/files?path=a%20b%2Bc%20d")).status, 404);
  });

  for (const [query, field, error] of [
    ["", "path", "The query parameter path is required"],
    ["?path=a&path=b", "path", "The query parameter path is given more than once"],
    ["?path=ten&mode=raw", "mode", 'Unknown query parameter "mode"'],
    ["?Path=ten", "Path", 'Unknown query parameter "Path"'],
  ] as const) {
    test(`refuses the query "${query}"`, async () => {
      assert.deepEqual(await answerOf(files.fetch(`/files${query}`)), [
        400,
        { error, code: "invalid_request", field },
      ]);
    });
  }

  test("refuses bad paths", async () => {
    for (const path of ["", "/etc/passwd", "../x", "a/../b", "a\0b", "a/", "x".repeat(5000)]) {
      const [status, body] = await answerOf(files.download(path));
      assert.deepEqual([status, body.code, body.field], [400, "invalid_path", "path"]);
    }
  });

  test("closes the file when the client goes away in the middle", async () => {
    await files.upload("large", new Uint8Array(1_000_000));
    await truncate(join(files.root, "large"), 500_000_000);
    const { socket } = files.raw("GET /files?path=large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await once(socket, "data");
    socket.pause();
    assert.notDeepEqual(await openFilesBelow(join(files.root, "large")), []);
    socket.destroy();
    await until(async () => (await openFilesBelow(join(files.root, "large"))).length === 0);
  });
});

describe("HEAD /files", () => {
  test("gives the headers of GET and no body", async () => {
    await files.upload("head", "0123456789");
    const head = await files.download("head", { method: "HEAD" });
    const get = await files.download("head");
    assert.equal(head.status, 200);
    assert.equal(await head.text(), "");
    for (const name of [
      "content-type",
      "content-length",
      "accept-ranges",
      "etag",
      "last-modified",
      "content-disposition",
    ]) {
      assert.equal(head.headers.get(name), get.headers.get(name), name);
    }
    await get.text();
  });

  test("answers 404 and 400 as GET does", async () => {
    assert.equal((await files.download("missing", { method: "HEAD" })).status, 404);
    assert.equal((await files.download("../x", { method: "HEAD" })).status, 400);
  });
});

test("a form on a connection that is used again does not disturb the next request", async () => {
  for (let round = 0; round < 5; round += 1) {
    assert.equal((await files.upload("again", "x".repeat(50_000))).status, 200);
    assert.equal(
      (await files.fetch("/files", { method: "POST", body: uploadForm("../x", "y") })).status,
      400,
    );
  }
});
