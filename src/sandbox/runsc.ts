import { join } from "node:path";
import type { Config } from "../config/config.ts";
import type { NetworkMode } from "./guest-network.ts";
import { type ControlDirectory, controlDirectoryAt } from "./warm/control-directory.ts";

/** How runsc is called. */
export interface RunscOptions {
  /** Path of the binary. */
  readonly path: string;
  readonly platform: Config["platform"];
  /** Whether the server is not root: runsc then makes a user namespace of its own. */
  readonly rootless: boolean;
}

/** The host paths of one run, all in a directory of its own but for what the guest only reads. */
export interface RunDirectory {
  readonly path: string;
  /** The OCI bundle: holds config.json. */
  readonly bundle: string;
  /** runsc's own state, control socket included. */
  readonly state: string;
  /** What runsc says of its own failures, JSON lines. */
  readonly log: string;
  /** What the Go runtime says when the sentry crashes; empty otherwise. */
  readonly panicLog: string;
  /** Written by runsc once there is a sandbox. */
  readonly pidFile: string;
  /** What /proc/meminfo says to gVisor. */
  readonly meminfo: string;
  /** Where an image that is a directory is mounted; stays empty. */
  readonly root: string;
  /** Mounted at /output. */
  readonly output: string;
  /** The input files, and what only the first program of a sandbox booted ahead sees; see `bootSandbox`. */
  readonly control: ControlDirectory;
}

/**
 * Lays out a run's directory; touches nothing.
 * @param inPath for what the guest only reads; made if it is needed
 */
export function runDirectoryAt(path: string, inPath: string = join(path, "in")): RunDirectory {
  const control = controlDirectoryAt(path, inPath);
  return {
    path,
    bundle: path,
    // Short, since the control socket below it must fit into a sockaddr_un (108 bytes, unix(7)).
    state: join(path, "s"),
    log: join(path, "runsc.log"),
    panicLog: join(path, "panic.log"),
    pidFile: join(path, "pid"),
    meminfo: join(path, "meminfo"),
    root: join(path, "root"),
    output: join(path, "output"),
    control,
  };
}

const CONTAINER_ID_CHARS = 12;

/**
 * The command line of `runsc run` for one bundle. No debug log: it costs 125 KB a run. Files are accessed exclusively,
 * since nothing but the sandbox touches its inputs and /output while it runs.
 * @param id its tail names the container: runsc puts that into the name of a socket, whose path must stay short
 */
export function runscRunArgv(
  runsc: RunscOptions,
  directory: RunDirectory,
  id: string,
  network: NetworkMode = "none",
): string[] {
  return [
    runsc.path,
    `--root=${directory.state}`,
    `--platform=${runsc.platform}`,
    `--network=${network}`,
    "--file-access-mounts=exclusive",
    `--panic-log=${directory.panicLog}`,
    `--log=${directory.log}`,
    "--log-format=json",
    "--ignore-cgroups",
    ...(runsc.rootless ? ["--rootless"] : []),
    "run",
    `--bundle=${directory.bundle}`,
    `--pid-file=${directory.pidFile}`,
    id.slice(-CONTAINER_ID_CHARS),
  ];
}
