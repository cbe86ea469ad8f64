import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { busyboxLayout, noRegistry, startRegistry, type TestRegistry } from "../support/fixtures.ts";
import { startTestService, type TestService } from "../support/service.ts";

describe("images of a real registry", { skip: noRegistry }, () => {
  let registry: TestRegistry;
  let service: TestService;
  before(async () => {
    registry = await startRegistry();
    await registry.push(busyboxLayout, "some/busybox:1");
    service = await startTestService();
  });
  after(async () => {
    await service?.stop();
    await registry?.stop();
  });

  it("are pulled by the first run, and used by the next", async () => {
    const image = `${registry.host}/some/busybox:1`;
    const [first, second] = [
      await service.run({ image, cmd: ["echo", "pulled"] }),
      await service.run({ image, cmd: ["echo", "cached"] }),
    ];
    assert.deepEqual([first.status, first.body.stdout], [200, "pulled\n"], JSON.stringify(first.body));
    assert.deepEqual([second.status, second.body.stdout], [200, "cached\n"]);
    assert.equal(second.body.image_digest, first.body.image_digest);
  });

  it("can be named by digest", async () => {
    const { body } = await service.run({ image: `${registry.host}/some/busybox:1`, cmd: ["true"] });
    const image = `${registry.host}/some/busybox@${body.image_digest}`;
    assert.equal((await service.run({ image, cmd: ["echo", "same"] })).body.stdout, "same\n");
  });

  it("that do not exist give 500 with the registry's own reason", async () => {
    const { status, body } = await service.run({ image: `${registry.host}/no/such:1`, cmd: ["true"] });
    assert.deepEqual([status, body.code], [500, "image_not_found"]);
    assert.match(body.error, /manifest unknown|MANIFEST_UNKNOWN|NAME_UNKNOWN/i);
    assert.match(body.exec_id, /^boxer-/);
  });

  it("of a registry that is not there give 500 and say so", async () => {
    const { status, body } = await service.run({ image: "127.0.0.1:1/no/such:1", cmd: ["true"] });
    assert.deepEqual([status, body.code], [500, "image_pull_failed"]);
    assert.match(body.error, /127\.0\.0\.1:1/);
  });

  it("whose local name was never imported are not looked for elsewhere", async () => {
    const { status, body } = await service.run({ image: "local/nosuch:1", cmd: ["true"] });
    assert.deepEqual([status, body.code], [500, "image_not_found"]);
  });
});
