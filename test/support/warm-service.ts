import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { until } from "./leftovers.ts";
import { BUSYBOX, PYTHON, type RunAnswer, startTestService, type TestService } from "./service.ts";

/** Why no sandbox can be booted ahead here, for the `skip` option of a test; false when one can. */
export function noWarm(): string | false {
  const hasCode = process.arch === "x64" || process.arch === "arm64";
  const isRoot = process.getuid?.() === 0;
  return isRoot && hasCode ? false : "this is not root, or a processor without machine code";
}

/** Starts a service that keeps sandboxes ready, whatever the mode of the tests. */
export function startWarmService(
  config: Record<string, unknown> = {},
  pool: object = {},
): Promise<TestService> {
  const warm_pool = { max: 3, max_memory_mb: 512, images: [BUSYBOX, PYTHON], ...pool };
  return startTestService({ prepared_runs: 2, warm_pool, ...config });
}

/** Waits until no run is under way, no sandbox boots, and so many at least wait. */
export async function untilReady({ runner, sandboxes }: TestService, count = 2): Promise<void> {
  const stats = () => ({ ...sandboxes.pool.stats(), ...runner.stats() });
  await until(() => {
    const { active, booting, ready } = stats();
    return active === 0 && booting === 0 && ready >= count;
  }, stats);
}

/** Runs as soon as so many wait. */
export async function runWarm(
  service: TestService,
  body: Record<string, unknown>,
  count?: number,
): Promise<RunAnswer> {
  await untilReady(service, count);
  return await service.run(body);
}

/** The pids of the sentries of the sandboxes that wait. */
export async function sentriesOf({ home, sandboxes }: TestService): Promise<number[]> {
  const names = sandboxes.pool.ready().map(({ pad }) => pad.id);
  return Promise.all(
    names.map(async (name) => Number(await readFile(join(home, "runs", name, "pid"), "utf8"))),
  );
}
