import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { PYTHON, type TestService } from "../support/service.ts";
import { faultOf, spyRequest } from "../support/warm-secrets.ts";
import { noWarm, runWarm, startWarmService } from "../support/warm-service.ts";

const RUNS = 60;

describe("a guest that plants secrets for the next one in a sandbox booted ahead, and looks for those of others", {
  skip: noWarm(),
}, () => {
  let service: TestService;
  before(async () => {
    service = await startWarmService({ allow_root_user: true }, { images: [PYTHON], max: 3 });
  });
  after(() => service?.stop());

  it(`finds nothing, in ${RUNS} runs`, async () => {
    for (let index = 0; index < RUNS; index += 1) {
      const answer = await runWarm(service, spyRequest(index), 1);
      assert.equal(faultOf(answer), null);
      assert.equal(answer.body.warm, true);
    }
  });

  it("would find it: what it plants is found by the same search in the same sandbox", async () => {
    const request = spyRequest(0);
    const [python, flag, spy, , wide] = request.cmd as string[];
    const other = "5ecre7-0-0";
    const plant = [
      `echo ${other} > /tmp/x; echo ${other} > /dev/shm/x; echo ${other} > /output/x; echo ${other} > /etc/x`,
      `umask 77; (exec sleep 1000 ${other.replace(/^/, "1e-9 ")} &) 2> /dev/null; exec 9< /etc/passwd`,
      `S=${other} "$@"`,
    ].join("\n");
    const cmd = ["sh", "-c", plant, "sh", python, flag, spy, "5ecre7-0-1", wide];
    const { body } = await runWarm(service, { ...request, cmd, stdin: other, env: [], inline_files: [] }, 1);
    const where = new Set(JSON.parse(body.stdout).map(([place]: [string]) => place));
    for (const place of [
      "/tmp/x",
      "/dev/shm/x",
      "/output/x",
      "/etc/x",
      "/tmp",
      "stdin",
      "env",
      "descriptors",
      "umask",
    ])
      assert.ok(where.has(place), `${place} is not among ${[...where]}`);
  });
});
