import assert from "node:assert/strict";
import { test } from "node:test";
import { BoxerError } from "../../../src/core/errors.ts";
import { ImagePulls } from "../../../src/dashboard/live/image-pulls.ts";
import type { ImageLease } from "../../../src/image/types.ts";

test("what is refused at once is told at once, and not shown as a failure of a pull", async () => {
  const pulls = new ImagePulls({ acquire: () => Promise.reject(new BoxerError("image_not_allowed", "no")) });
  await assert.rejects(pulls.start("x"), { code: "image_not_allowed" });
  assert.deepEqual(pulls.failures(), []);
});

test("what fails later is shown with its reason, until it is tried again", async () => {
  const failing = Promise.withResolvers<ImageLease>();
  const pulls = new ImagePulls({ acquire: () => failing.promise });
  await pulls.start("x");
  failing.reject(new BoxerError("image_pull_failed", "the registry is gone"));
  await new Promise((resolve) => setTimeout(resolve, 1));
  assert.deepEqual(
    pulls.failures().map(({ reference, reason }) => [reference, reason]),
    [["x", "the registry is gone"]],
  );
  await assert.rejects(pulls.start("x"));
  assert.deepEqual(pulls.failures(), []);
});

test("an image that has come is given back at once: it stays for the runs to come", async () => {
  let released = 0;
  const lease = {
    release: () => {
      released += 1;
    },
  } as unknown as ImageLease;
  await new ImagePulls({ acquire: async () => lease }).start("x");
  assert.equal(released, 1);
});
