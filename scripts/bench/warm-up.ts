import type { BenchService } from "./bench-service.ts";
import type { Workload } from "./workloads.ts";

const AT_A_TIME = 4;

/**
 * Gives a service some seconds of life before it is measured: its runtime compiles code that is run often, at the cost of a
 * third of what the first hundred runs took.
 * @param runs of each workload
 */
export async function warmUp(
  service: Pick<BenchService, "run">,
  workloads: readonly Workload[],
  runs: number,
): Promise<void> {
  const left = workloads.flatMap((workload) => Array.from({ length: runs }, () => workload));
  const worker = async (): Promise<void> => {
    for (let workload = left.pop(); workload; workload = left.pop()) await service.run(workload);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
}
