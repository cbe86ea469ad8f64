import assert from "node:assert/strict";
import { test } from "node:test";
import { MACHINE_PLATFORM } from "../../../src/image/manifest/parse-platform.ts";
import { isForThisPlatform } from "../../../src/image/policy/find-fresh.ts";

const OTHER = { os: "linux", architecture: "s390x" };

test("a name that was looked up for another platform is not for this one", () => {
  assert.equal(isForThisPlatform({ imported: false, platform: "linux/s390x" }, OTHER), true);
  assert.equal(isForThisPlatform({ imported: false, platform: "linux/s390x" }, MACHINE_PLATFORM), false);
  assert.equal(
    isForThisPlatform({ imported: false, platform: "linux/arm/v7" }, { ...OTHER, architecture: "arm" }),
    false,
  );
});

test("a name of before there was a choice is for the machine's own", () => {
  assert.equal(isForThisPlatform({ imported: false }, MACHINE_PLATFORM), true);
  assert.equal(isForThisPlatform({ imported: false }, OTHER), false);
});

test("an imported name is what it is", () => {
  assert.equal(isForThisPlatform({ imported: true, platform: "linux/amd64" }, OTHER), true);
});
