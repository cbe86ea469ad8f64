import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { BOMBS } from "../support/bombs.ts";

import { assertNothingLeft } from "../support/leftovers.ts";
import { noCgroups } from "../support/no-cgroups.ts";
import { PYTHON, startTestService, type TestService } from "../support/service.ts";

const NEIGHBOUR = `
import hashlib, time
digest = hashlib.sha256()
for step in range(10):
    digest.update(bytes(100_000))
    open(f"/output/{step}", "w").write("x")
    time.sleep(0.05)
print(digest.hexdigest())
`;
const NEIGHBOUR_SAYS = "d29751f2649b32ff572b5e0a9f541ea660a50f94ff0beedfb0b692b924cc8025\n";

describe("a guest that does its worst", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService({ ignore_cgroups: noCgroups() !== false });
  });
  after(() => service.stop());

  for (const { name, request, statuses, stdout, needsCgroups } of BOMBS) {
    it(`${name}: ends as ${statuses.join(" or ")}, and its neighbour is unharmed`, {
      skip: needsCgroups ? noCgroups() : false,
    }, async () => {
      const [bomb, neighbour] = await Promise.all([
        service.run(request),
        service.run({ image: PYTHON, cmd: ["python3", "-c", NEIGHBOUR] }),
      ]);
      const { stdout: said, stderr, ...told } = bomb.body;
      assert.ok(statuses.includes(told.status), JSON.stringify({ ...told, stderr: stderr?.slice(0, 500) }));
      if (stdout) assert.match(said, stdout);
      assert.deepEqual(
        [neighbour.status, neighbour.body.status, neighbour.body.stdout, neighbour.body.outputs.length],
        [200, "ok", NEIGHBOUR_SAYS, 10],
        JSON.stringify(neighbour.body),
      );
      await assertNothingLeft(service.home);
    });
  }

  it("a spin on all cores gets the quarter of a core that it asked for", { skip: noCgroups() }, async () => {
    const code = "import os\nos.fork(); os.fork()\nwhile True: pass";
    const limits = { cpu_cores: 0.25, wall_clock_secs: 4 };
    const { status, body } = await service.run({ image: PYTHON, cmd: ["python3", "-c", code], limits });
    assert.deepEqual([status, body.status], [408, "timed_out"]);
    const used_ms = body.cpu_ms.user + body.cpu_ms.system;
    assert.ok(used_ms < body.wall_ms * 0.25 * 1.5, `${used_ms} ms of CPU in ${body.wall_ms} ms`);
  });
});
