import { create as contentDisposition } from "content-disposition";
import { normalisePrefix } from "../files/file-path.ts";
import type { FileStore } from "../files/file-store.ts";
import { connectionOf } from "./connections.ts";
import { nothingBelow } from "./files-manage.ts";
import { gzip } from "./gzip.ts";
import { queryParameters } from "./query-parameter.ts";

/**
 * Answers `GET /files/archive`. The archive is made while it is sent: as fast as the client takes it.
 * @throws BoxerError `invalid_request`, `invalid_path`, `not_found`
 */
export async function answerArchive(
  store: Pick<FileStore, "list" | "archive">,
  request: Request,
): Promise<Response> {
  const { prefix = "" } = queryParameters(request.url, ["prefix"]);
  const { files } = await store.list(prefix, { after: "", limit: 1 });
  if (files.length === 0) throw nothingBelow(prefix);
  connectionOf(request)?.keepAlive();
  const name = normalisePrefix(prefix).split("/").at(-1) || "files";
  return new Response(streamOf(gzip(store.archive(prefix)), request.signal), {
    headers: {
      "content-type": "application/gzip",
      "content-disposition": contentDisposition(`${name}.tar.gz`),
      "cache-control": "no-store",
    },
  });
}

/** @param signal aborts when the client goes away, where the stream is not canceled */
function streamOf(source: AsyncGenerator<Uint8Array>, signal: AbortSignal): ReadableStream<Uint8Array> {
  const end = () => void source.return(undefined).catch(() => {});
  signal.addEventListener("abort", end, { once: true });
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await source.next();
        if (!done) return controller.enqueue(value);
        signal.removeEventListener("abort", end);
        controller.close();
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  );
}
