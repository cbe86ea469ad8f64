import { BoxerError } from "../core/errors.ts";
import { quoted } from "../files/file-path.ts";
import type { FileStore } from "../files/file-store.ts";
import { toFilesResponse, toRemovedResponse } from "./files-model.ts";
import { queryParameters } from "./query-parameter.ts";

const DEFAULT_LIMIT = 1000;
const MAX_LIMIT = 10_000;

/**
 * Answers `GET /files/list`.
 * @throws BoxerError `invalid_request`, `invalid_path`
 */
export async function listFiles(store: Pick<FileStore, "list" | "usage">, url: string) {
  const { prefix = "", after = "", limit } = queryParameters(url, ["prefix", "after", "limit"]);
  const list = await store.list(prefix, { after, limit: parseLimit(limit) });
  return toFilesResponse(list, store.usage());
}

/**
 * Answers `DELETE /files`.
 * @throws BoxerError `invalid_request`, `invalid_path`, `not_found`
 */
export async function removeFiles(store: Pick<FileStore, "remove" | "removeBelow">, url: string) {
  const { path, prefix } = queryParameters(url, ["path", "prefix"]);
  if ((path === undefined) === (prefix === undefined)) {
    const message = "Exactly one of the query parameters path and prefix is required";
    throw new BoxerError("invalid_request", message, { field: "path" });
  }
  const removed = path !== undefined ? await store.remove(path) : await store.removeBelow(prefix ?? "");
  if (removed.files > 0) return toRemovedResponse(removed);
  throw path !== undefined
    ? new BoxerError("not_found", `There is no file ${quoted(path)}`, { field: "path" })
    : nothingBelow(prefix ?? "");
}

/** What to say when no file has a prefix. */
export function nothingBelow(prefix: string): BoxerError {
  return new BoxerError("not_found", `There is no file below ${quoted(prefix)}`, { field: "prefix" });
}

function parseLimit(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  const limit = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= MAX_LIMIT) return limit;
  const message = `limit must be a whole number from 1 to ${MAX_LIMIT}`;
  throw new BoxerError("invalid_request", message, { field: "limit" });
}
