import { BoxerError } from "../core/errors.ts";
import type { Connection } from "../platform/platform.ts";
import { rememberConnection } from "./connections.ts";
import { crossSite } from "./detail.ts";
import { errorResponse } from "./errors.ts";
import { type Doors, isForged } from "./is-forged.ts";

/** What browsers are told of every answer: nothing from elsewhere runs in our pages, and nothing else frames them. */
const SECURITY_HEADERS = {
  "content-security-policy":
    "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

/**
 * Wraps the routes: no page of somebody else may make a browser change anything here, nor read anything on loopback by a
 * name that is pointed there, and every answer carries the security headers.
 */
export function guard(
  handle: (request: Request, connection: Connection) => Response | Promise<Response>,
  doors: Doors,
) {
  return async (request: Request, connection: Connection): Promise<Response> => {
    if (isForged(request.method, request.headers, doors)) {
      return withHeaders(errorResponse(new BoxerError("cross_site", crossSite.cross_site)));
    }
    rememberConnection(request, connection);
    return withHeaders(await handle(request, connection));
  };
}

function withHeaders(response: Response): Response {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.headers.set(name, value);
  return response;
}
