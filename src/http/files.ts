import { Elysia } from "elysia";
import { BoxerError } from "../core/errors.ts";
import type { FileStore } from "../files/file-store.ts";
import { discardRest } from "./discard-rest.ts";
import { errorResponse } from "./errors.ts";
import { answerArchive } from "./files-archive.ts";
import { downloadDetail, uploadDetail } from "./files-detail.ts";
import { listFiles, removeFiles } from "./files-manage.ts";
import { archiveDetail, listDetail, removeDetail } from "./files-manage-detail.ts";
import { planDownload } from "./plan-download.ts";
import { queryParameter } from "./query-parameter.ts";
import { readUploadForm } from "./upload-form.ts";

/**
 * `POST`, `GET`, `HEAD` and `DELETE /files`, `GET /files/list`, `GET /files/archive`. Handlers are `async` by keyword: see
 * `imageRoutes`.
 */
export function filesRoutes(options: { store: FileStore; upload_limit_bytes: number }) {
  const { store, upload_limit_bytes } = options;
  const download = async ({ request }: { request: Request }) => answerDownload(store, request);
  return new Elysia({ name: "files" })
    .post(
      "/files",
      async ({ request, set }) => {
        const body = (request.body ?? new Blob().stream()).getReader();
        try {
          return { path: await upload(store, request.headers.get("content-type"), body, upload_limit_bytes) };
        } catch (error) {
          if (!(await discardRest(body))) set.headers.connection = "close";
          throw error;
        }
      },
      { parse: "none", detail: uploadDetail },
    )
    .get("/files", download, { detail: downloadDetail })
    .head("/files", download, { detail: { hide: true } })
    .delete("/files", async ({ request }) => removeFiles(store, request.url), { detail: removeDetail })
    .get("/files/list", async ({ request }) => listFiles(store, request.url), { detail: listDetail })
    .get("/files/archive", async ({ request }) => answerArchive(store, request), { detail: archiveDetail });
}

async function upload(
  store: FileStore,
  contentType: string | null,
  body: ReadableStreamDefaultReader<Uint8Array>,
  limit_bytes: number,
): Promise<string> {
  const stage = (source: AsyncIterable<Uint8Array>) => store.stage(source, limit_bytes);
  const { path, file } = await readUploadForm(contentType, body, stage, limit_bytes);
  return file.keepAs(path);
}

async function answerDownload(store: FileStore, request: Request): Promise<Response> {
  const file = await store.open(queryParameter(request.url, "path"));
  const plan = planDownload(file, request);
  if (plan.range) return new Response(await file.body(plan.range), plan);
  await file.close();
  if (plan.status !== 416) return new Response(null, plan);
  const message = `The range lies outside the file's ${file.size_bytes} bytes`;
  const response = errorResponse(new BoxerError("range_not_satisfiable", message, { field: "Range" }));
  for (const [name, value] of Object.entries(plan.headers)) response.headers.set(name, value);
  return response;
}
