import { join, posix } from "node:path";
import { type Config, resolveLimits } from "../config/config.ts";
import type { CleanupStack } from "../core/cleanup-stack.ts";
import { BoxerError } from "../core/errors.ts";
import type { FileStore } from "../files/file-store.ts";
import type { Image, ImageLease, PullPolicy } from "../image/types.ts";
import type { Platform } from "../platform/platform.ts";
import { checkEnvironment, mergeEnvironment } from "../sandbox/environment.ts";
import { makeOutputCwd, makeRunDirectory } from "../sandbox/run-directory.ts";
import type { Guest, Sandbox } from "../sandbox/sandbox.ts";
import { chooseUser } from "./guest-user.ts";
import { checkInputs, provideInputs } from "./inputs.ts";
import { outcomeOf } from "./outcome.ts";
import type { RunRequest, RunResult } from "./types.ts";

/** The parts that a run is made of. */
export interface ExecuteParts {
  readonly platform: Platform;
  readonly sandbox: Sandbox;
  readonly images: {
    acquire(reference: string, options: { signal: AbortSignal; pull: PullPolicy }): Promise<ImageLease>;
  };
  readonly files: FileStore;
  /** Holds one directory for each run. */
  readonly runsDirectory: string;
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
  /** Aborts the run. */
  readonly signal: AbortSignal;
  /** Takes the undo of everything acquired; the caller runs it when the answer is known. */
  readonly cleanup: CleanupStack;
}

/** The three standard streams; with fewer, gVisor cannot start the guest. */
const MIN_NOFILE = 3;
/** NAME_MAX of limits.h. */
const MAX_NAME_BYTES = 255;
/** Directories below /output that are looked into. */
const MAX_OUTPUT_DEPTH = 64;

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
  const { cwd } = request;
  if (cwd?.split("/").some((name) => Buffer.byteLength(name) > MAX_NAME_BYTES)) {
    throw new BoxerError("invalid_request", "cwd holds a name that is too long", { field: "cwd" });
  }
  checkEnvironment(request.env);
  checkInputs(request);
}

/**
 * The straight line of a run: image, directory, inputs, sandbox, outcome, outputs.
 * @throws BoxerError when Boxer or its host fails; a program that fails is a result
 */
export async function execute(parts: ExecuteParts, request: RunRequest, run: RunContext): Promise<RunResult> {
  const begun = performance.now();
  const { config } = parts;
  const { image } = await acquireImage(parts, request, run);
  const user = chooseUser(request.user, image.config.user, config.allow_root_user);
  const directory = await makeRunDirectory(
    join(parts.runsDirectory, run.exec_id),
    user,
    parts.platform,
    run.cleanup,
  );
  const inputs = await provideInputs(parts.files, request, directory.inputs, run.cleanup);
  const limits = resolveLimits(request.limits, config.defaults, "default");
  const guest = guestOf(request, image, { id: run.exec_id, limits, user, inputs: inputs.mounts });
  await makeOutputCwd(directory, guest.cwd, user);
  const boot_ms = Math.round(performance.now() - begun);
  const exit = await parts.sandbox.run(directory, guest, {
    wall_clock_ms: limits.wall_clock_secs === null ? null : limits.wall_clock_secs * 1000,
    output_limit_bytes: config.output_limit_bytes,
    signal: run.signal,
  });
  const outcome = outcomeOf(exit, guest.args[0] ?? "");
  const outputLimits = {
    max_bytes: config.output_files_limit_bytes,
    max_files: config.output_files_limit_count,
    max_depth: MAX_OUTPUT_DEPTH,
  };
  const captured = await parts.files.captureOutputs(
    directory.output,
    run.exec_id,
    outputLimits,
    request.persist,
  );
  await inputs.settle();
  const overfull = captured.limit_exceeded !== null && exit.stop === null;
  return {
    ...outcome,
    status: overfull ? "output_files_limit" : outcome.status,
    exec_id: run.exec_id,
    stdout_truncated: exit.stdout.truncated,
    stderr_truncated: exit.stderr.truncated,
    wall_ms: exit.wall_ms,
    queue_ms: run.queue_ms,
    boot_ms,
    image_digest: image.digest,
    outputs: captured.outputs,
    outputs_skipped: captured.skipped,
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
  rest: Pick<Guest, "id" | "limits" | "inputs" | "user">,
): Guest {
  return {
    ...rest,
    args: request.useEntrypoint ? [...image.config.entrypoint, ...request.cmd] : request.cmd,
    env: mergeEnvironment(image.config.env, request.env),
    cwd: normaliseCwd(request.cwd ?? (image.config.working_dir || "/")),
    rootfs: image.rootfs,
    stdin: request.stdin,
  };
}

/** Without `.`, `..` and a slash at the end; the root stays as it is. */
function normaliseCwd(path: string): string {
  return posix.normalize(path).replace(/(?<=.)\/$/, "");
}
