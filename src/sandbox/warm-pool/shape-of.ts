import { MIN_CPUS } from "../cgroup/cpuset.ts";
import type { PlaceOrder } from "../sandbox.ts";
import type { BootShape } from "./boot-shape.ts";

/** The shape that a guest needs: what gVisor settles when it boots. Pure. */
export function shapeOf({ image, rootfs, rootfsType, limits }: Omit<PlaceOrder, "network">): BootShape {
  const { memory_mb, cpu_cores } = limits;
  const cpus = cpu_cores === null ? null : Math.max(MIN_CPUS, Math.ceil(cpu_cores));
  return { image, rootfs, rootfsType, memory_mb, cpus };
}
