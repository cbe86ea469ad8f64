import { create as contentDisposition } from "content-disposition";
import type { ByteRange } from "../platform/file-body.ts";

/** What of a stored file decides how it is sent. */
export interface DownloadedFile {
  readonly path: string;
  readonly size_bytes: number;
  readonly modified: Date;
  /** Differs from that of other contents; becomes the entity tag. */
  readonly version: string;
}

/** An answer to be given. */
export interface DownloadPlan {
  readonly status: 200 | 206 | 304 | 416;
  readonly headers: Readonly<Record<string, string>>;
  /** What to send, or null for no body. */
  readonly range: ByteRange | null;
}

/**
 * Decides how to answer a request for a file: preconditions (RFC 9110, 13) before ranges (14). One range is honoured;
 * a request for several, which nobody needs here, is answered with the whole. Pure.
 */
export function planDownload(
  file: DownloadedFile,
  request: Pick<Request, "method" | "headers">,
): DownloadPlan {
  const { size_bytes } = file;
  const withBody = request.method !== "HEAD";
  const etag = `"${file.version}"`;
  const modified = file.modified.toUTCString();
  // A path may get other contents at any time: caches have to ask.
  const cacheable = { etag, "last-modified": modified, "cache-control": "no-cache" };
  if (isKnown(request.headers.get("if-none-match"), etag)) {
    return { status: 304, headers: cacheable, range: null };
  }
  const common = { ...cacheable, ...describe(file.path) };
  const whole: DownloadPlan = {
    status: 200,
    headers: { ...common, "content-length": String(size_bytes) },
    range: withBody ? { start: 0, length: size_bytes } : null,
  };
  const wanted = request.headers.get("range");
  const unless = request.headers.get("if-range");
  // Ranges are defined for GET only; If-Range wants the whole when the file has changed since.
  if (!withBody || wanted === null || (unless !== null && unless !== etag && unless !== modified))
    return whole;
  const range = parseRange(wanted, size_bytes);
  if (range === null) return whole;
  if (range === "unsatisfiable") {
    return { status: 416, headers: { "content-range": `bytes */${size_bytes}` }, range: null };
  }
  const contentRange = `bytes ${range.start}-${range.start + range.length - 1}/${size_bytes}`;
  const headers = { ...common, "content-range": contentRange, "content-length": String(range.length) };
  return { status: 206, headers, range };
}

/** Contents come from clients and guests: a browser is to save them, and never to take them for a page. */
function describe(path: string): Record<string, string> {
  return {
    "content-type": "application/octet-stream",
    "content-disposition": contentDisposition(path.slice(path.lastIndexOf("/") + 1)),
    "x-content-type-options": "nosniff",
    "accept-ranges": "bytes",
  };
}

/** Whether an If-None-Match field lists the entity tag; weak comparison (RFC 9110, 13.1.2). */
function isKnown(field: string | null, etag: string): boolean {
  if (field === null) return false;
  const tags = field.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes(etag) || tags.includes("*");
}

/**
 * Reads a Range field (RFC 9110, 14.1.2) against the size of what there is. Pure.
 * @returns null for what is to be ignored: other units, several ranges, nonsense
 */
export function parseRange(field: string, size_bytes: number): ByteRange | "unsatisfiable" | null {
  const [, first, last] = /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(field) ?? [];
  if (first === undefined || last === undefined || first + last === "") return null;
  if (first === "") {
    const length = Math.min(Number(last), size_bytes);
    return length === 0 ? "unsatisfiable" : { start: size_bytes - length, length };
  }
  const start = Number(first);
  const end = last === "" ? size_bytes : Number(last) + 1;
  if (end <= start && last !== "") return null;
  if (start >= size_bytes) return "unsatisfiable";
  return { start, length: Math.min(end, size_bytes) - start };
}
