import { messageOf } from "../../core/errors.ts";
import { printable } from "../printable.ts";

/** What `fetch` says went wrong, without the address: that may hold the signature of a blob's storage. */
export function describeNetworkError(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return printable(messageOf(inner).replace(/ for url \([^)]*\)/, ""));
}
