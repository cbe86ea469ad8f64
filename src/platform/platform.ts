import type { FileBody } from "./file-body.ts";
import type { Mounts } from "./mounts.ts";

/**
 * What Boxer needs from its JavaScript runtime and cannot have from `node:` modules alike on both. `bun.ts` and
 * `deno.ts` implement it; nothing else names a runtime.
 */
export interface Platform {
  readonly name: "bun" | "deno";
  /** Starts a process; see {@link SpawnOptions}. Throws when it cannot be started (ENOENT, EACCES, EAGAIN). */
  spawn(argv: readonly string[], options: SpawnOptions): Child;
  /** Serves HTTP until stopped. Throws EADDRINUSE and the like. */
  serve(options: ServeOptions): Promise<Server>;
  /** Makes a response body of a part of a file. */
  readonly fileBody: FileBody;
  /** Opens (and creates) an SQLite database. */
  openDatabase(path: string): Database;
  /** Mounts file systems, where the server may. */
  readonly mounts: Mounts;
}

export interface SpawnOptions {
  cwd?: string;
  /** The whole environment of the child; nothing is inherited. */
  env: Readonly<Record<string, string>>;
  /** Bytes for the child's stdin, `pipe` to write them later, or nothing: then it reads end of file at once. */
  stdin?: Uint8Array | "pipe";
}

/** The stdin of a child. One that does not read, or is gone, is its own affair: nothing throws. */
export interface ChildInput {
  /** Takes bytes to be written in turn; they must not change afterwards. */
  write(bytes: Uint8Array): void;
  /** Ends the input once all is written. */
  end(): void;
}

/** How a process ended: one of the two is null. */
export interface ExitStatus {
  code: number | null;
  signal: string | null;
}

/** A running process whose stdout and stderr are pipes that must be read. */
export interface Child {
  readonly pid: number;
  /** Null unless `SpawnOptions.stdin` was `pipe`. */
  readonly stdin: ChildInput | null;
  readonly stdout: AsyncIterable<Uint8Array>;
  readonly stderr: AsyncIterable<Uint8Array>;
  /** Settles when the process has been reaped. Its pipes may stay open if a descendant holds them. */
  readonly exited: Promise<ExitStatus>;
  /** Sends a signal; does nothing once the process has ended. */
  kill(signal: NodeJS.Signals): void;
}

export interface ServeOptions {
  /** Address to bind; undefined means every address, IPv4 and IPv6. */
  hostname: string | undefined;
  /** 0 picks a free port. */
  port: number;
  fetch(request: Request, connection: Connection): Response | Promise<Response>;
}

/** What is known of the connection that a request came by. */
export interface Connection {
  /** Remote address without port, or undefined when unknown. */
  readonly remoteAddress: string | undefined;
  /** Lifts the idle time-out for this request: a run may be silent for its whole wall clock. */
  keepAlive(): void;
}

export interface Server {
  readonly hostname: string;
  readonly port: number;
  /**
   * Takes no new connections, lets requests in flight end, then settles.
   * @param grace_ms how long they may go on before their connections are cut
   */
  stop(grace_ms: number): Promise<void>;
}

/** The part of SQLite that both runtimes share. */
export interface Database {
  exec(sql: string): void;
  run(sql: string, ...parameters: (string | number | null)[]): void;
  all(sql: string, ...parameters: (string | number | null)[]): Record<string, unknown>[];
  close(): void;
}
