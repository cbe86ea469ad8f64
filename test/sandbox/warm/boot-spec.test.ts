import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_NETWORK } from "../../../src/sandbox/guest-network.ts";
import { buildSpec, NOBODY } from "../../../src/sandbox/spec.ts";
import { bootSpec } from "../../../src/sandbox/warm/boot-spec.ts";
import { controlDirectoryAt, guestControl } from "../../../src/sandbox/warm/control-directory.ts";

interface Spec {
  process: Record<string, unknown> & { capabilities: Record<string, string[]> };
  mounts: { destination: string; source: string; options: string[] }[];
}

const image = {
  rootfs: "/images/a.erofs",
  rootfsType: "erofs",
  emptyRoot: "/empty",
  outputDirectory: "/run/out",
} as const;
const limits = { cpu_cores: null, memory_mb: null, wall_clock_secs: null, pids_limit: null, nofile: null };
const control = controlDirectoryAt("/run/control", "/run/control/in");
const spec = bootSpec({ ...image, control }) as Spec;
const cold = buildSpec({
  ...image,
  args: ["true"],
  env: [],
  cwd: "/",
  user: NOBODY,
  limits,
  inputs: [],
  network: NO_NETWORK,
  makeCwd: false,
}) as Spec;

test("a sandbox that waits is as one booted for a run but for its process and the control directory", () => {
  const { process, mounts, ...rest } = spec;
  const { process: coldProcess, mounts: coldMounts, ...coldRest } = cold;
  assert.deepEqual(rest, coldRest);
  assert.deepEqual(mounts.slice(0, coldMounts.length), coldMounts);
  const own = { args: coldProcess.args, user: coldProcess.user, capabilities: coldProcess.capabilities };
  assert.deepEqual({ ...process, ...own }, coldProcess);
  assert.deepEqual(process.args, [guestControl.init]);
});

test("its first program is root, with no more rights than the tape needs, and cannot hand them on", () => {
  assert.deepEqual(spec.process.user, { uid: 0, gid: 0 });
  assert.equal(spec.process.noNewPrivileges, true);
  const { permitted, effective, ...others } = spec.process.capabilities;
  assert.deepEqual(permitted, effective);
  assert.deepEqual(permitted?.toSorted(), [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SYS_ADMIN",
    "CAP_SYS_RESOURCE",
  ]);
  assert.deepEqual(others, { bounding: [], inheritable: [], ambient: [] });
});

test("the inputs cannot be written to, the report can", () => {
  const [inside, out] = spec.mounts.slice(cold.mounts.length);
  assert.deepEqual([inside?.destination, inside?.source], [guestControl.in, control.in]);
  assert.ok(inside?.options.includes("ro"));
  assert.deepEqual([out?.destination, out?.source], [guestControl.out, control.out]);
  assert.ok(out?.options.includes("rw"));
});
