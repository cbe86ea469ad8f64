import { stat } from "node:fs/promises";

const DEFAULT_SOCKET = "/var/run/docker.sock";
const UNIX = "unix://";

/**
 * Where the local Docker daemon listens: as configured; else as `$DOCKER_HOST` says; else at the usual place, if there
 * is a socket.
 * @param configured absolute path; null: no daemon is to be asked; undefined: not configured
 * @returns path of the socket, or null where there is none to ask, which a DOCKER_HOST of another kind means too
 */
export async function findDockerSocket(
  configured: string | null | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | null> {
  if (configured !== undefined) return configured;
  const host = env.DOCKER_HOST;
  if (host) return host.startsWith(`${UNIX}/`) ? host.slice(UNIX.length) : null;
  const found = await stat(DEFAULT_SOCKET).catch(() => undefined);
  return found?.isSocket() ? DEFAULT_SOCKET : null;
}
