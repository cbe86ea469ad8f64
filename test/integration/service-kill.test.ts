import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { assertNothingLeft, cgroupsOf, sandboxesOf } from "../support/leftovers.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { BUSYBOX, provideImages } from "../support/service.ts";
import { removeHome, ServiceProcess, writeServiceConfig } from "../support/service-process.ts";
import { WARM_MODE } from "../support/warm-mode.ts";

const KILLS = 20;
const CONCURRENT = 6;
/** Long enough for some runs to have ended, others to be in each of their phases. */
const LONGEST_LIFE_MS = 1_500;

const GUESTS = [
  "echo quick",
  "echo x > /output/x; sleep 60",
  "trap '' TERM; (setsid sleep 60 &); sleep 60",
  "while :; do echo flood; done | head -c 300000",
];

describe("kill -9 of the service under load", () => {
  let home: string;
  let config: string;
  let service: ServiceProcess | undefined;
  before(async () => {
    home = await mkdtemp(join(tmpdir(), "boxer-test-"));
    await provideImages(home);
    config = await writeServiceConfig(home, { ignore_cgroups: false });
  });
  after(async () => {
    await service?.end("SIGKILL");
    await removeHome(home);
  });

  const random = seededRandom(20_261_123);
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const life_ms = Math.round(random() * LONGEST_LIFE_MS);
    it(`${kill}, after ${life_ms} ms: the next start sweeps everything, and serves`, async () => {
      service = new ServiceProcess(config);
      await service.url();
      const load = Promise.allSettled(
        Array.from({ length: CONCURRENT }, (_, slot) => keepRunning(service, slot)),
      );
      await sleep(life_ms);
      await service.end("SIGKILL");
      await load;
      await assertSweptByNextStart(await readdir(join(home, "runs")));
    });
  }

  async function assertSweptByNextStart(left: string[]): Promise<void> {
    const next = new ServiceProcess(config);
    try {
      const { status, body } = await next.run({ image: BUSYBOX, cmd: ["echo", "again"] });
      assert.deepEqual([status, body.stdout], [200, "again\n"], next.log);
      // What waits for runs of another process cannot be told from what they left.
      if (!WARM_MODE) await assertNothingLeft(home);
      assert.equal(await next.end("SIGTERM"), 0);
    } finally {
      await next.end("SIGKILL");
    }
    assert.deepEqual(await sandboxesOf(home), []);
    assert.deepEqual(await cgroupsOf(left), []);
    const mounts = await readFile("/proc/self/mountinfo", "utf8");
    assert.ok(!mounts.includes(home), "a mount is left");
    for (const room of ["runs", "uploads", "empty"])
      assert.deepEqual(await readdir(join(home, room)), [], room);
  }
});

/** Asks for runs until the service is gone. */
async function keepRunning(service: ServiceProcess | undefined, slot: number): Promise<never> {
  for (let index = slot; ; index += 1) {
    await service?.run({ image: BUSYBOX, cmd: ["sh", "-c", GUESTS[index % GUESTS.length]] });
  }
}
