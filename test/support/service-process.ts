import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sweepMounts } from "../../src/sandbox/sweep-mounts.ts";
import { mkfsPath, runscPath } from "./fixtures.ts";
import { until } from "./leftovers.ts";
import { platform } from "./platform.ts";
import type { RunAnswer } from "./service.ts";
import { WARM_MODE } from "./warm-mode.ts";

const ROOT = join(import.meta.dirname, "..", "..");
/** How each runtime, which is the one of the test, starts the service. By whole paths: a wrapper may change directories. */
const ENTRY = {
  bun: [join(ROOT, "src/main.ts")],
  deno: ["run", "-A", "--no-check", "--unstable-no-legacy-abort", join(ROOT, "src/main.deno.ts")],
} as const;

/** Writes a configuration file for a service that is to be a process of its own; returns its path. */
export async function writeServiceConfig(
  home: string,
  config: Record<string, unknown> = {},
): Promise<string> {
  const path = join(home, "config.json");
  const settings = {
    home,
    listen_addr: "127.0.0.1:0",
    ignore_cgroups: true,
    runsc_path: runscPath(),
    mkfs_erofs_path: mkfsPath(),
    shutdown_grace_secs: 2,
    prepared_runs: WARM_MODE ? 2 : 0,
    warm_pool: { max: WARM_MODE ? 4 : 0 },
    ...config,
  };
  await writeFile(path, JSON.stringify(settings));
  return path;
}

/** Removes the home of a service that may have been killed: what that has mounted stays for the next start to sweep. */
export async function removeHome(home: string): Promise<void> {
  const runs = join(home, "runs");
  if (existsSync(runs)) await sweepMounts(runs, platform);
  await rm(home, { recursive: true, force: true });
}

/** The service as a process of its own, for tests that kill it. */
export class ServiceProcess {
  readonly #child: ChildProcess;
  /** The exit code; null when a signal ended it. */
  readonly exited: Promise<number | null>;
  log = "";

  /** @param wrapper a command that is to start the runtime, such as prlimit(1) with its options */
  constructor(config: string, wrapper: readonly string[] = []) {
    const [program = "", ...args] = [
      ...wrapper,
      process.execPath,
      ...ENTRY[platform.name],
      "--config",
      config,
    ];
    this.#child = spawn(program, args, { cwd: ROOT, stdio: ["ignore", "ignore", "pipe"] });
    this.exited = once(this.#child, "exit").then(([code]) => code);
    this.#child.stderr?.on("data", (chunk) => {
      this.log += chunk;
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Where it serves, once it does. */
  async url(): Promise<string> {
    const find = () => /Boxer serves (http:\/\/\S+?)"/.exec(this.log)?.[1];
    await until(() => find() !== undefined || this.#child.exitCode !== null);
    return find() ?? assert.fail(this.log);
  }

  /** `POST /run` with a body as it is. */
  async run(body: Record<string, unknown>): Promise<RunAnswer> {
    const response = await fetch(`${await this.url()}/run`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  }

  /** Sends a signal unless it has ended, and waits for the end. */
  end(signal: NodeJS.Signals): Promise<number | null> {
    // Not the child's own kill(): after that, Deno reports the signal as the end, whatever the end was.
    const { pid, exitCode, signalCode } = this.#child;
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(pid, signal);
    return this.exited;
  }
}
