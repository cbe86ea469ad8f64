import { totalmem } from "node:os";
import type { Child, Platform } from "../../platform/platform.ts";
import { COMMAND_ENV, discardOutput } from "../../platform/run-command.ts";
import type { RunCgroup } from "../cgroup/types.ts";
import { withMemoryTotal, writeMemoryTotal } from "../guest-memory.ts";
import type { RunDirectory } from "../runsc.ts";

/** What a launcher is made with. */
export interface LauncherOptions {
  readonly directory: RunDirectory;
  readonly cgroup: RunCgroup;
  /** What it becomes when it is told nothing else. */
  readonly command: readonly string[];
  /** Whether it is to show gVisor the guest's limit as the machine's memory; see `canShowMemoryTotal`. */
  readonly shows_memory_total: boolean;
}

/** What is to start. */
export interface Launch {
  /** Another command than the usual one. */
  readonly command?: readonly string[];
  /** What the guest sees as the machine's memory; null: the host's. */
  readonly memory_mb: number | null;
  /** What comes on its stdin; undefined: it has /dev/null. */
  readonly stdin: Uint8Array | undefined;
}

/** A process that is in its place and waits to become a command. */
export interface Launcher {
  readonly child: Child;
  /** Whether it can still be launched. */
  readonly isWaiting: boolean;
  /**
   * Lets it become the command; the pid stays the same. Its stdin stays open where `keepsInput`.
   * @throws what writing gives, and Error for words that cannot be passed on; then it still waits
   */
  launch(launch: Launch, keepsInput?: boolean): Promise<void>;
  /** Ends it, unless it was launched. */
  dismiss(): Promise<void>;
}

const MIB = 1 << 20;

/**
 * For sh(1) of any make. A line says what its stdin is to be; then come the words of the command, a line each, to an
 * empty one; none stands for the usual command. read(1) takes no byte beyond its line: the rest is the guest's.
 */
const WAIT_SCRIPT = `IFS= read -r input || exit 0
IFS= read -r word || exit 0
[ -z "$word" ] || set --
while [ -n "$word" ]; do
  set -- "$@" "$word"
  IFS= read -r word || exit 0
done
[ "$input" = null ] && exec "$@" </dev/null
exec "$@"`;

const WAIT = ["sh", "-c", WAIT_SCRIPT, "sh"];

/**
 * Starts a process that enters the cgroups of a run and a mount namespace of its own, and there waits for
 * {@link Launcher.launch}: what costs 10 to 15 ms is done before anybody waits for it. It ends when the server does.
 * @throws what writing and `Platform.spawn` give
 */
export async function startLauncher(
  platform: Pick<Platform, "spawn">,
  { directory, cgroup, command, shows_memory_total }: LauncherOptions,
): Promise<Launcher> {
  let argv = [...WAIT, ...command];
  if (shows_memory_total) {
    writeMemoryTotal(directory.meminfo, totalmem() / MIB);
    argv = withMemoryTotal(argv, directory.meminfo);
  }
  const child = platform.spawn(cgroup.argv(argv, directory.log), { env: COMMAND_ENV, stdin: "pipe" });
  let wasLaunched = false;
  let hasEnded = false;
  void child.exited.finally(() => {
    hasEnded = true;
  });
  return {
    child,
    get isWaiting() {
      return !wasLaunched && !hasEnded;
    },
    async launch({ command: other = [], memory_mb, stdin }, keepsInput = false) {
      const lines = [stdin === undefined && !keepsInput ? "null" : "stdin", ...other.map(lineOf), ""];
      if (shows_memory_total && memory_mb !== null) writeMemoryTotal(directory.meminfo, memory_mb);
      wasLaunched = true;
      child.stdin?.write(Buffer.from(`${lines.join("\n")}\n`));
      if (stdin !== undefined) child.stdin?.write(stdin);
      if (!keepsInput) child.stdin?.end();
    },
    async dismiss() {
      if (wasLaunched) return;
      // Without its input it would end by itself, but not before it has started.
      child.kill("SIGKILL");
      discardOutput(child);
      await child.exited;
    },
  };
}

/** @throws Error for a word that would be taken for two, or for the end */
function lineOf(word: string): string {
  if (word === "" || word.includes("\n")) throw new Error(`a command cannot hold ${JSON.stringify(word)}`);
  return word;
}
