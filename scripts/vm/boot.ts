import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { createInterface } from "node:readline";
import { lastLines } from "../setup/command.ts";

/** What a virtual machine is started from. */
export interface Machine {
  /** Path of qemu-system-x86_64. */
  qemu: string;
  kernel: string;
  /** The root file system as a cpio archive; its `/init` writes to `/dev/ttyS1` what is to be told. */
  initrd: string;
  /** File that takes what the kernel says. */
  consoleLog: string;
}

/** A longer life than this, in the machine's time or in ours, is ended. */
const TIME_LIMIT_SECS = 900;
const MEMORY_MB = 3072;
/** At least two, so that a guest sees what it was given; more than this machine has would wait for each other. */
const PROCESSORS = Math.max(2, Math.min(4, availableParallelism()));

/**
 * Boots a machine without devices but two serial ports, by software emulation, and waits until it is off.
 *
 * @param onLine takes each line that the machine tells
 * @returns why it ended otherwise than by itself, or undefined
 */
export async function boot(
  machine: Machine,
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<string | undefined> {
  // The machine must not outlive this process, however that ends.
  const argv = ["--pdeathsig", "KILL", machine.qemu, ...qemuArguments(machine)];
  const child = spawn("setpriv", argv, { stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<string | undefined>((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code, killed) =>
      resolve(code === 0 ? undefined : `qemu ended with ${killed ?? code}`),
    );
  });
  let complaints = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaints += text;
  });
  createInterface({ input: child.stdout }).on("line", onLine);
  let reason: string | undefined;
  const end = (why: string) => {
    reason = why;
    child.kill("SIGKILL");
  };
  const timer = setTimeout(() => end(`ended after ${TIME_LIMIT_SECS} s`), TIME_LIMIT_SECS * 1000);
  const abort = () => end("stopped before the end");
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  const fault = await ended;
  clearTimeout(timer);
  signal.removeEventListener("abort", abort);
  return reason ?? (fault && `${fault}: ${lastLines(complaints, 3)}`);
}

function qemuArguments({ kernel, initrd, consoleLog }: Machine): string[] {
  return [
    ["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"],
    ["-machine", "pc", "-accel", "tcg,thread=multi", "-cpu", "max"],
    ["-smp", `${PROCESSORS}`, "-m", `${MEMORY_MB}`],
    ["-serial", `file:${consoleLog.replaceAll(",", ",,")}`, "-serial", "stdio"],
    ["-kernel", kernel, "-initrd", initrd, "-append", kernelCommandLine()],
  ].flat();
}

/** What follows `--` is for init. The emulated TSC is exact, and far quicker to read than what else tells the time. */
function kernelCommandLine(): string {
  return `console=ttyS0 quiet panic=-1 cgroup_no_v1=all mitigations=off tsc=reliable -- ${TIME_LIMIT_SECS}`;
}
