import type { GuestArch } from "./guest-init.ts";

/** Numbers of the system calls on a tape, by their names in syscalls(2). */
export type SystemCalls = Readonly<Record<keyof typeof X64, number>>;

const X64 = {
  write: 1,
  close: 3,
  execve: 59,
  chdir: 80,
  fchown: 93,
  umask: 95,
  setgroups: 116,
  setresuid: 117,
  setresgid: 119,
  capset: 126,
  mount: 165,
  umount2: 166,
  exit_group: 231,
  openat: 257,
  mkdirat: 258,
  mknodat: 259,
  fchownat: 260,
  unlinkat: 263,
  readlinkat: 267,
  faccessat: 269,
  prlimit64: 302,
};

const ARM64: SystemCalls = {
  mknodat: 33,
  mkdirat: 34,
  unlinkat: 35,
  umount2: 39,
  mount: 40,
  faccessat: 48,
  chdir: 49,
  fchownat: 54,
  fchown: 55,
  openat: 56,
  close: 57,
  write: 64,
  readlinkat: 78,
  capset: 91,
  exit_group: 94,
  setresuid: 147,
  setresgid: 149,
  setgroups: 159,
  umask: 166,
  execve: 221,
  prlimit64: 261,
};

/** The numbers of a processor: of asm/unistd_64.h, and of asm-generic/unistd.h. */
export function systemCallsOf(arch: GuestArch): SystemCalls {
  return arch === "x64" ? X64 : ARM64;
}
