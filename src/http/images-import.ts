import { Elysia } from "elysia";
import type { Static } from "typebox";
import { BoxerError } from "../core/errors.ts";
import type { ImageStore } from "../image/types.ts";
import { connectionOf } from "./connections.ts";
import { discardRest } from "./discard-rest.ts";
import { errorResponse } from "./errors.ts";
import { type ImportResponse, importDetail } from "./images-import-detail.ts";
import { queryParameter } from "./query-parameter.ts";

type Images = Pick<ImageStore, "importArchive">;
type Body = ReadableStreamDefaultReader<Uint8Array>;

/** `POST /images/import`. */
export function imageImportRoutes(options: { images: Images; image_archive_limit_bytes: number }) {
  return new Elysia({ name: "images-import" }).post(
    "/images/import",
    async ({ request, set }) => {
      const body = (request.body ?? new Blob().stream()).getReader();
      try {
        return await importImage(options, request, body);
      } catch (error) {
        if (!(await discardRest(body))) set.headers.connection = "close";
        return refuseArchive(error, set.headers.connection);
      }
    },
    { parse: "none", detail: importDetail },
  );
}

async function importImage(
  { images, image_archive_limit_bytes: limit_bytes }: Parameters<typeof imageImportRoutes>[0],
  request: Request,
  body: Body,
): Promise<Static<typeof ImportResponse>> {
  refuseForm(request.headers.get("content-type") ?? "");
  const { url, signal } = request;
  const wanted = new URL(url).search === "" ? undefined : queryParameter(url, "reference");
  if (Number(request.headers.get("content-length")) > limit_bytes) throw tooLarge(limit_bytes);
  // Unpacking takes its time when the body is here, and nothing is sent meanwhile.
  const archive = readArchive(body, limit_bytes, () => connectionOf(request)?.keepAlive());
  const { reference, digest, size_bytes } = await images.importArchive(archive, wanted, { signal });
  return { reference, digest, size_bytes };
}

async function* readArchive(body: Body, limit_bytes: number, onEnd: () => void): AsyncGenerator<Uint8Array> {
  let received = 0;
  for (let chunk = await read(body); chunk; chunk = await read(body)) {
    received += chunk.byteLength;
    if (received > limit_bytes) throw tooLarge(limit_bytes);
    yield chunk;
  }
  onEnd();
}

async function read(body: Body): Promise<Uint8Array | undefined> {
  try {
    return (await body.read()).value;
  } catch (error) {
    throw new BoxerError("canceled", "the client went away", { cause: error });
  }
}

/** Here the image came from the client: what is a fault of a registry in a run is one of the request. */
function refuseArchive(error: unknown, connection: string | number | undefined): Response {
  const isClients =
    error instanceof BoxerError && (error.code === "image_invalid" || error.code === "image_not_found");
  if (!isClients) throw error;
  const { message, field } = error;
  const fault = new BoxerError("image_invalid", message, field === undefined ? {} : { field });
  const response = errorResponse(fault, 400);
  if (connection !== undefined) response.headers.set("connection", String(connection));
  return response;
}

/** A form would be taken for a damaged archive, and nobody would guess why. */
function refuseForm(contentType: string): void {
  if (!/^multipart\//i.test(contentType)) return;
  throw new BoxerError(
    "unsupported_media_type",
    "The body must be the archive itself, not a form: curl -X POST --upload-file FILE",
  );
}

function tooLarge(limit_bytes: number): BoxerError {
  return new BoxerError(
    "payload_too_large",
    `the archive is larger than ${limit_bytes} bytes (image_archive_limit_bytes)`,
  );
}
