import type { RunCgroup } from "../../../src/sandbox/cgroup/types.ts";
import { startLauncher } from "../../../src/sandbox/launchpad/launcher.ts";
import { runDirectoryAt } from "../../../src/sandbox/runsc.ts";
import { platform } from "../platform.ts";
import { PLAIN_ENV } from "../run-to-end.ts";

/** Starts a launcher and another process after it, tells the pids of both, and lives on. */
const cgroup = { argv: (command) => [...command] } as Partial<RunCgroup> as RunCgroup;
const options = {
  directory: runDirectoryAt("/nosuch"),
  cgroup,
  command: ["true"],
  shows_memory_total: false,
};
const { child } = await startLauncher(platform, options);
const other = platform.spawn(["sleep", "600"], { env: PLAIN_ENV });
console.log(child.pid, other.pid);
setInterval(() => {}, 60_000);
