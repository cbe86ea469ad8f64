import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { sandboxesOf, until } from "../support/leftovers.ts";
import { startTestService, type TestService } from "../support/service.ts";

describe("the file store of a service", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService({ files_ttl_secs: 4, files_quota_bytes: 1000 });
  });
  after(() => service.stop());

  it("refuses an upload beyond the quota with 507", async () => {
    const response = await service.upload("large", "x".repeat(1001));
    assert.deepEqual([response.status, (await response.json()).code], [507, "files_quota_exceeded"]);
  });

  it("tells outputs beyond the quota as skipped, and keeps the status", async () => {
    const cmd = ["sh", "-c", "head -c 2000 /dev/zero > /output/x"];
    const { status, body } = await service.run({ cmd, persist: true });
    const skipped = [{ path: "x", reason: "there is no room within files_quota_bytes" }];
    assert.deepEqual([status, body.status, body.outputs, body.outputs_skipped], [200, "ok", [], skipped]);
  });

  it("keeps what a run holds however long it takes, while others of its age expire", async () => {
    for (const path of ["held/text", "idle/text"]) await service.upload(path, "hello");
    const list = async (prefix: string) =>
      (await (await service.fetch(`/files/list?prefix=${prefix}`)).json()).files.length;
    const stop = new AbortController();
    const cmd = ["sh", "-c", "sleep 1000"];
    const running = service.run({ cmd, files: ["held/text"] }, { signal: stop.signal }).catch(() => {});
    // The other is as old, or younger: both are used at the start of this run, which the first one's holder outlives.
    await service.run({ cmd: ["true"], files: ["idle/text"], persist: true });
    await until(async () => (await list("idle")) === 0);
    assert.equal(await list("held"), 1);
    stop.abort();
    await running;
    await until(async () => (await list("held")) === 0);
  });

  it("lets a run go on unharmed whose input is removed, and lists its outputs until they expire", async () => {
    await service.upload("in/text", "hello");
    const cmd = ["sh", "-c", "sleep 2; cat /in/text; cp /in/text /output/copy"];
    const running = service.run({ cmd, files: ["in/text"], persist: true });
    await until(async () => (await sandboxesOf(service.home)).length > 0);
    const removed = await service.fetch("/files?prefix=in", { method: "DELETE" });
    assert.deepEqual(await removed.json(), { removed: 1, freed_bytes: 5 });
    const { body } = await running;
    assert.deepEqual([body.status, body.stdout], ["ok", "hello"]);
    const paths = async () =>
      (await (await service.fetch("/files/list")).json()).files.map(({ path }: { path: string }) => path);
    assert.deepEqual(await paths(), [`output/${body.exec_id}/copy`]);
    await until(async () => (await paths()).length === 0);
  });
});
