import { NO_NETWORK } from "../../src/sandbox/guest-network.ts";
import type { Guest } from "../../src/sandbox/sandbox.ts";
import { NOBODY } from "../../src/sandbox/spec.ts";

/** A guest as plain as can be. */
export const GUEST: Guest = {
  args: ["true"],
  env: ["PATH=/bin"],
  cwd: "/",
  user: NOBODY,
  limits: { cpu_cores: 1, memory_mb: 256, wall_clock_secs: 30, pids_limit: 64, nofile: 256 },
  rootfs: "/images/x.erofs",
  rootfsType: "erofs",
  inputs: [],
  network: NO_NETWORK,
  stdin: undefined,
};
