import { printable } from "../image/printable.ts";
import { connectionOf } from "./connections.ts";

/** A name may be an attacker's, and is kept with each run. */
const MAX_NAME_LENGTH = 128;

/**
 * Whose request it is: what the header of the name `client_header` says, where the operator names one and the request
 * has it; else the address of the connection.
 * @returns one line of at most 128 characters
 */
export function clientOf(request: Request, options: { client_header: string | undefined }): string {
  const stated = options.client_header && request.headers.get(options.client_header);
  const name = printable(stated || "", MAX_NAME_LENGTH);
  return name || (connectionOf(request)?.remoteAddress ?? "unknown");
}
