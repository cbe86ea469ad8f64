/**
 * `npm run soak`: thousands of runs of mixed kinds, many at once, against a service that is a process of its own. Each
 * answer is checked; memory and file descriptors of the service are printed along the way, and what is left at the end.
 * `--runs N` (default 3000), `--concurrency N` (default 16).
 *
 * With `--warm N` instead: so many runs in sandboxes booted ahead, each of which looks for what others have left.
 */
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { assertNothingLeft, cgroupsOf } from "../test/support/leftovers.ts";
import { noCgroups } from "../test/support/no-cgroups.ts";
import { seededRandom } from "../test/support/seeded-random.ts";
import { provideImages } from "../test/support/service.ts";
import { ServiceProcess, writeServiceConfig } from "../test/support/service-process.ts";
import { overshoots_ms, SOAK_KINDS } from "./soak/soak-kinds.ts";
import { soakWarm } from "./soak/soak-warm.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "3000" },
    concurrency: { type: "string", default: "16" },
    warm: { type: "string" },
  },
});
if (values.warm !== undefined) process.exit((await soakWarm(Number(values.warm))) ? 0 : 1);
const runs = Number(values.runs);
const concurrency = Number(values.concurrency);
const SAMPLES = 12;

const home = await mkdtemp(join(tmpdir(), "boxer-soak-"));
await provideImages(home);
const ignore_cgroups = noCgroups() !== false;
const service = new ServiceProcess(
  await writeServiceConfig(home, {
    ignore_cgroups,
    max_concurrent_runs: concurrency,
    output_limit_bytes: 1 << 20,
    output_files_limit_bytes: 1 << 20,
  }),
);
try {
  const url = await service.url();
  const kinds = SOAK_KINDS.filter(({ needsCgroups }) => !(needsCgroups && ignore_cgroups));
  const random = seededRandom(3);
  const tally = new Map<string, number>();
  const wrong: string[] = [];
  const execIds: string[] = [];
  let next = 0;
  const started = performance.now();
  console.log(
    `${runs} runs, ${concurrency} at once, of ${kinds.length} kinds; cgroups ${ignore_cgroups ? "off" : "on"}`,
  );
  console.log("runs done   RSS in MB   descriptors");
  const worker = async () => {
    for (let index = next++; index < runs; index = next++) {
      if (index % Math.ceil(runs / SAMPLES) === 0) await sample(index);
      const kind = kinds[Math.floor(random() * kinds.length)];
      if (!kind) continue;
      tally.set(kind.name, (tally.get(kind.name) ?? 0) + 1);
      try {
        const execId = await kind.run(url, index);
        if (execId) execIds.push(execId);
      } catch (error) {
        wrong.push(`${kind.name}: ${String(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  const seconds = (performance.now() - started) / 1000;
  await assertNothingLeft(home);
  await sample(runs);
  assert.deepEqual(await cgroupsOf(execIds), []);
  for (const [name, count] of tally) console.log(`${name.padEnd(40)} ${count}`);
  console.log(`${seconds.toFixed(0)} s, ${(runs / seconds).toFixed(1)} runs a second; nothing left behind`);
  console.log(`time limits kept within ${Math.max(0, ...overshoots_ms)} ms`);
  console.log(`${runs - wrong.length} right, ${wrong.length} wrong`);
  for (const each of wrong.slice(0, 20)) console.log(each.slice(0, 500));
  process.exitCode = wrong.length > 0 ? 1 : 0;
  assert.equal(await service.end("SIGTERM"), 0);
} finally {
  await service.end("SIGKILL");
  await rm(home, { recursive: true, force: true });
}

async function sample(done: number): Promise<void> {
  const status = await readFile(`/proc/${service.pid}/status`, "utf8");
  const rss_kb = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
  const descriptors = await readdir(`/proc/${service.pid}/fd`);
  console.log(
    `${String(done).padStart(9)}   ${(rss_kb / 1024).toFixed(0).padStart(9)}   ${String(descriptors.length).padStart(11)}`,
  );
}
