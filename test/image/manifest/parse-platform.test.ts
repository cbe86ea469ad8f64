import assert from "node:assert/strict";
import { test } from "node:test";
import { describePlatform } from "../../../src/image/manifest/choose-platform.ts";
import { MACHINE_PLATFORM, parsePlatform } from "../../../src/image/manifest/parse-platform.ts";

test("a platform is read with and without its variant", () => {
  assert.deepEqual(parsePlatform("linux/arm64"), { os: "linux", architecture: "arm64" });
  assert.deepEqual(parsePlatform("linux/arm/v7"), { os: "linux", architecture: "arm", variant: "v7" });
});

test("the machine's own is written as it is read", () => {
  assert.deepEqual(parsePlatform(describePlatform(MACHINE_PLATFORM)), MACHINE_PLATFORM);
});
