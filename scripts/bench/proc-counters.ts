import { readFile, writeFile } from "node:fs/promises";

/** Since boot. */
export interface MachineCounters {
  /** Processor time that was not idle, of all cores together. */
  readonly busy_ms: number;
}

/** USER_HZ: fixed at 100 in what Linux tells user space on the architectures that gVisor has (time(7)). */
const MS_PER_TICK = 10;

/** Reads `/proc/stat` (proc_stat(5)). Pure. */
export function parseMachineCounters(stat: string): MachineCounters {
  const line = /^cpu +([\d ]+)$/m.exec(stat)?.[1] ?? "";
  // guest and guest_nice, the last two, are counted in user and nice already.
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = line.split(" ").map(Number);
  return { busy_ms: MS_PER_TICK * (user + nice + system + irq + softirq) };
}

/** The processor time that a process itself has used, without its children: of `/proc/pid/stat` (proc_pid_stat(5)). Pure. */
export function parseProcessCpuMs(stat: string): number {
  // The second field is the program's name in parentheses, which may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return MS_PER_TICK * (Number(fields[11] ?? 0) + Number(fields[12] ?? 0));
}

/** The most memory that a process ever had resident (VmHWM), in MB (2^20 bytes): of `/proc/pid/status`. Pure. */
export function parsePeakMemoryMb(status: string): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
}

export async function machineCounters(): Promise<MachineCounters> {
  return parseMachineCounters(await readFile("/proc/stat", "utf8"));
}

export async function processCpuMs(pid: number): Promise<number> {
  return parseProcessCpuMs(await readFile(`/proc/${pid}/stat`, "utf8"));
}

export async function peakMemoryMb(pid: number): Promise<number> {
  return parsePeakMemoryMb(await readFile(`/proc/${pid}/status`, "utf8"));
}

/** Lets the peak begin anew at what a process has now, where the kernel can (proc_pid_clear_refs(5)). */
export async function resetPeakMemory(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, "5").catch(() => {});
}
