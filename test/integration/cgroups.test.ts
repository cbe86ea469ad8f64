import assert from "node:assert/strict";
import { mkdirSync, rmdirSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { assertNothingLeft, until } from "../support/leftovers.ts";
import { PYTHON, startTestService, type TestService } from "../support/service.ts";

const MOUNT = "/sys/fs/cgroup";

/** Why limits cannot be tried here, or false. */
function noCgroups(): string | false {
  for (const parent of [`${MOUNT}/memory`, MOUNT]) {
    try {
      mkdirSync(`${parent}/boxer-probe`);
      rmdirSync(`${parent}/boxer-probe`);
      return false;
    } catch {
      // Not this one.
    }
  }
  return "no cgroup can be made here";
}

describe("limits by cgroups, as by default", { skip: noCgroups() }, () => {
  let service: TestService;
  before(async () => {
    service = await startTestService({ ignore_cgroups: false });
  });
  after(() => service.stop());

  const python = (code: string, limits: object = {}) =>
    service.run({ image: PYTHON, cmd: ["python3", "-c", code], limits });
  const cgroupsOfRuns = async () => {
    const hierarchies = await readdir(MOUNT);
    const lists = await Promise.all(
      ["", ...hierarchies].map((name) => readdir(`${MOUNT}/${name}/boxer`).catch(() => [])),
    );
    return lists.flat().filter((name) => name.startsWith("boxer-"));
  };

  it("a guest that takes more memory than it may is killed, and its neighbour is not", async () => {
    const [greedy, modest] = await Promise.all([
      python("print('up', flush=True); x = bytearray(10**9)", { memory_mb: 64 }),
      python("import time; time.sleep(1); x = bytearray(10**7); print('fine')", { memory_mb: 64 }),
    ]);
    assert.deepEqual([greedy.status, greedy.body.exit_code, greedy.body.signal], [200, 137, "SIGKILL"]);
    assert.deepEqual([modest.status, modest.body.stdout], [200, "fine\n"]);
  });

  it("a guest gets no more processes than it may, and lives on", async () => {
    const code = `
import os, time
n = 0
try:
    while True:
        if os.fork() == 0:
            time.sleep(5); os._exit(0)
        n += 1
except BlockingIOError:
    print(n)
`;
    const { body } = await python(code, { pids_limit: 20 });
    assert.deepEqual([body.exit_code, body.stdout], [0, "19\n"], body.stderr);
  });

  it("ended and stopped runs leave no cgroup", async () => {
    await python("print(1)");
    await python("import time; time.sleep(60)", { wall_clock_secs: 0.5 });
    await service.run({ cmd: ["true"] }, { signal: AbortSignal.timeout(60) }).catch(() => {});
    await assertNothingLeft(service.home);
    await until(async () => (await cgroupsOfRuns()).length === 0);
  });
});
