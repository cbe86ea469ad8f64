import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { HostUsage } from "../dashboard-data.ts";

const KIB = 1024;
const MAX_SAMPLES = 60;
/** Closer samples tell nothing: the kernel counts in hundredths of a second. */
const MIN_AGE_MS = 500;

/** Reads a file of the kernel. */
export type ReadText = (path: string) => string;

/** Measures CPU and memory of the host by proc(5), when asked to. */
export class HostSampler {
  readonly #read: ReadText;
  readonly #now: () => number;
  #last: { at_ms: number; busy: number; total: number } | null = null;
  #cpu: number[] = [];
  #memory: number[] = [];
  #memory_used_bytes = 0;
  #memory_total_bytes = 0;

  constructor(read: ReadText = (path) => readFileSync(path, "utf8"), now: () => number = Date.now) {
    this.#read = read;
    this.#now = now;
  }

  /** Measures, unless that was done just now. */
  sample(): void {
    const at_ms = this.#now();
    if (this.#last && at_ms - this.#last.at_ms < MIN_AGE_MS) return;
    const { busy, total } = parseStat(this.#read("/proc/stat"));
    if (this.#last && total > this.#last.total) {
      this.#cpu = [...this.#cpu, (busy - this.#last.busy) / (total - this.#last.total)].slice(-MAX_SAMPLES);
    }
    this.#last = { at_ms, busy, total };
    const memory = parseMemory(this.#read("/proc/meminfo"));
    this.#memory_total_bytes = memory.total;
    this.#memory_used_bytes = memory.total - memory.available;
    this.#memory = [...this.#memory, this.#memory_used_bytes / memory.total].slice(-MAX_SAMPLES);
  }

  /** The last measurement, and those before. */
  usage(): HostUsage {
    return {
      cores: availableParallelism(),
      cpu_share: this.#cpu.at(-1) ?? null,
      memory_used_bytes: this.#memory_used_bytes,
      memory_total_bytes: this.#memory_total_bytes,
      cpu_history: this.#cpu,
      memory_history: this.#memory,
    };
  }
}

/** The first line of /proc/stat: user nice system idle iowait irq softirq steal, in hundredths of a second. */
function parseStat(text: string): { busy: number; total: number } {
  const fields = (/^cpu +(.*)$/m.exec(text)?.[1] ?? "").split(" ").map(Number).slice(0, 8);
  const total = fields.reduce((sum, value) => sum + value, 0);
  const [, , , idle = 0, iowait = 0] = fields;
  return { busy: total - idle - iowait, total };
}

function parseMemory(text: string): { total: number; available: number } {
  const bytes = (name: string) => KIB * Number(new RegExp(`^${name}: +(\\d+) kB$`, "m").exec(text)?.[1] ?? 0);
  return { total: bytes("MemTotal"), available: bytes("MemAvailable") };
}
