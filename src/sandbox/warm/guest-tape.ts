import { posix } from "node:path";
import type { RunLimits } from "../../config/config.ts";
import { type GuestUser, NOBODY, TMP_SIZE_BYTES } from "../spec.ts";
import { commandCandidates } from "./command-candidates.ts";
import { guestControl } from "./control-directory.ts";
import { AT_FDCWD, ensurePlace, type WriteRecord } from "./ensure-place.ts";
import type { GuestArch } from "./guest-init.ts";
import { beganEntry, type Step, stepNumber } from "./report.ts";
import { systemCallsOf } from "./system-calls.ts";
import { buildTape, FAILED, IF_ERRNO, LAST_FAILURE, LAST_FAILURE_BYTES, type TapeRecord } from "./tape.ts";

/** What a sandbox that waits is to become. */
export interface GuestTapeInput {
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** Absolute and normalised. */
  readonly cwd: string;
  readonly user: GuestUser;
  readonly limits: Pick<RunLimits, "nofile" | "pids_limit">;
  /** Files in the control directory's `inputs`. Destinations are checked by `checkMountDestinations`. */
  readonly inputs: readonly { readonly name: string; readonly destination: string }[];
  /** Whether the guest's input follows the tape; without it, the guest has /dev/null. */
  readonly hasStdin: boolean;
}

/** The exit code of a start that failed; the report tells why. */
export const START_FAILED_EXIT_CODE = 125;

const AT_REMOVEDIR = 0x200;
const [O_RDONLY, O_WRONLY, O_CLOEXEC] = [0, 1, 0o2000000];
/** gVisor then writes at once, and not when the file system goes. */
const O_DIRECT = { x64: 0o40000, arm64: 0o200000 };
const [MS_RDONLY, MS_NOSUID, MS_NODEV, MS_BIND] = [1, 2, 4, 4096];
const MNT_DETACH = 2;
const [RLIMIT_NPROC, RLIMIT_NOFILE] = [6, 7];
const X_OK = 1;
const [ENOENT, EACCES] = [2, 13];
const LINUX_CAPABILITY_VERSION_3 = 0x20080522;
const STANDARD_STREAMS = [0, 1, 2];
/** The first free one. */
const REPORT_FD = 3;
/** What gVisor has when it makes mount points, and what guests have. */
const [OPEN_UMASK, GUEST_UMASK] = [0, 0o022];
/** There is more in them once there is a process, as the first program is one: a directory of its own, and its file. */
const KERNEL_PLACES = ["/proc/", "/dev/", "/sys/"];
const OUTPUT = "/output";

/**
 * The tape that makes a waiting sandbox, as `bootSpec` describes it, what `buildSpec` makes of the same request. All is
 * as in a sandbox booted for it, or the command does not start: then the report tells the step, nothing of the client's
 * has run, and the request can still have a sandbox booted for it. That is the answer to whatever is wrong with the
 * request: it is told there, in the words that clients know. Pure.
 *
 * The order: what needs privileges, with the mounts first; then the privileges go; then what the guest's own rights
 * decide, as gVisor has it: the working directory, and the search for the command.
 * @returns null for what no tape can do
 */
export function guestTape(arch: GuestArch, input: GuestTapeInput): Uint8Array | null {
  const candidates = commandCandidates(input.args[0] ?? "", input.env, input.cwd);
  if (candidates.length === 0 || [input.cwd, ...candidates].some(isKernelPlace)) return null;
  const calls = systemCallsOf(arch);
  const during =
    (step: Step): WriteRecord =>
    (call, args, jumps = {}) => ({ call: calls[call], args, step: stepNumber(step), ...jumps });
  return buildTape([
    ...openReport(during("report"), arch),
    ...mountInputs(during("inputs"), input),
    ...own(during("owner"), input),
    ...makeCwd(during("cwd"), input),
    ...hideControl(during("control")),
    ...emptyStdin(during("stdin"), input),
    ...setLimits(during("limits"), input),
    ...becomeUser(during("user"), input),
    ...enterCwd(during("cwd"), input),
    ...startCommand(during("command"), input, candidates),
    ...reportFailure(during("report")),
  ]);
}

function isKernelPlace(path: string): boolean {
  return KERNEL_PLACES.some((place) => posix.normalize(path).startsWith(place));
}

function openReport(write: WriteRecord, arch: GuestArch): TapeRecord[] {
  const flags = O_WRONLY | O_CLOEXEC | O_DIRECT[arch];
  return [write("openat", [AT_FDCWD, guestControl.report, flags])];
}

/** The mounts keep the read-only of the one that they are taken from. */
function mountInputs(write: WriteRecord, { inputs }: GuestTapeInput): TapeRecord[] {
  const made = new Set<string>();
  const mounts = inputs.flatMap(({ name, destination }) => [
    ...ensurePlace(write, destination, "file", made),
    write("mount", [
      `${guestControl.inputs}/${name}`,
      destination,
      0,
      MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV,
      0,
    ]),
  ]);
  return [write("umask", [OPEN_UMASK]), ...mounts];
}

