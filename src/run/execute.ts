import { posix } from "node:path";
import { type Config, resolveLimits } from "../config/config.ts";
import type { CleanupStack } from "../core/cleanup-stack.ts";
import { BoxerError } from "../core/errors.ts";
import { settleAll } from "../core/settle-all.ts";
import type { FileStore } from "../files/file-store.ts";
import type { Image, ImageLease, PullPolicy } from "../image/types.ts";
import { checkEnvironment, mergeEnvironment } from "../sandbox/environment.ts";
import type { SandboxExit } from "../sandbox/inspect-exit.ts";
import type { OutputListener, ProcessLimits } from "../sandbox/run-process.ts";
import type { Guest, Sandbox } from "../sandbox/sandbox.ts";
import { unenforcedLimits } from "../sandbox/unenforced-limits.ts";
import { chooseUser } from "./guest-user.ts";
import { checkInputs, provideInputs } from "./inputs.ts";
import { type NetworkParts, networkCleanup, openNetwork } from "./network/open-network.ts";
import type { NetworkPlan } from "./network/plan-network.ts";
import { outcomeOf, statusAfterCapture } from "./outcome.ts";
import { outputRoomOf } from "./output-room.ts";
import type { RunPhase } from "./run-observer.ts";
import type { RunRequest, RunResult } from "./types.ts";

/** The parts that a run is made of. */
export interface ExecuteParts {
  readonly sandbox: Sandbox;
  readonly images: {
    acquire(reference: string, options: { signal: AbortSignal; pull: PullPolicy }): Promise<ImageLease>;
  };
  readonly files: FileStore;
  readonly network: NetworkParts;
  readonly config: Pick<
    Config,
    | "defaults"
    | "allow_root_user"
    | "output_limit_bytes"
    | "output_files_limit_bytes"
    | "output_files_limit_count"
  >;
}

/** One run under way. */
export interface RunContext {
  readonly exec_id: string;
  readonly queue_ms: number;
  /** The network that it is to have. */
  readonly network: NetworkPlan;
  /** Aborts the run. */
  readonly signal: AbortSignal;
  /** Takes the undo of everything acquired; the caller runs it when the answer is known. */
  readonly cleanup: CleanupStack;
  /** Is told how far the run is, which begins as `preparing`; and what names its sandbox on the host. */
  phase(phase: RunPhase, sandbox_id?: string): void;
  /** Is told of output as it comes. */
  readonly onOutput?: OutputListener | undefined;
}

/** The three standard streams; with fewer, gVisor cannot start the guest. */
const MIN_NOFILE = 3;
/** NAME_MAX of limits.h. */
const MAX_NAME_BYTES = 255;
/** Leaves room in PATH_MAX of limits.h for where /output lies on the host, and for its directories in a small tmpfs. */
const MAX_CWD_BYTES = 1024;

/**
 * Checks what can be checked before anything is acquired.
 * @throws BoxerError `invalid_request` or `invalid_path`, naming the field
 */
export function checkRequest(request: RunRequest): void {
  const { nofile } = request.limits;
  if (nofile && nofile < MIN_NOFILE) {
    const field = "limits.nofile";
    throw new BoxerError("invalid_request", `${field} must be >= ${MIN_NOFILE}`, { field });
  }
  checkCwd(request.cwd ?? "");
  checkEnvironment(request.env);
  checkInputs(request);
}

function checkCwd(cwd: string): void {
  const field = "cwd";
  if (Buffer.byteLength(cwd) > MAX_CWD_BYTES) {
    throw new BoxerError("invalid_request", `cwd must not be longer than ${MAX_CWD_BYTES} bytes`, { field });
  }
  if (cwd.split("/").some((name) => Buffer.byteLength(name) > MAX_NAME_BYTES)) {
    throw new BoxerError("invalid_request", "cwd holds a name that is too long", { field });
  }
}

/**
 * The straight line of a run: image, directory, inputs, sandbox, outcome, outputs.
 * @throws BoxerError when Boxer or its host fails; a program that fails is a result
 */
