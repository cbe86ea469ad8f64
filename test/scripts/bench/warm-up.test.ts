import assert from "node:assert/strict";
import { test } from "node:test";
import { warmUp } from "../../../scripts/bench/warm-up.ts";
import { ECHO, PRINT_42 } from "../../../scripts/bench/workloads.ts";

test("each workload is run as often as it is said, a few at a time", async () => {
  const ran: string[] = [];
  let [running, most] = [0, 0];
  const run = async ({ name }: { name: string }) => {
    running += 1;
    most = Math.max(most, running);
    await null;
    ran.push(name);
    running -= 1;
  };
  await warmUp({ run }, [ECHO, PRINT_42], 6);
  assert.deepEqual(ran.sort(), [...Array(6).fill(ECHO.name), ...Array(6).fill(PRINT_42.name)]);
  assert.equal(most, 4);
});

test("a run that goes wrong ends it", async () => {
  const run = () => Promise.reject(new Error("no"));
  await assert.rejects(warmUp({ run }, [ECHO], 1), /no/);
});
