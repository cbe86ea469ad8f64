import assert from "node:assert/strict";
import { test } from "node:test";
import { BoxerError } from "../../src/core/errors.ts";
import { prepullImages } from "../../src/image/prepull.ts";
import type { ImageLease } from "../../src/image/types.ts";
import { sha256 } from "../support/fake-registry.ts";
import { testLog } from "./support/test-log.ts";

/** A store that has what is called good, and writes down what it is asked. */
function store(has: (reference: string, signal: AbortSignal) => boolean | Promise<boolean>) {
  const asked: string[] = [];
  let leases = 0;
  const acquire = async (reference: string, { signal }: { signal: AbortSignal }): Promise<ImageLease> => {
    asked.push(reference);
    if (!(await has(reference, signal))) throw new BoxerError("image_not_found", `no ${reference}`);
    leases += 1;
    const { config, digest } = {
      config: { env: [], working_dir: "/", entrypoint: [], cmd: [], user: "" },
      digest: sha256(""),
    };
    const image = {
      digest,
      reference,
      rootfs: "/",
      rootfs_type: "erofs" as const,
      user: { uid: 0, gid: 0 },
      config,
      size_bytes: 0,
    };
    const release = (): void => {
      leases -= 1;
    };
    return { image, release };
  };
  return { images: { acquire }, asked, leases: () => leases };
}

test("each image is pulled and given back, and one that cannot be had is a warning", async () => {
  const { images, asked, leases } = store((reference) => reference !== "bad");
  const { log, lines } = testLog();
  await prepullImages(images, ["a", "bad", "b"], log, new AbortController().signal);
  assert.deepEqual([asked, leases()], [["a", "bad", "b"], 0]);
  assert.deepEqual(
    lines.map(({ level, image, reason }) => [level, image, reason]),
    [
      [30, "a", undefined],
      [40, "bad", "no bad"],
      [30, "b", undefined],
    ],
  );
});

test("an abort ends it without a warning", async () => {
  const stop = new AbortController();
  const { images, asked } = store(() => {
    stop.abort();
    return false;
  });
  const { log, lines } = testLog();
  await prepullImages(images, ["a", "b"], log, stop.signal);
  assert.deepEqual([asked, lines], [["a"], []]);
});
