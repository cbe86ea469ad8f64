import { SetupError } from "./setup-error.ts";

/** One processor architecture by its name with each supplier. */
export interface Architecture {
  /** With Debian, and with OCI images. */
  debian: "amd64" | "arm64";
  /** With gVisor's releases. */
  gvisor: "x86_64" | "aarch64";
  /** Debian's name for the directory of its shared libraries. */
  triplet: string;
}

/** Translates Node's name. Throws {@link SetupError} for what gVisor does not run on. */
export function architectureOf(nodeArch: string): Architecture {
  if (nodeArch === "x64") return { debian: "amd64", gvisor: "x86_64", triplet: "x86_64-linux-gnu" };
  if (nodeArch === "arm64") return { debian: "arm64", gvisor: "aarch64", triplet: "aarch64-linux-gnu" };
  throw new SetupError(`gVisor runs on x86_64 and aarch64 only; this machine is ${nodeArch}`);
}
