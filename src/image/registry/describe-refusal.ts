import Type from "typebox";
import { BoxerError, type ErrorCode } from "../../core/errors.ts";
import { compileSchema } from "../../core/schema.ts";
import type { Clock } from "../clock.ts";
import { printable } from "../printable.ts";
import { TemporaryError } from "../retry.ts";
import type { Answer } from "./answer.ts";

const MAX_BODY_BYTES = 64 << 10;

const bodySchema = compileSchema(
  Type.Object({
    errors: Type.Array(
      Type.Object({ code: Type.Optional(Type.String()), message: Type.Optional(Type.String()) }),
      { minItems: 1 },
    ),
  }),
);

/**
 * The error for an answer that is not what was asked for, with the server's own code and message as of the OCI
 * distribution specification ("error codes"). Reads the body.
 * @param who the server, as it shall be named
 * @param code for a refusal that is final; 429 and 5xx become a {@link TemporaryError}
 */
export async function describeRefusal(
  answer: Answer,
  who: string,
  code: ErrorCode,
  now: Clock["now"] = Date.now,
): Promise<BoxerError> {
  const body = await answer.bytes(MAX_BODY_BYTES).catch(() => new Uint8Array());
  const message = `${who} answered ${answer.status}${describeBody(body)}`;
  if (answer.status !== 429 && answer.status < 500) return new BoxerError(code, message);
  const retry_after_ms = parseRetryAfter(answer.headers.get("retry-after"), now());
  return new TemporaryError(message, { retry_after_ms });
}

function describeBody(body: Uint8Array): string {
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(body).toString("utf8"));
  } catch {
    return "";
  }
  if (!bodySchema.fits(content)) return "";
  const [first] = content.errors;
  const code = printable(first?.code ?? "", 50);
  const message = printable(first?.message ?? "");
  return [code && ` ${code}`, message && `: ${message}`].join("");
}

/**
 * Reads a Retry-After header: seconds or a date (RFC 9110, section 10.2.3).
 * @param now_ms milliseconds since 1970
 * @returns milliseconds to wait from now on, or undefined where it says nothing of use
 */
export function parseRetryAfter(header: string | null, now_ms: number): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  // Date.parse makes a date of almost anything, of "-5" too.
  const date_ms = text.endsWith("GMT") ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date_ms) ? undefined : Math.max(0, date_ms - now_ms);
}
