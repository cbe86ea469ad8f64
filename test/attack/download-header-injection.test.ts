import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type FilesServer, startFilesServer } from "../support/files-server.ts";

let files: FilesServer;
before(async () => {
  files = await startFilesServer();
});
after(() => files.remove());

const NAMES = [
  "x\r\nX-Injected: yes",
  "x\r\n\r\n<script>injected</script>",
  "x\nX-Injected: yes",
  "x\rX-Injected: yes",
  'x"; X-Injected="yes',
  'x"\r\nX-Injected: "yes',
  "x\\",
  'x\\"; filename=injected.html; y="',
  "x; filename=injected.html",
  "x'; filename*=UTF-8''injected.html",
  "x\u2028X-Injected: yes",
  "x\u0085X-Injected: yes",
  "x\u010d\u010aX-Injected: yes",
  "\x7f\x1b[31mx",
  "%0d%0aX-Injected: yes",
  "日本\r\nX-Injected: yes",
];

/** The header lines of the answer to a download, as they come over the wire. */
async function headersOf(path: string, method: string): Promise<string[]> {
  const query = new URLSearchParams({ path });
  const request = `${method} /files?${query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
  const answer = await files.raw(request).answer;
  const [head = ""] = answer.split("\r\n\r\n");
  assert.match(answer, /^HTTP\/1.1 200 /);
  assert.ok(answer.endsWith(method === "HEAD" ? "\r\n\r\n" : "\r\n\r\ncontents"));
  assert.doesNotMatch(head, /[^\r]\n|\r[^\n]/);
  return head.split("\r\n").slice(1);
}

async function assertHarmless(path: string): Promise<void> {
  for (const method of ["GET", "HEAD"]) {
    const lines = await headersOf(path, method);
    const names = lines.map((line) => line.slice(0, line.indexOf(":")).toLowerCase());
    assert.ok(!names.includes("x-injected"));
    const dispositions = lines.filter((line) => /^content-disposition:/i.test(line));
    assert.equal(dispositions.length, 1);
    // One token or quoted string, at most one extended value, and nothing else (RFC 6266, RFC 8187).
    assert.match(
      dispositions[0] ?? "",
      /^content-disposition: attachment; filename=([\w!#$%&'*+.^`|~-]+|"([^"\\]|\\.)*")(; filename\*=UTF-8''[\w!#$&+.^`|~%-]+)?$/i,
    );
  }
}

for (const name of NAMES) {
  test(`the name ${JSON.stringify(name)} of an upload adds no header`, async () => {
    const path = `directory/${name}`;
    const form = `--xx\r\nContent-Disposition: form-data; name="file"\r\n\r\ncontents\r\n--xx\r\nContent-Disposition: form-data; name="path"\r\n\r\n${path}\r\n--xx--\r\n`;
    const response = await files.fetch("/files", {
      method: "POST",
      headers: { "content-type": "multipart/form-data; boundary=xx" },
      body: form,
    });
    assert.deepEqual(await response.json(), { path });
    await assertHarmless(path);
  });
}

test("names of captured outputs add no header", async () => {
  const source = join(files.runs, "output");
  await mkdir(source);
  const names = NAMES.filter((name) => !name.includes("/"));
  for (const name of names) await writeFile(join(source, name), "contents");
  const limits = { max_bytes: 1e6, max_files: 100, max_depth: 1 };
  const { outputs } = await files.store.captureOutputs(source, "boxer-1", limits);
  assert.equal(outputs.length, names.length);
  for (const { path } of outputs) await assertHarmless(path);
});

test("a path in an error message adds no header", async () => {
  for (const one of [
    "path=missing%0d%0aX-Injected:%20yes",
    "x%0d%0aX-Injected:%20yes=1",
    "path=..%0d%0aX-Injected:%20yes/..",
  ]) {
    const request = `GET /files?${one} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
    const [head = ""] = (await files.raw(request).answer).split("\r\n\r\n");
    assert.match(head, /^HTTP\/1.1 40[04] /);
    assert.doesNotMatch(head, /injected/i);
  }
});
