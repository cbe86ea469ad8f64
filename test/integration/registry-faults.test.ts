import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { type Fault, type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";
import { busyboxLayout, noRegistry, startRegistry, type TestRegistry } from "../support/fixtures.ts";
import { archiveOf, LayeredLayout } from "../support/layered-layout.ts";
import { until } from "../support/leftovers.ts";
import { startTestService, type TestService } from "../support/service.ts";
import { ARCHITECTURE } from "../support/with-rootfs.ts";

const cut = (after_bytes: number): Fault => ({ kind: "cut", after_bytes });
const refuse = (status: number, retry_after?: string): Fault => ({
  kind: "refuse",
  status,
  ...(retry_after !== undefined && { retry_after }),
});
const whole: Fault = { kind: "delay", duration_ms: 0 };
const late: Fault = { kind: "delay", duration_ms: 300 };

describe("a real registry behind a bad network", { skip: noRegistry }, () => {
  let registry: TestRegistry;
  let proxy: FaultProxy;
  let service: TestService;
  let image = "";
  let work = "";
  before(async () => {
    registry = await startRegistry();
    work = await mkdtemp(join(tmpdir(), "boxer-faults-"));
    // Another one than the service has.
    const layout = await LayeredLayout.create(work);
    const layer = { archive: await archiveOf(busyboxLayout), compression: "none" } as const;
    await layout.tag("latest", await layout.addImage([layer], ARCHITECTURE, ["PATH=/bin"]));
    await registry.push(work, "some/busybox:1");
    proxy = await startFaultProxy(registry.host);
    image = `${proxy.host}/some/busybox:1`;
    service = await startTestService();
  });
  afterEach(async () => {
    proxy.faults.length = 0;
    proxy.seen.length = 0;
    const path = `/images?reference=${encodeURIComponent(image)}`;
    // A sandbox may hold it for a moment after the answer.
    await until(async () => (await service.fetch(path, { method: "DELETE" })).ok);
  });
  after(async () => {
    await service?.stop();
    await proxy?.stop();
    await registry?.stop();
    await rm(work, { recursive: true, force: true });
  });
  const run = () => service.run({ image, cmd: ["echo", "through"] });

  // The manifest comes first, then the config, then the one layer.
  const cases: [what: string, faults: Fault[], requests: number][] = [
    ["answers that are late", [late, late, late], 3],
    ["too many requests, with a time to wait", [refuse(429, "1")], 4],
    ["errors of the server at each step", [refuse(500), whole, refuse(503), whole, refuse(502)], 6],
    ["connections cut before a byte has come", [whole, whole, cut(0), cut(0)], 5],
  ];
  for (const [what, faults, requests] of cases) {
    it(`gives the image despite ${what}`, async () => {
      proxy.faults.push(...faults);
      const { status, body } = await run();
      assert.deepEqual([status, body.stdout], [200, "through\n"], JSON.stringify(body));
      assert.equal(proxy.seen.length, requests, proxy.seen.join("\n"));
    });
  }

  it("is asked for the rest of a blob, not for all of it again", async () => {
    proxy.faults.push(whole, whole, cut(200_000), cut(300_000), refuse(500));
    const { status, body } = await run();
    assert.deepEqual([status, body.stdout], [200, "through\n"], JSON.stringify(body));
    const ranges = proxy.seen.flatMap((line) => /bytes=(\d+)-$/.exec(line)?.[1] ?? []).map(Number);
    // What had come but was not yet read when the connection broke is lost; the first cut is at 200 000 bytes.
    assert.ok(
      ranges.some((from) => from > 0 && from <= 500_000),
      proxy.seen.join("\n"),
    );
  });

  it("is given up when it stays so, with its own words, and the next run asks again", async () => {
    proxy.faults.push(...Array.from({ length: 20 }, () => refuse(500)));
    const { status, body } = await run();
    assert.deepEqual([status, body.code], [500, "image_pull_failed"]);
    assert.match(body.error, /registry answered 500 TROUBLE: not now/);
    proxy.faults.length = 0;
    assert.equal((await run()).status, 200);
  });
});
