import { spawn as spawnProcess } from "node:child_process";
import { once } from "node:events";
import { accessSync, closeSync, constants, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { errnoOf } from "../core/errors.ts";
import { denoMountCalls } from "./deno-mount.ts";
import { streamedFileBody } from "./file-body.ts";
import { createMounts } from "./mounts.ts";
import type {
  Child,
  ChildInput,
  Connection,
  Database,
  ExitStatus,
  Platform,
  ServeOptions,
  Server,
  SpawnOptions,
} from "./platform.ts";

/** The part of Deno's own API that serving needs; its global types would clash with Bun's. */
interface DenoApi {
  serve(
    options: { hostname?: string; port: number; onListen(): void },
    handler: (request: Request, info: { remoteAddr: { hostname?: string } }) => Response | Promise<Response>,
  ): { addr: { hostname: string; port: number }; shutdown(): Promise<void> };
}

/** The {@link Platform} on Deno. */
export const denoPlatform: Platform = {
  name: "deno",
  spawn,
  serve,
  fileBody: streamedFileBody,
  openDatabase,
  mounts: createMounts(denoMountCalls, { spawn }),
};

function spawn(argv: readonly string[], options: SpawnOptions): Child {
  const [command = "", ...args] = argv;
  const child = spawnProcess(command, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...options.env },
    stdio: [options.stdin ? "pipe" : "ignore", "pipe", "pipe"],
  });
  if (child.pid === undefined) {
    // Deno tells why by event only; the caller wants it at once, as Bun gives it.
    child.on("error", () => {});
    throw Object.assign(new Error(`Cannot start ${command}`), { code: whyNot(command) });
  }
  // A child that ends without reading its stdin breaks the pipe; that is its own affair.
  child.stdin?.on("error", () => {});
  const { pid, stdin } = child;
  if (options.stdin !== "pipe") stdin?.end(options.stdin);
  return {
    pid,
    stdin: stdin && options.stdin === "pipe" ? inputOf(stdin) : null,
    stdout: child.stdout as AsyncIterable<Uint8Array>,
    stderr: child.stderr as AsyncIterable<Uint8Array>,
    exited: once(child, "exit").then(([code, signal]): ExitStatus => ({ code, signal })),
    kill: (signal) => {
      // Not the child's own kill(): after that, Deno reports the signal as the end, whatever the end was.
      if (child.exitCode !== null || child.signalCode !== null) return;
      try {
        process.kill(pid, signal);
      } catch (error) {
        // It has been reaped, and its exit is on the way to us.
        if (errnoOf(error) !== "ESRCH") throw error;
      }
    },
  };
}

function inputOf(stream: Writable): ChildInput {
  return {
    write: (bytes) => void stream.write(bytes),
    end: () => void stream.end(),
  };
}

/** The errno name of what keeps a program from being started. */
function whyNot(command: string): string {
  try {
    if (command.includes("/")) accessSync(command, constants.X_OK);
    // A program that is there may lack its interpreter, or the host the descriptors to start it.
    closeSync(openSync("/dev/null", "r"));
    return "ENOENT";
  } catch (error) {
    return errnoOf(error) ?? "ENOENT";
  }
}

async function serve(options: ServeOptions): Promise<Server> {
  const { Deno } = globalThis as unknown as { Deno: DenoApi };
  const server = Deno.serve(
    {
      // Deno's own default is IPv4 only.
      hostname: options.hostname ?? "::",
      port: options.port,
      onListen() {},
    },
    (request, info) => {
      const connection: Connection = { remoteAddress: info.remoteAddr.hostname, keepAlive() {} };
      return options.fetch(request, connection);
    },
  );
  return {
    hostname: server.addr.hostname,
    port: server.addr.port,
    // Deno cannot cut connections once it shuts down; those that are left end with the process.
    stop: (grace_ms) => Promise.race([server.shutdown(), sleep(grace_ms, undefined, { ref: false })]),
  };
}

function openDatabase(path: string): Database {
  const database = new DatabaseSync(path);
  return {
    exec: (sql) => database.exec(sql),
    run: (sql, ...parameters) => void database.prepare(sql).run(...parameters),
    all: (sql, ...parameters) => database.prepare(sql).all(...parameters) as Record<string, unknown>[],
    close: () => database.close(),
  };
}
