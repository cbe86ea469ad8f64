import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Elysia } from "elysia";
import { BoxerError, type ErrorCode } from "../../src/core/errors.ts";
import { silentLog } from "../../src/core/log.ts";
import { errorPlugin } from "../../src/http/errors.ts";
import { imageImportRoutes } from "../../src/http/images-import.ts";
import type { Image, ImageStore } from "../../src/image/types.ts";

const digest = `sha256:${"1".repeat(64)}` as const;
const config = { env: [], working_dir: "/", entrypoint: [], cmd: [], user: "" };
const image: Image = {
  digest,
  reference: "local/x:1",
  rootfs: "/secret",
  rootfs_type: "erofs",
  user: { uid: 0, gid: 0 },
  config,
  size_bytes: 4096,
};

type Import = ImageStore["importArchive"];

/** A store that reads all of the archive, and then does as told. */
function app(importArchive: (body: Buffer, reference: string | undefined) => Promise<Image>) {
  const images = {
    importArchive: (async (stream, reference) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of stream) chunks.push(chunk);
      return await importArchive(Buffer.concat(chunks), reference);
    }) satisfies Import,
  };
  return new Elysia()
    .use(errorPlugin(silentLog))
    .use(imageImportRoutes({ images, image_archive_limit_bytes: 1000 }));
}

async function post(
  importArchive: Parameters<typeof app>[0],
  path = "/images/import",
  init: RequestInit = { body: "archive" },
): Promise<{ status: number; body: unknown }> {
  const request = new Request(`http://localhost${path}`, { method: "POST", ...init });
  const response = await app(importArchive).handle(request);
  return { status: response.status, body: await response.json() };
}

describe("an import over HTTP", () => {
  for (const type of [
    "application/x-tar",
    "application/gzip",
    "application/octet-stream",
    "text/plain",
    "",
  ]) {
    it(`takes the body as it is when its type is "${type}"`, async () => {
      let got: [string, string | undefined] | undefined;
      const answer = await post(
        async (body, reference) => {
          got = [body.toString(), reference];
          return image;
        },
        "/images/import?reference=local%2Fx%3A1",
        { body: '{"not": "json', headers: { "content-type": type } },
      );
      assert.deepEqual(got, ['{"not": "json', "local/x:1"]);
      assert.deepEqual(answer, {
        status: 200,
        body: { reference: "local/x:1", digest, size_bytes: 4096 },
      });
    });
  }

  it("needs no reference, and no body", async () => {
    const answer = await post(
      async (body, reference) => {
        assert.deepEqual([body.length, reference], [0, undefined]);
        return image;
      },
      "/images/import",
      {},
    );
    assert.equal(answer.status, 200);
  });

  for (const [query, field] of [
    ["?x=1", "x"],
    ["?reference=a&reference=b", "reference"],
  ] as const) {
    it(`refuses the query ${query}`, async () => {
      const { status, body } = await post(async () => image, `/images/import${query}`);
      assert.deepEqual([status, (body as { field: string }).field], [400, field]);
    });
  }

  it("refuses a form, and says what to send", async () => {
    const form = new FormData();
    form.set("file", new File(["x"], "x"));
    const { status, body } = await post(async () => image, "/images/import", { body: form });
    assert.equal(status, 415);
    assert.match((body as { error: string }).error, /--upload-file/);
  });

  for (const [what, body] of [
    ["that says so", "x".repeat(1001)],
    ["that does not say so", new Blob(["x".repeat(600), "y".repeat(600)]).stream()],
  ] as const) {
    it(`refuses an archive ${what} over the limit`, async () => {
      const init = { body, duplex: "half" } as RequestInit;
      const answer = await post(async () => image, "/images/import", init);
      assert.equal(answer.status, 413);
      assert.match((answer.body as { error: string }).error, /1000 bytes \(image_archive_limit_bytes\)/);
    });
  }

  it("takes an archive of exactly the limit", async () => {
    assert.equal((await post(async () => image, "/images/import", { body: "x".repeat(1000) })).status, 200);
  });

  const faults: [thrown: ErrorCode, status: number, code: string][] = [
    ["image_invalid", 400, "image_invalid"],
    ["image_not_found", 400, "image_invalid"],
    ["invalid_request", 400, "invalid_request"],
    ["invalid_image_reference", 400, "invalid_image_reference"],
    ["image_not_allowed", 403, "image_not_allowed"],
    ["image_pull_failed", 500, "image_pull_failed"],
    ["disk_full", 500, "disk_full"],
    ["draining", 503, "draining"],
  ];
  for (const [thrown, status, code] of faults) {
    it(`answers ${thrown} with ${status} ${code}`, async () => {
      const answer = await post(async () => {
        throw new BoxerError(thrown, "Cannot import it: why");
      });
      assert.deepEqual(answer, { status, body: { error: "Cannot import it: why", code } });
    });
  }
});