/** It was made for nobody. The standard streams are root's by now: they can be opened anew, in /proc, by their owner. */
function own(write: WriteRecord, { user: { uid, gid } }: GuestTapeInput): TapeRecord[] {
  const streams = STANDARD_STREAMS.map((fd) => write("fchown", [fd, uid, gid]));
  if (uid === NOBODY.uid && gid === NOBODY.gid) return streams;
  return [...streams, write("fchownat", [AT_FDCWD, OUTPUT, uid, gid, 0])];
}

/** An empty tmpfs where the image has no such directory; whatever else is wrong shows when it is entered. */
function makeCwd(write: WriteRecord, { cwd, user }: GuestTapeInput): TapeRecord[] {
  const restore = write("umask", [GUEST_UMASK]);
  if (cwd.startsWith(`${OUTPUT}/`)) return [restore];
  const options = `mode=755,uid=${user.uid},gid=${user.gid},size=${TMP_SIZE_BYTES}`;
  const making = [
    ...ensurePlace(write, cwd, "directory"),
    write("mount", ["tmpfs", cwd, "tmpfs", MS_NOSUID | MS_NODEV, options]),
  ];
  return [
    write("chdir", [cwd], { ok: making.length + 2, fail: 1 }),
    { call: IF_ERRNO, args: [ENOENT], step: 0, fail: making.length + 1 },
    ...making,
    restore,
  ];
}

function hideControl(write: WriteRecord): TapeRecord[] {
  const { directory, in: inside, out } = guestControl;
  return [
    ...[inside, out].map((mount) => write("umount2", [mount, MNT_DETACH])),
    ...[inside, out, directory].map((path) => write("unlinkat", [AT_FDCWD, path, AT_REMOVEDIR])),
  ];
}

function emptyStdin(write: WriteRecord, { hasStdin }: GuestTapeInput): TapeRecord[] {
  if (hasStdin) return [];
  return [write("close", [0]), write("openat", [AT_FDCWD, "/dev/null", O_RDONLY])];
}

/** Those of `buildSpec` that are a request's own; the rest have been set since the boot. */
function setLimits(write: WriteRecord, { limits, user }: GuestTapeInput): TapeRecord[] {
  const set = (resource: number, value: number | null) =>
    value === null ? [] : [write("prlimit64", [0, resource, rlimit(value), 0])];
  const { nofile, pids_limit } = limits;
  // gVisor counts the first program as root's for good, as which it was started: others are to have one fewer.
  const counted = pids_limit === null || user.uid === 0 ? pids_limit : pids_limit - 1;
  return [...set(RLIMIT_NOFILE, nofile), ...set(RLIMIT_NPROC, counted)];
}

/** struct rlimit64 of getrlimit(2), soft and hard. */
function rlimit(value: number): Uint8Array {
  return new Uint8Array(new BigUint64Array([BigInt(value), BigInt(value)]).buffer);
}

/** The bounding set is empty since the boot. Root loses its capabilities only by being told so. */
function becomeUser(write: WriteRecord, { user: { uid, gid } }: GuestTapeInput): TapeRecord[] {
  const header = new Uint8Array(new Uint32Array([LINUX_CAPABILITY_VERSION_3, 0]).buffer);
  const none = new Uint8Array(24);
  return [
    write("setgroups", [0, 0]),
    write("setresgid", [gid, gid, gid]),
    write("setresuid", [uid, uid, uid]),
    write("capset", [header, none]),
  ];
}

/** Below /output it is the guest's own directory. */
function enterCwd(write: WriteRecord, { cwd }: GuestTapeInput): TapeRecord[] {
  const names = cwd.startsWith(`${OUTPUT}/`) ? cwd.slice(OUTPUT.length + 1).split("/") : [];
  const paths = names.map((_, index) => [OUTPUT, ...names.slice(0, index + 1)].join("/"));
  return [...paths.map((path) => write("mkdirat", [AT_FDCWD, path, 0o777])), write("chdir", [cwd])];
}

/** The first in PATH that may be executed, and no other whatever becomes of it. */
function startCommand(
  write: WriteRecord,
  input: GuestTapeInput,
  candidates: readonly string[],
): TapeRecord[] {
  const isSearched = !input.args[0]?.includes("/");
  const tries = candidates.flatMap((path, index) => {
    const start = write("execve", [path, input.args, input.env]);
    if (!isSearched) return [start];
    const another = (records: number) => (index === candidates.length - 1 ? FAILED : records);
    return [
      write("faccessat", [AT_FDCWD, path, X_OK], { ok: 3, fail: 1 }),
      { call: IF_ERRNO, args: [ENOENT], step: 0, ok: another(3), fail: 1 },
      { call: IF_ERRNO, args: [EACCES], step: 0, ok: another(2) },
      start,
    ];
  });
  return [write("write", [REPORT_FD, beganEntry(), LAST_FAILURE_BYTES]), ...tries];
}

const EXIT = "exit";

/** Without a report there is nowhere to write to, and the exit code says it all. */
function reportFailure(write: WriteRecord): TapeRecord[] {
  return [
    write("write", [REPORT_FD, LAST_FAILURE, LAST_FAILURE_BYTES], { label: FAILED, fail: EXIT }),
    write("exit_group", [START_FAILED_EXIT_CODE], { label: EXIT, ok: EXIT }),
  ];
}