export async function execute(parts: ExecuteParts, request: RunRequest, run: RunContext): Promise<RunResult> {
  const begun = performance.now();
  const { config } = parts;
  const { image } = await acquireImage(parts, request, run);
  const user = chooseUser(request.user, image.user, config.allow_root_user);
  const limits = resolveLimits(request.limits, config.defaults, "default");
  const { rootfs, rootfs_type: rootfsType, digest } = image;
  // Before the launchpad, which is so given back first: the sandbox must not outlive its network.
  const undoNetwork = networkCleanup(parts.network, run.cleanup);
  const place = await parts.sandbox.place({
    image: digest,
    rootfs,
    rootfsType,
    limits,
    network: run.network,
  });
  const { pad } = place;
  run.cleanup.defer("launchpad", () => pad.cleanup.run());
  const { directory, outputFull } = pad;
  const [inputs, network] = await settleAll([
    provideInputs(parts.files, request, directory.control, run.cleanup),
    openNetwork(parts.network, run.network, directory.path, undoNetwork),
  ]);
  const guest = guestOf(request, image, { limits, user, inputs: inputs.mounts, network: network.guest });
  const boot_ms = Math.round(performance.now() - begun);
  run.phase("running", pad.id);
  const running: ProcessLimits = {
    wall_clock_ms: limits.wall_clock_secs === null ? null : limits.wall_clock_secs * 1000,
    output_limit_bytes: config.output_limit_bytes,
    drop_excess_output: request.onOutputLimit === "truncate",
    signal: run.signal,
    watches: [outputFull],
    onOutput: run.onOutput,
  };
  const exit = await parts.sandbox.run(place, guest, running);
  const outcome = outcomeOf(exit, guest.args[0] ?? "");
  run.phase("capturing");
  const wasFull = (await outputFull()) !== null;
  const [captured, network_usage] = await settleAll([
    parts.files.captureOutputs(directory.output, run.exec_id, outputRoomOf(config), request.persist),
    network.usage(),
  ]);
  await inputs.settle();
  return {
    ...outcome,
    status: statusAfterCapture(outcome, wasFull || captured.limit_exceeded !== null),
    exec_id: run.exec_id,
    stdout_truncated: exit.stdout.truncated,
    stderr_truncated: exit.stderr.truncated,
    wall_ms: exit.wall_ms,
    queue_ms: run.queue_ms,
    boot_ms,
    warm: exit.warm,
    ...usageOf(exit),
    image_digest: image.digest,
    network_usage,
    outputs: captured.outputs,
    outputs_skipped: captured.skipped,
    warnings: unenforcedLimits(limits, parts.sandbox.enforced),
  };
}

async function acquireImage(parts: ExecuteParts, request: RunRequest, run: RunContext): Promise<ImageLease> {
  const lease = await parts.images.acquire(request.image, { signal: run.signal, pull: request.pull });
  run.cleanup.defer("image lease", () => lease.release());
  return lease;
}

function guestOf(
  request: RunRequest,
  image: Image,
  rest: Pick<Guest, "limits" | "inputs" | "user" | "network">,
): Guest {
  return {
    ...rest,
    args: request.useEntrypoint ? [...image.config.entrypoint, ...request.cmd] : request.cmd,
    env: mergeEnvironment(image.config.env, request.env),
    cwd: normaliseCwd(request.cwd ?? (image.config.working_dir || "/")),
    rootfs: image.rootfs,
    rootfsType: image.rootfs_type,
    stdin: request.stdin,
  };
}

/** What the sandbox used, as far as its cgroups told. */
function usageOf({ usage }: SandboxExit): Pick<RunResult, "cpu_ms" | "peak_memory_bytes"> {
  const { cpu_user_ms: user, cpu_system_ms: system, peak_memory_bytes } = usage ?? {};
  return {
    cpu_ms: user == null || system == null ? null : { user, system },
    peak_memory_bytes: peak_memory_bytes ?? null,
  };
}

/** Without `.`, `..` and a slash at the end; the root stays as it is. */
function normaliseCwd(path: string): string {
  return posix.normalize(path).replace(/(?<=.)\/$/, "");
}
