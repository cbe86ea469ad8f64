import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { assertNothingLeft } from "../support/leftovers.ts";
import { startTestService, type TestService } from "../support/service.ts";

const RUNS = 200;
const CONCURRENT = 16;

describe("many runs", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService({ max_concurrent_runs: CONCURRENT });
  });
  after(() => service.stop());

  it(`${RUNS} at ${CONCURRENT} at a time: not one fails, each gets its own answer, nothing is left`, async () => {
    const descriptors = await readdir("/proc/self/fd");
    let next = 0;
    const worker = async () => {
      for (let index = next++; index < RUNS; index = next++) {
        const content = `input ${index}`;
        const { status, body } = await service.run({
          cmd: ["sh", "-c", `cat /in; echo err ${index} >&2; echo ${index} > /output/o; exit ${index % 7}`],
          inline_files: [{ path: "in", content }],
        });
        assert.deepEqual(
          [status, body.exit_code, body.stdout, body.stderr, body.outputs?.length],
          [200, index % 7, content, `err ${index}\n`, 1],
          JSON.stringify(body),
        );
      }
    };
    await Promise.all(Array.from({ length: CONCURRENT }, worker));
    await assertNothingLeft(service.home);
    const now = await readdir("/proc/self/fd");
    assert.ok(
      now.length <= descriptors.length + CONCURRENT * 2,
      `${descriptors.length} descriptors became ${now.length}`,
    );
  });

  it("more at once than the queue holds: the rest are told so at once", async () => {
    const small = await startTestService({ max_concurrent_runs: 1, max_queued_runs: 1 });
    try {
      const answers = await Promise.all(Array.from({ length: 5 }, () => small.run({ cmd: ["sleep", "1"] })));
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 200, 429, 429, 429]);
      const full = answers.find(({ status }) => status === 429);
      assert.equal(full?.body.code, "queue_full");
    } finally {
      await small.stop();
    }
  });
});
