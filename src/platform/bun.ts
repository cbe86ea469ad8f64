import { Database as Sqlite } from "bun:sqlite";
import { closeSync } from "node:fs";
import { bunMountCalls } from "./bun-mount.ts";
import { makePipe, type Pipe, readPipe, writePipe } from "./bun-pipe.ts";
import { lazyFileBody } from "./file-body.ts";
import { createMounts } from "./mounts.ts";
import type {
  Child,
  Connection,
  Database,
  Platform,
  ServeOptions,
  Server,
  SpawnOptions,
} from "./platform.ts";

/** Bun refuses a larger body with an empty 413 of its own; the routes bound theirs and answer in JSON. */
const MAX_REQUEST_BODY_BYTES = Number.MAX_SAFE_INTEGER;
/** A client that sends nothing for this long is cut, unless its route called `keepAlive()`. */
const IDLE_TIMEOUT_SECS = 60;

/** The {@link Platform} on Bun. */
export const bunPlatform: Platform = {
  name: "bun",
  spawn,
  serve,
  fileBody: lazyFileBody,
  openDatabase,
  mounts: createMounts(bunMountCalls, { spawn }),
};

function spawn(argv: readonly string[], options: SpawnOptions): Child {
  const stdout = makePipe();
  const stderr = makePipeBeside(stdout);
  const stdin = options.stdin === "pipe" ? makePipeBeside(stdout, stderr) : null;
  try {
    const child = Bun.spawn([...argv], {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...options.env },
      stdin: stdin?.read ?? options.stdin ?? "ignore",
      stdout: stdout.write,
      stderr: stderr.write,
    });
    return {
      pid: child.pid,
      stdin: stdin && writePipe(stdin.write, child.exited),
      stdout: readPipe(stdout.read),
      stderr: readPipe(stderr.read),
      exited: child.exited.then(() => ({ code: child.exitCode, signal: child.signalCode as string | null })),
      kill: (signal) => child.kill(signal),
    };
  } catch (error) {
    closeAll(stdout.read, stderr.read, stdin?.write);
    throw error;
  } finally {
    closeAll(stdout.write, stderr.write, stdin?.read);
  }
}

/** One more pipe; without it the others are closed again. */
function makePipeBeside(...others: readonly Pipe[]): Pipe {
  try {
    return makePipe();
  } catch (error) {
    for (const { read, write } of others) closeAll(read, write);
    throw error;
  }
}

function closeAll(...fds: readonly (number | undefined)[]): void {
  for (const fd of fds) if (fd !== undefined) closeSync(fd);
}

async function serve(options: ServeOptions): Promise<Server> {
  const server = Bun.serve({
    ...(options.hostname === undefined ? {} : { hostname: options.hostname }),
    port: options.port,
    idleTimeout: IDLE_TIMEOUT_SECS,
    // Otherwise a fault in a response would be shown as a page with our paths in it.
    development: false,
    // Bun sets SO_REUSEPORT outside development: another process could take a share of our requests.
    reusePort: false,
    maxRequestBodySize: MAX_REQUEST_BODY_BYTES,
    fetch(request, self) {
      const connection: Connection = {
        remoteAddress: self.requestIP(request)?.address,
        keepAlive: () => self.timeout(request, 0),
      };
      return options.fetch(request, connection);
    },
  });
  return {
    hostname: server.hostname ?? "",
    port: server.port ?? options.port,
    async stop(grace_ms) {
      const timer = setTimeout(() => void server.stop(true), grace_ms);
      await server.stop().finally(() => clearTimeout(timer));
    },
  };
}

function openDatabase(path: string): Database {
  const database = new Sqlite(path, { create: true, strict: true });
  return {
    exec: (sql) => void database.run(sql),
    run: (sql, ...parameters) => void database.query(sql).run(...parameters),
    all: (sql, ...parameters) =>
      database.query<Record<string, unknown>, typeof parameters>(sql).all(...parameters),
    close: () => database.close(),
  };
}
