import { until } from "../../test/support/leftovers.ts";
import { noCgroups } from "../../test/support/no-cgroups.ts";
import { PYTHON } from "../../test/support/service.ts";
import { faultOf, spyRequest } from "../../test/support/warm-secrets.ts";
import { startWarmService } from "../../test/support/warm-service.ts";
import { median } from "../bench/median.ts";

const CONCURRENT = 2;
const SAMPLES = 10;

/**
 * Runs that plant secrets and look for those of others, until so many were in sandboxes booted ahead. Prints how it went.
 * @returns whether none has found anything
 */
export async function soakWarm(runs: number): Promise<boolean> {
  const service = await startWarmService(
    { allow_root_user: true, ignore_cgroups: noCgroups() !== false },
    { images: [PYTHON], max: 4 },
  );
  const { pool } = service.sandboxes;
  const faults: string[] = [];
  const took_ms: number[] = [];
  let [begun, warm, cold] = [0, 0, 0];
  const started = performance.now();
  const worker = async () => {
    while (warm < runs) {
      await until(() => pool.stats().ready > 0);
      const answer = await service.run(spyRequest(begun++));
      const fault = faultOf(answer);
      if (fault !== null) faults.push(fault);
      if (answer.body.warm !== true) cold += 1;
      else if (took_ms.push(answer.body.wall_ms) && ++warm % Math.ceil(runs / SAMPLES) === 0) {
        console.log(`${warm} warm runs, ${faults.length} with a fault`);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: CONCURRENT }, worker));
    const { hits, misses, failed, discarded } = pool.stats();
    const seconds = (performance.now() - started) / 1000;
    console.log(
      `${warm} warm and ${cold} cold runs in ${seconds.toFixed(0)} s, median ${median(took_ms)} ms`,
    );
    console.log(`pool: ${hits} hits, ${misses} misses, ${failed} failed, ${discarded} discarded`);
    console.log(`${faults.length} found what is not theirs, or failed`);
    for (const each of faults.slice(0, 20)) console.log(each.slice(0, 500));
  } finally {
    await service.stop();
  }
  return faults.length === 0;
}
