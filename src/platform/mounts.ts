import { constants } from "node:os";
import type { Platform } from "./platform.ts";
import { runCommand } from "./run-command.ts";

/** How a tmpfs is mounted; see tmpfs(5). */
export interface TmpfsOptions {
  /** Most that its files may hold; the kernel rounds it up to whole pages. */
  readonly size_bytes: number;
  /** Most files, directories, links and the like in it, its root included; each name of a hard-linked file counts. */
  readonly inodes: number;
  /** Owner of its root, which nobody else may enter. */
  readonly uid: number;
  readonly gid: number;
}

/** What a server may mount, given CAP_SYS_ADMIN. Errors carry their errno name as `code`, EPERM without the capability. */
export interface Mounts {
  /** Mounts an empty tmpfs over a directory, nosuid and nodev. */
  tmpfs(path: string, options: TmpfsOptions): Promise<void>;
  /**
   * Takes what is mounted at a path out of sight at once, as with MNT_DETACH of umount2(2), whoever still uses it.
   * Settles when the memory of an unused tmpfs is free again.
   */
  unmount(path: string): Promise<void>;
}

/** mount(2) and umount2(2) of the C library. Both give 0 or the errno; strings end with NUL. */
export interface MountCalls {
  mount(source: Uint8Array, target: Uint8Array, type: Uint8Array, flags: number, data: Uint8Array): number;
  /** Frees what memory there is to free in another thread: a gigabyte takes a quarter of a second. */
  umount(target: Uint8Array, flags: number): Promise<number>;
}

/** What the mounts of ours are called in mountinfo. */
const SOURCE = "boxer";
/** Of sys/mount.h. */
const MS_NOSUID = 2;
const MS_NODEV = 4;
const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;

const errnoNames = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name] as const));

/**
 * The {@link Mounts} of a runtime. The C library is called directly, which takes a tenth of a millisecond; mount(8) and
 * umount(8), two processes for each run, take some ten.
 * @param loadCalls null where the C library cannot be called: then the programs are used
 */
export function createMounts(loadCalls: () => MountCalls | null, platform: Pick<Platform, "spawn">): Mounts {
  let loaded: Mounts | undefined;
  const mounts = () => {
    const calls = loaded ? null : loadCalls();
    loaded ??= calls ? mountsByCall(calls) : mountsByProgram(platform);
    return loaded;
  };
  return {
    tmpfs: (path, options) => mounts().tmpfs(path, options),
    unmount: (path) => mounts().unmount(path),
  };
}

/** {@link Mounts} by system calls. */
export function mountsByCall(calls: MountCalls): Mounts {
  return {
    async tmpfs(path, options) {
      const [source, type, data] = [text(SOURCE), text("tmpfs"), text(optionsText(options))];
      check(calls.mount(source, text(path), type, MS_NOSUID | MS_NODEV, data), `mount a tmpfs at ${path}`);
    },
    async unmount(path) {
      check(await calls.umount(text(path), MNT_DETACH | UMOUNT_NOFOLLOW), `unmount ${path}`);
    },
  };
}

/** {@link Mounts} by mount(8) and umount(8). */
export function mountsByProgram(platform: Pick<Platform, "spawn">): Mounts {
  const run = async (argv: readonly string[], what: string) => {
    const { succeeded, stderr } = await runCommand(platform, argv);
    if (succeeded) return;
    const code = /permi|superuser|are you root/.test(stderr) ? "EPERM" : undefined;
    throw Object.assign(new Error(`Cannot ${what}: ${stderr}`), { code });
  };
  return {
    tmpfs: (path, options) =>
      run(
        ["mount", "-t", "tmpfs", "-o", `nosuid,nodev,${optionsText(options)}`, SOURCE, path],
        `mount a tmpfs at ${path}`,
      ),
    unmount: (path) => run(["umount", "-l", path], `unmount ${path}`),
  };
}

function optionsText({ size_bytes, inodes, uid, gid }: TmpfsOptions): string {
  return `mode=700,uid=${uid},gid=${gid},size=${size_bytes},nr_inodes=${inodes}`;
}

function text(value: string): Uint8Array {
  return Buffer.from(`${value}\0`);
}

function check(errno: number, what: string): void {
  if (errno === 0) return;
  const code = errnoNames.get(errno) ?? `errno ${errno}`;
  throw Object.assign(new Error(`Cannot ${what}: ${code}`), { code });
}
