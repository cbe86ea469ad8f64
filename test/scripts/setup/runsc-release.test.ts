import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, it, test } from "node:test";
import { downloadRelease, parseSha512 } from "../../../scripts/setup/runsc-release.ts";
import { type TestContext, tempDirectory } from "../../support/temp-directory.ts";

const PROGRAM = "#!/bin/sh\nexit 0\n";
const SHA512 = createHash("sha512").update(PROGRAM).digest("hex");

/** A server with the given files; every other path is 404. Returns its base URL. */
async function serve(t: TestContext, files: Record<string, string>): Promise<string> {
  const server = createServer((request, response) => {
    const body = files[request.url ?? ""];
    response.writeHead(body === undefined ? 404 : 200).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("gVisor's release", () => {
  it("is kept as an executable when it is what its checksum says", async (t) => {
    const checksum = `${SHA512}  runsc\n`;
    const base = await serve(t, { "/x86_64/runsc": PROGRAM, "/x86_64/runsc.sha512": checksum });
    const path = join(await tempDirectory(t), "runsc");
    await downloadRelease(base, "x86_64", path);
    assert.equal(await readFile(path, "utf8"), PROGRAM);
    assert.equal((await stat(path)).mode & 0o111, 0o111);
  });

  const lies = [
    {
      name: "another program than its checksum says",
      files: { "/x86_64/runsc": `${PROGRAM}rm -rf /`, "/x86_64/runsc.sha512": `${SHA512}  runsc\n` },
      error: /does not match its published SHA-512/,
    },
    {
      name: "a page in place of the checksum",
      files: { "/x86_64/runsc": PROGRAM, "/x86_64/runsc.sha512": "<html>sign in</html>" },
      error: /is not a SHA-512 checksum/,
    },
    {
      name: "no checksum",
      files: { "/x86_64/runsc": PROGRAM },
      error: /Cannot get .*runsc\.sha512: HTTP status 404/,
    },
    {
      name: "a checksum only",
      files: { "/x86_64/runsc.sha512": `${SHA512}  runsc\n` },
      error: /Cannot get .*runsc: HTTP status 404/,
    },
  ];
  for (const { name, files, error } of lies) {
    it(`is refused when the server has ${name}`, async (t) => {
      const path = join(await tempDirectory(t), "runsc");
      await assert.rejects(downloadRelease(await serve(t, files), "x86_64", path), error);
    });
  }

  it("is refused when nobody answers", async (t) => {
    const path = join(await tempDirectory(t), "runsc");
    await assert.rejects(downloadRelease("http://127.0.0.1:1", "x86_64", path), /Cannot reach http:\/\/127/);
  });
});

test("a checksum file is read as sha512sum writes it", () => {
  const cases = [
    [`${SHA512}  runsc\n`, SHA512],
    [`${SHA512.toUpperCase()} *runsc`, SHA512],
    [SHA512, SHA512],
    [SHA512.slice(1), undefined],
    [`${SHA512}0`, undefined],
    ["", undefined],
  ] as const;
  for (const [text, expected] of cases) assert.equal(parseSha512(text), expected);
});
