import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { findExecutable } from "../../src/platform/find-executable.ts";
import { until } from "../../test/support/leftovers.ts";
import { parseStraceCounts, type SyscallCounts } from "./strace-counts.ts";

/**
 * Counts the system calls of a process while something goes on: of all the threads that it has at the start, and not of
 * its children, which are sandboxes that trace processes of their own and bear no tracer.
 * @param file where strace writes
 * @returns null where there is no strace
 * @throws Error when strace may not trace it
 */
export async function traceService(
  pid: number,
  file: string,
  work: () => Promise<void>,
): Promise<SyscallCounts | null> {
  const strace = await findExecutable("strace", [], process.env.PATH ?? "");
  if (strace === null) return null;
  const threads = await readdir(`/proc/${pid}/task`);
  const args = ["-c", "-U", "time,total-time,avg-time,calls,errors,name", "-o", file];
  const child = spawn(strace, [...args, ...threads.flatMap((thread) => ["-p", thread])], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = once(child, "exit");
  let log = "";
  child.stderr.on("data", (chunk) => {
    log += chunk;
  });
  try {
    await until(() => child.exitCode !== null || log.split(" attached").length > threads.length);
    if (child.exitCode !== null) throw new Error(`Cannot trace the service: ${log.trim()}`);
    await work();
  } finally {
    child.kill("SIGINT");
    await exited;
  }
  return parseStraceCounts(await readFile(file, "utf8"));
}
