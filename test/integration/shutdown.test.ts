import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { mountPointsOf } from "../../src/sandbox/sweep-mounts.ts";
import { guestsUp } from "../support/guests-up.ts";
import { assertNothingLeft, until } from "../support/leftovers.ts";
import { noMounts } from "../support/no-mounts.ts";
import { BUSYBOX, provideImages } from "../support/service.ts";
import { removeHome, ServiceProcess, writeServiceConfig } from "../support/service-process.ts";

describe("the end of the service", () => {
  let home: string;
  const started: ServiceProcess[] = [];
  const start = async (config: Record<string, unknown> = {}) => {
    const service = new ServiceProcess(await writeServiceConfig(home, config));
    started.push(service);
    return service;
  };
  before(async () => {
    home = await mkdtemp(join(tmpdir(), "boxer-test-"));
    await provideImages(home);
  });
  after(async () => {
    for (const service of started) await service.end("SIGKILL");
    await removeHome(home);
  });

  const run = async (url: string, script: string) => {
    const response = await fetch(`${url}/run`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ image: BUSYBOX, cmd: ["sh", "-c", script] }),
    });
    // biome-ignore lint/suspicious/noExplicitAny: a test looks at what came over the wire
    return { status: response.status, body: (await response.json()) as any };
  };

  it("SIGTERM lets a run end, refuses new ones meanwhile, and exits with 0", async () => {
    const service = await start({ shutdown_grace_secs: 60 });
    const url = await service.url();
    const running = run(url, ": > /output/up; sleep 1; echo done");
    await guestsUp(home);
    const ended = service.end("SIGTERM");
    await until(() => service.log.includes("draining"));
    const late = await run(url, "true").catch(() => null);
    if (late) assert.deepEqual([late.status, late.body.code], [503, "draining"]);
    assert.equal((await running).body.stdout, "done\n");
    assert.equal(await ended, 0);
    await assertNothingLeft(home);
  });

  it("SIGTERM stops a run that outlasts the grace, answers it, and exits with 0", async () => {
    const service = await start();
    const running = run(await service.url(), "echo said; : > /output/up; sleep 60");
    await guestsUp(home);
    assert.equal(await service.end("SIGTERM"), 0);
    const { status, body } = await running;
    assert.deepEqual([status, body.code, body.stdout], [503, "canceled", "said\n"]);
    await assertNothingLeft(home);
  });

  it("kill -9 in the middle of runs: the next start sweeps what is left, and serves", async () => {
    const service = await start();
    const url = await service.url();
    const running = Promise.allSettled(
      [1, 2, 3].map(() => run(url, "trap '' TERM; : > /output/up; sleep 60")),
    );
    await guestsUp(home, 3);
    await service.end("SIGKILL");
    await running;
    assert.ok((await readdir(join(home, "runs"))).length === 3);
    await mkdir(join(home, ".probe-half-way", "image"), { recursive: true });
    const mounts = mountPointsOf(await readFile("/proc/self/mountinfo"));
    const mine = mounts.filter((path) => path.startsWith(`${home}/runs/`));
    assert.equal(mine.length, noMounts() ? 0 : 3);
    const next = await start();
    const { body } = await run(await next.url(), "echo again");
    assert.equal(body.stdout, "again\n");
    await assertNothingLeft(home);
    assert.deepEqual(
      (await readdir(home)).filter((name) => name.startsWith(".probe-")),
      [],
    );
    assert.match(next.log, /swept what an earlier server left/);
    assert.equal(await next.end("SIGTERM"), 0);
  });

  it("a second service on the same home is refused, and harms nothing of the first", async () => {
    const first = await start();
    const url = await first.url();
    const running = run(url, ": > /output/up; sleep 1; echo done");
    await guestsUp(home);
    const second = await start();
    assert.equal(await second.exited, 69);
    assert.match(second.log, /another Boxer server uses this home directory/);
    assert.equal((await running).body.stdout, "done\n");
    assert.equal(await first.end("SIGTERM"), 0);
  });
});
