import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { busyboxLayout, noRegistry, startRegistry, type TestRegistry } from "../support/fixtures.ts";
import { archiveOf, LayeredLayout, type TestLayer } from "../support/layered-layout.ts";
import { startTestService, type TestService } from "../support/service.ts";
import { file, tar } from "../support/tar-builder.ts";
import { ARCHITECTURE } from "../support/with-rootfs.ts";

/** The other images' programs are this machine's all the same, so that they can be run to tell which one it is. */
const OTHER = ARCHITECTURE === "arm64" ? "amd64" : "arm64";

describe("images for several platforms in a real registry", { skip: noRegistry }, () => {
  let registry: TestRegistry;
  let work = "";
  const services: TestService[] = [];
  const start = async (config: Record<string, unknown> = {}) => {
    const service = await startTestService(config);
    services.push(service);
    return service;
  };
  const runMark = async (service: TestService, name: string, rest: object = {}) => {
    const image = `${registry.host}/some/${name}:1`;
    return await service.run({ image, cmd: ["cat", "/mark"], ...rest });
  };
  before(async () => {
    registry = await startRegistry();
    work = await mkdtemp(join(tmpdir(), "boxer-platforms-"));
    const base: TestLayer = { archive: await archiveOf(busyboxLayout), compression: "gzip" };
    const both = await LayeredLayout.create(join(work, "both"));
    const marked = (layout: LayeredLayout, mark: string) =>
      layout.addImage([base, { archive: tar(file("mark", mark)), compression: "gzip" }], mark);
    await both.tag(
      "1",
      await both.addIndex({
        [OTHER]: await marked(both, OTHER),
        [ARCHITECTURE]: await marked(both, ARCHITECTURE),
      }),
    );
    await registry.push(join(work, "both"), "some/both:1", { all: true });
    const single = await LayeredLayout.create(join(work, "single"));
    await single.tag("1", await marked(single, OTHER));
    await registry.push(join(work, "single"), "some/single:1");
  });
  after(async () => {
    for (const service of services) await service.stop();
    await registry?.stop();
    await rm(work, { recursive: true, force: true });
  });

  it("give the machine's own unless configured otherwise, also when the tag is fixed by the index's digest", async () => {
    const service = await start();
    const { body } = await runMark(service, "both");
    assert.equal(body.stdout, ARCHITECTURE, JSON.stringify(body));
    const { headers } = await fetch(`http://${registry.host}/v2/some/both/manifests/1`, {
      method: "HEAD",
      headers: { accept: "application/vnd.oci.image.index.v1+json" },
    });
    const image = `${registry.host}/some/both@${headers.get("docker-content-digest")}`;
    assert.equal((await service.run({ image, cmd: ["cat", "/mark"] })).body.stdout, ARCHITECTURE);
  });

  it("give another one where the configuration says so", async () => {
    const service = await start({ image_platform: `linux/${OTHER}` });
    assert.equal((await runMark(service, "both")).body.stdout, OTHER);
  });

  it("are refused when they are for another platform only, with what they are for", async () => {
    const { status, body } = await runMark(await start(), "single");
    assert.deepEqual([status, body.code], [500, "image_not_found"]);
    assert.ok(body.error.includes(`made for linux/${OTHER}, not for linux/${ARCHITECTURE}`), body.error);
    const service = await start({ image_platform: "linux/s390x" });
    assert.ok(
      (await runMark(service, "both")).body.error.includes(`only for linux/${OTHER}, linux/${ARCHITECTURE}`),
    );
  });
});
