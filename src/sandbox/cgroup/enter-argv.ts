/** oom_score_adj of a sandbox (proc(5)): it is to go before anything else on the machine. */
const OOM_SCORE_ADJ = 500;

/**
 * For sh(1) of any make: $1 is a log, $2 the number of cgroups that follow, the rest the command. Neither names nor
 * command are ever parsed by the shell. A pid of 0 stands for the writer.
 */
const SCRIPT = `echo ${OOM_SCORE_ADJ} 2>/dev/null >/proc/self/oom_score_adj
log=$1 left=$2
shift 2
while [ "$left" -gt 0 ]; do
  if ! echo 0 2>/dev/null >"$1/cgroup.procs"; then
    echo '{"level":"error","msg":"cannot enter the cgroup of the run"}' >>"$log"
    exit 128
  fi
  shift
  left=$((left - 1))
done
exec "$@"`;

/**
 * A command line that enters cgroups before it becomes the command: no process of the run is ever outside. It costs one
 * shell and one wait for the kernel's readers of cgroups (RCU), in all some 5 to 10 ms, whatever their number.
 * @param failureLog is appended an error in the manner of runsc's log where one cannot be entered
 */
export function enterArgv(
  cgroups: readonly string[],
  command: readonly string[],
  failureLog: string,
): string[] {
  return ["/bin/sh", "-c", SCRIPT, "sh", failureLog, String(cgroups.length), ...cgroups, ...command];
}
