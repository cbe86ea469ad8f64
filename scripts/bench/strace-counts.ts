/** System calls of some time, by what they are for. */
export interface SyscallCounts {
  readonly total: number;
  /** Files and directories opened. */
  readonly opens: number;
  /** Questions about a path: what it is, whether it is there, what a directory holds. */
  readonly lookups: number;
  /** Files and directories made, renamed, removed, or given other attributes. */
  readonly changes: number;
  /** Processes and threads made. */
  readonly starts: number;
}

const OPENS = /^(open|openat|openat2|creat)$/;
const LOOKUPS = /^(stat|lstat|newfstatat|statx|statfs|access|faccessat2?|readlink|readlinkat|getdents(64)?)$/;
const CHANGES =
  /^(mkdir|mkdirat|rmdir|unlink|unlinkat|rename|renameat2?|link|linkat|symlink|symlinkat|f?chmod|fchmodat2?|f?chown|lchown|fchownat|f?truncate|utimensat|mount|umount2|fsync|fdatasync)$/;
const STARTS = /^(fork|vfork|clone|clone3)$/;

/** Reads the table that `strace -c` writes. Pure. */
export function parseStraceCounts(table: string): SyscallCounts {
  // "% time  seconds  usecs/call  calls  [errors]  syscall"
  const rows = Array.from(
    table.matchAll(/^ *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?([a-z_]\w*)$/gm),
    ([, calls, name]) => ({ calls: Number(calls), name: name ?? "" }),
  ).filter(({ name }) => name !== "total");
  const sum = (kind: RegExp) =>
    rows.filter(({ name }) => kind.test(name)).reduce((all, { calls }) => all + calls, 0);
  return {
    total: sum(/./),
    opens: sum(OPENS),
    lookups: sum(LOOKUPS),
    changes: sum(CHANGES),
    starts: sum(STARTS),
  };
}
