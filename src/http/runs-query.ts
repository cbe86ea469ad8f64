import { BoxerError } from "../core/errors.ts";
import { quoted } from "../files/file-path.ts";
import { parseReference } from "../image/reference.ts";
import type { RecordPosition, RecordQuery } from "../run/records/record-file.ts";
import { queryParameters } from "./query-parameter.ts";
import { RECORD_STATUSES } from "./runs-model.ts";

/** Most runs of one page. */
export const MAX_PAGE = 500;
const DEFAULT_PAGE = 50;
const EXEC_ID = "boxer-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";

const NAMES = ["status", "image", "limit", "before"] as const;

/**
 * Which runs a `GET /runs` asks for. Pure.
 * @throws BoxerError `invalid_request` or `invalid_image_reference`, naming the parameter
 */
export function parseRunsQuery(url: string): RecordQuery {
  const { status, image, limit, before } = queryParameters(url, NAMES);
  return {
    ...(status !== undefined && { status: parseStatus(status) }),
    ...(image !== undefined && { image: parseReference(image).text }),
    ...(before !== undefined && { before: parseCursor(before) }),
    limit: limit === undefined ? DEFAULT_PAGE : parseLimit(limit),
  };
}

/**
 * The id in a path, as it is. Pure.
 * @param text null where the path cannot be percent-decoded, of which Elysia's types say nothing
 * @throws BoxerError `invalid_request` when it cannot be one
 */
export function parseExecId(text: string | null): string {
  if (text !== null && new RegExp(`^${EXEC_ID}$`).test(text)) return text;
  throw refusal("exec_id", `exec_id must be boxer-<uuid>, not ${quoted(text ?? "%")}`);
}

/** What `before` takes for going on after this run. */
export function cursorOf({ submitted_at_ms, exec_id }: RecordPosition): string {
  return `${submitted_at_ms}.${exec_id}`;
}

function parseStatus(text: string): (typeof RECORD_STATUSES)[number] {
  const status = RECORD_STATUSES.find((known) => known === text);
  if (status) return status;
  throw refusal("status", `status must be one of ${RECORD_STATUSES.join(", ")}`);
}

function parseLimit(text: string): number {
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= MAX_PAGE) return limit;
  throw refusal("limit", `limit must be a number from 1 to ${MAX_PAGE}`);
}

function parseCursor(text: string): RecordPosition {
  const [, time, exec_id] = new RegExp(`^(\\d{1,15})\\.(${EXEC_ID})$`).exec(text) ?? [];
  if (time && exec_id) return { submitted_at_ms: Number(time), exec_id };
  throw refusal("before", "before must be what an earlier answer gave as next");
}

function refusal(field: string, message: string): BoxerError {
  return new BoxerError("invalid_request", message, { field });
}
