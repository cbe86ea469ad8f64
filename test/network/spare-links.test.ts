import assert from "node:assert/strict";
import { test } from "node:test";
import type { CleanupStack } from "../../src/core/cleanup-stack.ts";
import { type Link, planAddresses } from "../../src/network/address-plan.ts";
import { SpareLinks } from "../../src/network/spare-links.ts";
import { until } from "../support/leftovers.ts";
import { strictCleanup } from "../support/strict-cleanup.ts";

const plan = planAddresses("00000001", "10.0.0.0/24", false);

/** Links that are numbers. */
function given(size: number) {
  const told: string[] = [];
  const broken = new Set<string>();
  const state = { made: 0, failing: false };
  const maker = {
    make: async (cleanup: CleanupStack): Promise<Link> => {
      const link = plan.link(state.made++);
      cleanup.defer("link", () => told.push(`removed ${link.netns}`));
      if (state.failing) throw new Error("refused");
      return link;
    },
    isIntact: async ({ netns }: Link) => !broken.has(netns),
  };
  const spares = new SpareLinks(maker, size, (label, error) => assert.fail(`${label}: ${error}`));
  const name = (slot: number) => plan.link(slot).netns;
  return { spares, state, broken, told, name };
}

test("none is made before it is asked for, and then as many as are to wait", async () => {
  const { spares, state, name } = given(2);
  assert.equal((await spares.take(strictCleanup())).netns, name(0));
  assert.equal(state.made, 1);
  spares.refill();
  spares.refill();
  await until(async () => state.made === 3);
  assert.equal((await spares.take(strictCleanup())).netns, name(1));
  assert.equal((await spares.take(strictCleanup())).netns, name(2));
  assert.equal((await spares.take(strictCleanup())).netns, name(3));
});

test("each is for one run, which removes it", async () => {
  const { spares, state, told, name } = given(1);
  spares.refill();
  await until(async () => state.made === 1);
  const cleanup = strictCleanup();
  await spares.take(cleanup);
  assert.deepEqual(told, []);
  await cleanup.run();
  assert.deepEqual(told, [`removed ${name(0)}`]);
  await spares.close();
  assert.equal(told.length, 1);
});

test("one that is no longer whole is passed over, and removed with the run", async () => {
  const { spares, state, broken, told, name } = given(1);
  spares.refill();
  await until(async () => state.made === 1);
  broken.add(name(0));
  const cleanup = strictCleanup();
  assert.equal((await spares.take(cleanup)).netns, name(1));
  await cleanup.run();
  assert.deepEqual(told, [`removed ${name(1)}`, `removed ${name(0)}`]);
});

test("what is made in part only is removed, and runs are served all the same", async () => {
  const { spares, state, told, name } = given(2);
  state.failing = true;
  spares.refill();
  await until(async () => told.length === 1);
  assert.deepEqual(told, [`removed ${name(0)}`]);
  await assert.rejects(spares.take(strictCleanup()), /refused/);
  state.failing = false;
  assert.equal((await spares.take(strictCleanup())).netns, name(2));
});

test("with the end all that wait are removed, and no more are made", async () => {
  const { spares, state, told, name } = given(2);
  spares.refill();
  await spares.close();
  assert.deepEqual(told, [`removed ${name(0)}`]);
  spares.refill();
  await spares.close();
  assert.equal(state.made, 1);
});
