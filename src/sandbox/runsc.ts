import { join } from "node:path";
import type { Config } from "../config/config.ts";

/** How runsc is called. */
export interface RunscOptions {
  /** Path of the binary. */
  readonly path: string;
  readonly platform: Config["platform"];
  /** Whether the server is not root: runsc then makes a user namespace of its own. */
  readonly rootless: boolean;
}

/** The host paths of one run, all in a directory of its own. */
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
  /** Pinned input files. */
  readonly inputs: string;
}

/** Lays out a run's directory; touches nothing. */
export function runDirectoryAt(path: string): RunDirectory {
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
    inputs: join(path, "inputs"),
  };
}

/**
 * The command line of `runsc run` for one bundle. No debug log: it costs 125 KB a run. Files are accessed exclusively,
 * since nothing but the sandbox touches its inputs and /output while it runs.
 */
export function runscRunArgv(runsc: RunscOptions, directory: RunDirectory, containerId: string): string[] {
  return [
    runsc.path,
    `--root=${directory.state}`,
    `--platform=${runsc.platform}`,
    "--network=none",
    "--file-access-mounts=exclusive",
    `--panic-log=${directory.panicLog}`,
    `--log=${directory.log}`,
    "--log-format=json",
    "--ignore-cgroups",
    ...(runsc.rootless ? ["--rootless"] : []),
    "run",
    `--bundle=${directory.bundle}`,
    `--pid-file=${directory.pidFile}`,
    containerId,
  ];
}
