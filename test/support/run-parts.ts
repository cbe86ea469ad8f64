import { join } from "node:path";
import { silentLog } from "../../src/core/log.ts";
import { createIsForbidden } from "../../src/network/egress/create-is-forbidden.ts";
import { withoutNetworks } from "../../src/network/networks.ts";
import type { ExecuteParts } from "../../src/run/execute.ts";
import type { NetworkParts } from "../../src/run/network/open-network.ts";
import type { RunnerLimits } from "../../src/run/runner.ts";
import type { RunRequest } from "../../src/run/types.ts";
import type { SandboxExit } from "../../src/sandbox/inspect-exit.ts";
import { makeRunDirectory } from "../../src/sandbox/run-directory.ts";
import type { ProcessLimits, StopReason } from "../../src/sandbox/run-process.ts";
import { NOBODY } from "../../src/sandbox/spec.ts";
import { platform } from "./platform.ts";
import { strictCleanup } from "./strict-cleanup.ts";

/** A request that fits, for a run that names no files. */
export const REQUEST: RunRequest = {
  image: "local/fake:1",
  cmd: ["true"],
  env: [],
  cwd: undefined,
  useEntrypoint: false,
  user: undefined,
  pull: "missing",
  limits: {},
  files: [],
  inlineFiles: [],
  stdin: undefined,
  persist: false,
  onOutputLimit: "fail",
  network: "none",
  egress: undefined,
  bandwidth_kbps: undefined,
};

/** Bounds of a runner, roomy but for what the test states. */
export function runnerLimits(stated: Partial<RunnerLimits> = {}): RunnerLimits {
  return {
    max_concurrent_runs: 2,
    max_queued_runs: 2,
    max_reserved_memory_mb: 100_000,
    max_limits: { cpu_cores: null, memory_mb: null, wall_clock_secs: null, pids_limit: null, nofile: null },
    ...stated,
  };
}

/** A guest in the fake sandbox. It goes on until it is told to finish, or until its signal aborts. */
export interface FakeGuest {
  readonly signal: AbortSignal;
  say(stream: "stdout" | "stderr", text: string): void;
  finish(status?: { code: number }, stdout?: string): void;
}

/** Steers the fake image store. */
export interface FakeImages {
  /** Acquisitions asked for so far. */
  acquired: number;
  /** What acquiring throws, if anything. */
  failing: Error | null;
  /** What acquiring waits for; the signal's abort ends that as in the real one. */
  pulling: Promise<unknown>;
  /** What the release of a lease waits for. */
  releasing: Promise<unknown>;
}

/** Steers the fake sandbox. */
export interface FakeSandbox {
  /** Guests started so far. */
  started: number;
  /** The next guest, as soon as it was started. */
  next(): Promise<FakeGuest>;
}

/**
 * The parts of a run without an image, a file or a process.
 * @param runsDirectory holds the directories of runs, which are called pad-1, pad-2 and so on
 */
export function fakeParts(runsDirectory: string) {
  const images: FakeImages = {
    acquired: 0,
    failing: null,
    pulling: Promise.resolve(),
    releasing: Promise.resolve(),
  };
  const { sandbox, run } = fakeSandbox();
  const parts = {
    sandbox: {
      run,
      place: placesIn(runsDirectory),
      refill: () => {},
      enforced: { memory: true, cpu: true, pids: true },
    },
    images: { acquire: (_: string, { signal }: { signal: AbortSignal }) => acquire(images, signal) },
    files: {
      hold: async () => ({ paths: [], release: async () => {} }),
      captureOutputs: async () => ({ outputs: [], skipped: [], limit_exceeded: null }),
    },
    network: noNetworks(),
    config: {
      defaults: { cpu_cores: 1, memory_mb: 256, wall_clock_secs: 30, pids_limit: 64, nofile: 256 },
      allow_root_user: false,
      output_limit_bytes: 1000,
      output_files_limit_bytes: 1000,
      output_files_limit_count: 10,
    },
  };
  return { parts: parts as unknown as ExecuteParts, images, sandbox };
}

/** What a host without networks for runs has. */
export function noNetworks(): NetworkParts {
  return {
    networks: withoutNetworks("this is a test"),
    operator: { allow: null, deny: [], private_allow: [] },
    isForbidden: createIsForbidden(undefined),
    config: { dns_servers: ["192.0.2.53"], allow_host_network: false, max_bandwidth_kbps: null },
    log: silentLog,
  };
}

/** Makes places whose launchpads are directories only. */
function placesIn(runsDirectory: string) {
  let made = 0;
  return async () => {
    const id = `pad-${++made}`;
    const cleanup = strictCleanup();
    const room = { max_bytes: 1000, max_files: 10, max_entries: 20 };
    const path = join(runsDirectory, id);
    const directory = await makeRunDirectory(path, join(path, "in"), NOBODY, room, platform, cleanup);
    return { booted: null, pad: { id, cleanup, ...directory } };
  };
}

async function acquire(images: FakeImages, signal: AbortSignal) {
  images.acquired += 1;
  const aborted = new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  await Promise.race([images.pulling, aborted]);
  if (images.failing) throw images.failing;
  const config = { env: [], working_dir: "/", entrypoint: [], cmd: [], user: "" };
  const image = {
    digest: `sha256:${"0".repeat(64)}`,
    reference: "local/fake:1",
    rootfs: "/fake.erofs",
    rootfs_type: "erofs",
    user: { uid: 0, gid: 0 },
    config,
  };
  return { image, release: () => images.releasing };
}

function fakeSandbox() {
  const waiting: ((guest: FakeGuest) => void)[] = [];
  const unclaimed: FakeGuest[] = [];
  const sandbox: FakeSandbox = {
    started: 0,
    next: () =>
      new Promise((resolve) => {
        const guest = unclaimed.shift();
        if (guest) resolve(guest);
        else waiting.push(resolve);
      }),
  };
  function run(_place: unknown, _guest: unknown, { signal, onOutput }: ProcessLimits): Promise<SandboxExit> {
    sandbox.started += 1;
    const said = { stdout: "", stderr: "" };
    return new Promise((resolve) => {
      const guest: FakeGuest = {
        signal,
        say(stream, text) {
          said[stream] += text;
          onOutput?.(stream, Buffer.from(text), Buffer.from(said[stream]));
        },
        finish: ({ code } = { code: 0 }, stdout = "") => resolve(sandboxExit(code, stdout, null)),
      };
      signal.addEventListener("abort", () => resolve(sandboxExit(137, "", "canceled")));
      const claim = waiting.shift();
      if (claim) claim(guest);
      else unclaimed.push(guest);
    });
  }
  return { sandbox, run };
}

function sandboxExit(code: number, stdout: string, stop: StopReason | null): SandboxExit {
  const output = (text: string) => ({ bytes: new TextEncoder().encode(text), truncated: false });
  const status = { code, signal: null };
  return {
    status,
    stop,
    stdout: output(stdout),
    stderr: output(""),
    wall_ms: 1,
    started: true,
    startFailure: null,
    panic: null,
    oomKilled: false,
    usage: null,
    warm: false,
  };
}
