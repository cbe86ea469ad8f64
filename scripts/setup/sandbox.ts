import { join } from "node:path";

/** A mount of the OCI runtime specification. */
export interface Mount {
  destination: string;
  type: string;
  source: string;
  options?: string[];
}

/** The flags before `run` for a sandbox of set-up's own: no network, no cgroup, state under `dir`. */
export function sandboxFlags(platform: string, dir: string): string[] {
  const rootless = process.getuid?.() === 0 ? [] : ["--rootless"];
  const state = `--root=${join(dir, "state")}`;
  return [state, `--platform=${platform}`, "--network=none", "--ignore-cgroups", ...rootless];
}

/** A minimal config.json of the OCI runtime specification that runs `args` as root of the sandbox. */
export function bundleConfig(args: readonly string[], rootfs: string, mounts: readonly Mount[] = []): object {
  const capabilities = ["CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_CHOWN"];
  return {
    ociVersion: "1.0.2",
    process: {
      user: { uid: 0, gid: 0 },
      args,
      env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/tmp", "LC_ALL=C.UTF-8"],
      cwd: "/",
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      noNewPrivileges: true,
    },
    root: { path: rootfs, readonly: false },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      { destination: "/tmp", type: "tmpfs", source: "tmpfs" },
      ...mounts,
    ],
    linux: { namespaces: ["pid", "network", "ipc", "uts", "mount"].map((type) => ({ type })) },
  };
}
