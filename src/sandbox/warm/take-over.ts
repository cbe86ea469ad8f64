import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { CgroupUsage } from "../cgroup/types.ts";
import type { Guest } from "../sandbox.ts";
import type { BootedSandbox } from "./boot-sandbox.ts";
import type { GuestArch } from "./guest-init.ts";
import { guestTape } from "./guest-tape.ts";
import { parseReport } from "./report.ts";

/** The tape that makes a booted sandbox that of a guest, or null for a guest that has to have its own. Pure. */
export function tapeOf(arch: GuestArch, guest: Guest): Uint8Array | null {
  const inputs = guest.inputs.map(({ source, destination }) => ({ name: basename(source), destination }));
  return guestTape(arch, { ...guest, inputs, hasStdin: guest.stdin !== undefined });
}

/**
 * Sets what came with the run, and gives the sandbox its tape.
 * @returns what the sandbox has used before, by its boot and while it waited
 * @throws BoxerError as `RunCgroup.bound`
 */
export async function takeOver({ pad }: BootedSandbox, guest: Guest, tape: Uint8Array): Promise<CgroupUsage> {
  const { cgroup, launcher } = pad;
  // What the guest sees as its memory and its CPUs was settled by the boot, with the bounds that belong to them.
  const [before] = await Promise.all([
    cgroup.usage(),
    cgroup.bound({ memory_mb: null, cpu_cores: null, pids_limit: guest.limits.pids_limit }),
    cgroup.throttle(guest.limits),
  ]);
  const { stdin } = launcher.child;
  stdin?.write(tape);
  if (guest.stdin !== undefined) stdin?.write(guest.stdin);
  stdin?.end();
  return before;
}

/**
 * Whether nothing of the guest has run, so that it can still have a sandbox of its own: its start failed, or the sandbox
 * was gone before its tape came. The exit code may be the guest's own; the report is not.
 */
export async function neverBegan({ pad }: BootedSandbox): Promise<boolean> {
  const report = parseReport(await readFile(pad.directory.control.report));
  return report?.step !== "began";
}

/** What a run used beyond what was used before it. The peak of memory is that of both. Pure. */
export function usageSince(before: CgroupUsage, now: CgroupUsage): CgroupUsage {
  const since = (then: number | null, total: number | null) =>
    then === null || total === null ? total : Math.max(0, total - then);
  return {
    ...now,
    cpu_user_ms: since(before.cpu_user_ms, now.cpu_user_ms),
    cpu_system_ms: since(before.cpu_system_ms, now.cpu_system_ms),
  };
}
