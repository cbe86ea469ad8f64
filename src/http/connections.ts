import type { Connection } from "../platform/platform.ts";

const connections = new WeakMap<Request, Connection>();

/** Remembers which connection a request came by, for routes that get the request only. */
export function rememberConnection(request: Request, connection: Connection): void {
  connections.set(request, connection);
}

/** The connection of a request, or undefined when it came by none, as in tests of routes alone. */
export function connectionOf(request: Request): Connection | undefined {
  return connections.get(request);
}
