import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { busyboxLayout } from "../support/fixtures.ts";
import { archiveOf, LayeredLayout } from "../support/layered-layout.ts";
import { startTestService, type TestService } from "../support/service.ts";
import { file, tar } from "../support/tar-builder.ts";
import { withDirectory } from "../support/unpack-fixture.ts";
import { ARCHITECTURE } from "../support/with-rootfs.ts";

const ACCOUNTS = tar(
  file("etc/passwd", "root:x:0:0::/:\napp:x:1001:1002::/:\n"),
  file("etc/group", "staff:x:50:\n"),
);

describe("a run as the image's own USER", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService();
  });
  after(() => service.stop());

  /** What a guest says of itself in an image with that USER. */
  async function runAs(user: string, name: string) {
    await withDirectory(async (directory) => {
      const layout = await LayeredLayout.create(join(directory, "layout"));
      const layers = [await archiveOf(busyboxLayout), ACCOUNTS];
      const image = layers.map((archive) => ({ archive, compression: "gzip" as const }));
      await layout.tag("1", await layout.addImage(image, ARCHITECTURE, [], user));
      const body = execFileSync("tar", ["-C", join(directory, "layout"), "-cf", "-", "."], {
        maxBuffer: 64 << 20,
      });
      const imported = await service.fetch(`/images/import?reference=local/${name}:1`, {
        method: "POST",
        body,
      });
      assert.equal(imported.status, 200, await imported.text());
    });
    const script = 'echo "$(id -u):$(id -g)"; touch /output/mine';
    return await service.run({ image: `local/${name}:1`, user: "image", cmd: ["sh", "-c", script] });
  }

  it("is who its /etc/passwd and /etc/group say", async () => {
    for (const [user, name, ids] of [
      ["app", "name", "1001:1002"],
      ["app:staff", "name-group", "1001:50"],
      ["7:staff", "uid-group", "7:50"],
      ["app:9", "name-gid", "1001:9"],
      ["1001", "uid", "1001:1002"],
      ["4711", "uid-unknown", "4711:65534"],
    ] as const) {
      const { body } = await runAs(user, name);
      assert.equal(body.stdout, `${ids}\n`, JSON.stringify(body));
      assert.equal(body.outputs.length, 1);
    }
  });

  it("is refused when nobody is called so, or it is root", async () => {
    const unknown = await runAs("nosuch", "unknown");
    assert.deepEqual(
      [unknown.status, unknown.body.code, unknown.body.field],
      [400, "invalid_request", "user"],
    );
    assert.match(unknown.body.error, /its \/etc\/passwd has no user "nosuch"/);
    const root = await runAs("root", "root");
    assert.equal(root.body.code, "user_not_allowed");
  });
});
