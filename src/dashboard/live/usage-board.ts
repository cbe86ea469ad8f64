import type { Cgroups, RunCgroup } from "../../sandbox/cgroup/types.ts";
import { namesOfFurther } from "../../sandbox/second-attempt.ts";
import type { SandboxUsage } from "../dashboard-data.ts";

interface Measured {
  readonly cgroup: RunCgroup;
  last: { at_ms: number; cpu_ms: number } | null;
  usage: SandboxUsage | null;
}

/** Knows the cgroups of the runs that go on, and measures them when asked to. */
export class UsageBoard {
  readonly #runs = new Map<string, Measured>();
  #isMeasuring = false;

  /** The same cgroups; those of each run are known here from when they are made until they are removed. */
  watch(cgroups: Cgroups): Cgroups {
    const create: Cgroups["create"] = async (id) => {
      const cgroup = await cgroups.create(id);
      this.#runs.set(id, { cgroup, last: null, usage: null });
      const remove = () => {
        this.#runs.delete(id);
        return cgroup.remove();
      };
      return { ...cgroup, remove };
    };
    return {
      mode: cgroups.mode,
      enforced: cgroups.enforced,
      unenforced: cgroups.unenforced,
      create,
      sweep: () => cgroups.sweep(),
      close: () => cgroups.close(),
    };
  }

  /** The last measurement of a run, of its second sandbox if it needed one; or null. */
  usageOf(sandbox_id: string): SandboxUsage | null {
    const latest = [...namesOfFurther(sandbox_id), sandbox_id].find((name) => this.#runs.has(name));
    return this.#runs.get(latest ?? "")?.usage ?? null;
  }

  /** Measures all runs, unless that goes on already. */
  async measure(): Promise<void> {
    if (this.#isMeasuring) return;
    this.#isMeasuring = true;
    try {
      // One after the other: it is a matter of microseconds each, and nobody waits.
      for (const measured of this.#runs.values()) await measure(measured);
    } finally {
      this.#isMeasuring = false;
    }
  }
}

async function measure(measured: Measured): Promise<void> {
  const { cpu_ms, memory_bytes, pids } = await measured.cgroup.current();
  const at_ms = performance.now();
  const { last } = measured;
  const cpu_cores =
    cpu_ms === null || last === null ? null : Math.max(0, (cpu_ms - last.cpu_ms) / (at_ms - last.at_ms));
  measured.last = cpu_ms === null ? null : { at_ms, cpu_ms };
  measured.usage = { cpu_cores, memory_bytes, tasks: pids };
}
