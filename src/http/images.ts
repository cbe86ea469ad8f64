import { Elysia } from "elysia";
import { BoxerError, messageOf } from "../core/errors.ts";
import type { PullStatus } from "../image/progress/pull-status.ts";
import type { ImageStore, ImageSummary } from "../image/types.ts";
import { connectionOf } from "./connections.ts";
import type { ErrorBody } from "./errors.ts";
import { listDetail, pruneDetail, pullDetail, removeDetail } from "./images-detail.ts";
import { PruneBody, PullBody, toImageResponse, toPruneResponse, toPullResponse } from "./images-model.ts";
import { readJsonBody } from "./json-body.ts";
import { queryParameter } from "./query-parameter.ts";
import { eventStream, type ServerEvent } from "./sse.ts";
import { wireSchema } from "./wire-schema.ts";

type Images = Pick<ImageStore, "acquire" | "list" | "pulls" | "watchPull" | "usage" | "remove" | "prune">;

/**
 * `GET /images`, `DELETE /images`, `POST /images/pull`, `POST /images/prune`. Handlers are `async` by keyword: Elysia
 * does not wait for the promise of another function on each runtime, and its rejection would get past the error plugin.
 */
export function imageRoutes(options: { images: Images; request_limit_bytes: number }) {
  const { images, request_limit_bytes } = options;
  return new Elysia({ name: "images" })
    .get("/images", () => listResponse(images), { detail: listDetail })
    .delete("/images", async ({ request }) => remove(images, request.url), { detail: removeDetail })
    .post(
      "/images/pull",
      async ({ body, request }) => {
        connectionOf(request)?.keepAlive();
        const wantsEvents = /\btext\/event-stream\b/i.test(request.headers.get("accept") ?? "");
        return wantsEvents ? streamPull(images, body.image, request) : pullToEnd(images, body.image, request);
      },
      {
        body: wireSchema(PullBody),
        parse: [({ request }) => readJsonBody(request, request_limit_bytes), "json"],
        detail: pullDetail,
      },
    )
    .post(
      "/images/prune",
      async ({ body }) => {
        const unused_for_ms = 1000 * (body.unused_for_secs ?? 0);
        return toPruneResponse(await images.prune({ unused_for_ms, all: body.all ?? false }));
      },
      {
        body: wireSchema(PruneBody),
        parse: [
          ({ request }) => (hasBody(request) ? readJsonBody(request, request_limit_bytes) : {}),
          "json",
        ],
        detail: pruneDetail,
      },
    );
}

function listResponse(images: Images) {
  const { size_bytes, quota_bytes } = images.usage();
  return {
    images: images.list().map(toImageResponse),
    pulls: images.pulls().map(toPullResponse),
    size_bytes,
    quota_bytes: Number.isFinite(quota_bytes) ? quota_bytes : null,
  };
}

async function remove(images: Images, url: string): Promise<Response> {
  const reference = queryParameter(url, "reference");
  switch (await images.remove(reference)) {
    case "removed":
      return new Response(null, { status: 204 });
    case "not_found":
      throw new BoxerError("not_found", `There is no image ${reference} here`);
    case "in_use":
      throw new BoxerError("image_in_use", `Cannot remove image ${reference}: it is in use`);
  }
}

async function pullToEnd(images: Images, reference: string, request: Request) {
  return toImageResponse(await pull(images, reference, request.signal));
}

/** Asks the registry, and gives the image back at once: it is there for the runs to come. */
async function pull(images: Images, reference: string, signal: AbortSignal): Promise<ImageSummary> {
  const { image, release } = await images.acquire(reference, { signal, pull: "always" });
  try {
    return images.list().find(({ digest }) => digest === image.digest) as ImageSummary;
  } finally {
    release();
  }
}

/** What is refused before there is any progress is refused as by all other routes. */
async function streamPull(images: Images, reference: string, request: Request): Promise<Response> {
  const gone = new AbortController();
  const over = new AbortController();
  const signal = AbortSignal.any([request.signal, gone.signal]);
  const pulled = pull(images, reference, signal).finally(() => over.abort());
  // Whoever waits for it gets the error; nobody may be left to.
  pulled.catch(() => {});
  const progress = images.watchPull(reference, over.signal)[Symbol.asyncIterator]();
  const first = progress.next();
  await Promise.race([pulled, first]);
  const events = pullEvents(first, progress, pulled);
  return eventStream(events, { signal: request.signal, onGone: () => gone.abort() });
}

async function* pullEvents(
  first: Promise<IteratorResult<PullStatus, void>>,
  rest: AsyncIterator<PullStatus, void>,
  pulled: Promise<ImageSummary>,
): AsyncGenerator<ServerEvent> {
  try {
    for (let next = await first; !next.done; next = await rest.next()) {
      yield { event: "progress", data: JSON.stringify(toPullResponse(next.value)) };
    }
    yield { event: "done", data: JSON.stringify(toImageResponse(await pulled)) };
  } catch (error) {
    yield { event: "failed", data: JSON.stringify(errorBody(error)) };
  }
}

function errorBody(error: unknown): Pick<ErrorBody, "error" | "code"> {
  const code = error instanceof BoxerError ? error.code : "internal";
  return { error: messageOf(error), code };
}

/** A request has one when a header says so (RFC 9112, section 6). */
function hasBody({ headers }: Request): boolean {
  const length = headers.get("content-length") ?? "0";
  return length !== "0" || headers.has("transfer-encoding") || headers.has("content-type");
}
