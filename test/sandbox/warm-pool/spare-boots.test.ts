import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { spareBoots } from "../../../src/sandbox/warm-pool/spare-boots.ts";

describe("so many may boot at once", () => {
  const cases: [what: string, cores: number, active: number, queued: number, expected: number][] = [
    ["one on an idle machine of one core", 1, 0, 0, 1],
    ["none beside a run on one core", 1, 1, 0, 0],
    ["one on an idle machine of two cores, so that a run finds a free one", 2, 0, 0, 1],
    ["one beside one run on two cores", 2, 1, 0, 1],
    ["none when each core has a run", 2, 2, 0, 0],
    ["none when there are more runs than cores", 2, 8, 0, 0],
    ["half of the cores when idle", 8, 0, 0, 4],
    ["those without a run when few are left", 8, 6, 0, 2],
    ["none while a run waits, whatever it waits for", 8, 0, 1, 0],
  ];
  for (const [what, cores, active, queued, expected] of cases) {
    test(what, () => assert.equal(spareBoots({ cores, active, queued }), expected));
  }
});
