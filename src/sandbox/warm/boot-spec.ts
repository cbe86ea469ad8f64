import { NO_NETWORK } from "../guest-network.ts";
import { buildSpec, NOBODY, type SpecInput } from "../spec.ts";
import { type ControlDirectory, guestControl } from "./control-directory.ts";

/** All that the OCI configuration of a sandbox that is to wait depends on. */
export interface BootSpecInput
  extends Pick<SpecInput, "rootfs" | "rootfsType" | "emptyRoot" | "outputDirectory"> {
  readonly control: ControlDirectory;
}

/** What the tape needs, until it gives it up: see capabilities(7). */
const CAPABILITIES = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SYS_ADMIN",
  "CAP_SYS_RESOURCE",
];

/**
 * The OCI runtime configuration of a sandbox that waits for its tape: as that of a run without anything of a request,
 * and with the control directory. Its /output is to be nobody's. Pure.
 */
export function bootSpec({ control, ...image }: BootSpecInput): object {
  const nothing = { cpu_cores: null, memory_mb: null, wall_clock_secs: null, pids_limit: null, nofile: null };
  const spec = buildSpec({
    ...image,
    args: [guestControl.init],
    env: [],
    cwd: "/",
    user: NOBODY,
    limits: nothing,
    inputs: [{ source: control.in, destination: guestControl.in }],
    network: NO_NETWORK,
    makeCwd: false,
  }) as { process: object; mounts: object[] };
  const capabilities = { bounding: [], inheritable: [], ambient: [] };
  return {
    ...spec,
    process: {
      ...spec.process,
      user: { uid: 0, gid: 0 },
      capabilities: { ...capabilities, permitted: CAPABILITIES, effective: CAPABILITIES },
    },
    mounts: [
      ...spec.mounts,
      {
        destination: guestControl.out,
        type: "bind",
        source: control.out,
        options: ["rw", "nosuid", "nodev", "noexec"],
      },
    ],
  };
}
