import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { FakeRegistry } from "../support/fake-registry.ts";
import { busyboxLayout, noDaemon, startDaemon, type TestDaemon } from "../support/fixtures.ts";
import { startTestService, type TestService } from "../support/service.ts";

describe("images of a local Docker daemon", { skip: noDaemon }, () => {
  /** Has nothing. */
  let registry: FakeRegistry;
  let daemon: TestDaemon;
  let service: TestService;
  before(async () => {
    registry = await FakeRegistry.start();
    daemon = await startDaemon();
    await daemon.load(busyboxLayout, `${registry.host}/some/busybox:1`);
    service = await startTestService({ docker_socket: daemon.socket });
  });
  after(async () => {
    await service?.stop();
    await daemon?.stop();
    await registry?.stop();
  });

  it("are run when no registry has them", async () => {
    const image = `${registry.host}/some/busybox:1`;
    const { status, body } = await service.run({ image, cmd: ["echo", "from the daemon"] });
    assert.deepEqual([status, body.stdout], [200, "from the daemon\n"], JSON.stringify(body));
    const again = await service.run({ image, cmd: ["true"] });
    assert.equal(again.body.image_digest, body.image_digest);
  });

  it("that nobody has give both reasons", async () => {
    const { status, body } = await service.run({ image: `${registry.host}/no/such:1`, cmd: ["true"] });
    assert.equal(status, 500);
    assert.match(body.error, /registry: .*manifest unknown.*; Docker daemon: .*(no such|not known)/i);
  });

  it("do not stand in for a digest, which podman cannot prove", async () => {
    const image = `${registry.host}/some/busybox@sha256:${"0".repeat(64)}`;
    const { status, body } = await service.run({ image, cmd: ["true"] });
    assert.equal(status, 500);
    assert.match(body.error, /Docker daemon: \S/);
  });
});
