import type { StatedLimits } from "../config/config.ts";
import type { PullPolicy } from "../image/types.ts";
import type { StatedEgress } from "../network/egress/egress-rules.ts";
import type { NetworkMode } from "../sandbox/guest-network.ts";
import type { NetworkUsage } from "./network/open-network.ts";

/** What a client asks for, checked and in domain terms. */
export interface RunRequest {
  readonly image: string;
  readonly cmd: readonly [string, ...string[]];
  readonly env: readonly string[];
  /** Absolute path in the guest, or undefined for the image's own. */
  readonly cwd: string | undefined;
  /** Put the image's ENTRYPOINT before `cmd`. */
  readonly useEntrypoint: boolean;
  /** `image`, `uid` or `uid:gid`; undefined for nobody. */
  readonly user: string | undefined;
  /** When to ask the registry for the image. */
  readonly pull: PullPolicy;
  readonly limits: StatedLimits;
  /** Paths in the file store; each appears read-only at `/{path}`. */
  readonly files: readonly string[];
  /** Files that came with the request; they appear likewise. */
  readonly inlineFiles: readonly InlineFile[];
  readonly stdin: Uint8Array | undefined;
  /** Keep input files and captured outputs after the run. */
  readonly persist: boolean;
  /** What becomes of a run that writes more to stdout or stderr than fits: it is stopped, or the excess is dropped. */
  readonly onOutputLimit: "fail" | "truncate";
  readonly network: NetworkMode;
  /** What it may connect to with network=sandbox; undefined: all that the configuration permits. */
  readonly egress: StatedEgress | undefined;
  /** Bits a second / 1000, each way, with network=sandbox; undefined: the configured maximum. */
  readonly bandwidth_kbps: number | undefined;
}

export interface InlineFile {
  readonly path: string;
  readonly content: Uint8Array;
}

/**
 * How a run ended. A program that fails, is killed or runs into a limit is a result; only faults of Boxer or its host
 * are errors.
 */
export type RunStatus =
  | "ok"
  | "nonzero_exit"
  | "signaled"
  | "timed_out"
  | "oom_killed"
  | "output_limit"
  | "output_files_limit"
  | "canceled";

/** All that is known of a run that was started. */
export interface RunResult {
  readonly exec_id: string;
  readonly status: RunStatus;
  /** The guest's own, or 128+N when signal N ended it, 126 and 127 as a shell has them. */
  readonly exit_code: number;
  /** Name of the signal that ended the guest, such as `SIGKILL`. */
  readonly signal: string | null;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly stdout_truncated: boolean;
  readonly stderr_truncated: boolean;
  /** From the start of runsc to its end. */
  readonly wall_ms: number;
  /** Waiting for a free sandbox. */
  readonly queue_ms: number;
  /** From there to the start of runsc: image pull, files, bundle. */
  readonly boot_ms: number;
  /** Whether the sandbox had been booted before the request came. */
  readonly warm: boolean;
  /** What the sandbox as a whole has used, gVisor's own part included; null where cgroups do not tell. */
  readonly cpu_ms: CpuTime | null;
  readonly peak_memory_bytes: number | null;
  readonly image_digest: string;
  /** What the run did with its network; null without one of its own, and where the counters could not be read. */
  readonly network_usage: NetworkUsage | null;
  readonly outputs: readonly CapturedOutput[];
  readonly outputs_skipped: readonly SkippedOutput[];
  /** What was not as the request could expect, such as a limit that this host does not enforce. */
  readonly warnings: readonly string[];
}

/** Processor time in ms: in the programs, and in the kernel on their behalf. */
export interface CpuTime {
  readonly user: number;
  readonly system: number;
}

/** A file found in /output. */
export interface CapturedOutput {
  /** In the file store: `output/{exec_id}/{relative path}`. */
  readonly path: string;
  readonly size_bytes: number;
}

/** Something in /output that is not kept. */
export interface SkippedOutput {
  readonly path: string;
  readonly reason: string;
}
