import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { choosePlatform, isForPlatform } from "../../../src/image/manifest/choose-platform.ts";
import type { ImageIndex } from "../../../src/image/manifest/parse-manifest.ts";
import type { ImagePlatform } from "../../../src/image/types.ts";

function platformOf(text: string): ImagePlatform {
  const [os = "", architecture = "", variant] = text.split("/");
  return { os, architecture, ...(variant ? { variant } : {}) };
}

/** An index whose entries are told apart by their size: their place. "-" has no platform. */
function indexOf(texts: string[]): ImageIndex {
  const manifests = texts.map((text, place) => {
    const { os, architecture, variant } = platformOf(text);
    const platform = text === "-" ? undefined : { os, architecture, variant };
    return { media_type: "", digest: "sha256:" as const, size_bytes: place, annotations: {}, platform };
  });
  return { kind: "index", manifests };
}

describe("the manifest for a machine is picked", () => {
  const cases: [wanted: string, offered: string[], chosen: number][] = [
    ["linux/amd64", ["linux/arm64", "linux/amd64", "windows/amd64"], 1],
    ["linux/amd64", ["linux/amd64", "linux/amd64"], 0],
    ["linux/amd64", ["unknown/unknown", "linux/amd64"], 1],
    ["linux/amd64", ["linux/x86_64"], 0],
    ["linux/x86_64", ["linux/amd64"], 0],
    ["linux/amd64", ["linux/amd64/v2", "linux/amd64"], 1],
    ["linux/amd64/v3", ["linux/amd64", "linux/amd64/v4", "linux/amd64/v3", "linux/amd64/v2"], 2],
    ["linux/arm64", ["linux/arm/v7", "linux/arm64/v8"], 1],
    ["linux/arm64/v8", ["linux/aarch64"], 0],
    ["linux/arm", ["linux/arm/v5", "linux/arm/v7", "linux/arm/v6"], 1],
    ["linux/arm/v6", ["linux/arm/v7", "linux/arm/v5", "linux/arm/v6"], 2],
    ["linux/arm/v6", ["linux/arm/v7", "linux/arm/v5"], 1],
    ["linux/s390x", ["linux/amd64", "linux/s390x"], 1],
    ["linux/amd64", ["-"], 0],
    ["linux/amd64", ["-", "linux/amd64"], 1],
    ["linux/amd64", ["linux/arm64", "-"], 1],
  ];
  for (const [wanted, offered, chosen] of cases) {
    test(`${wanted} of ${offered.join(", ")}`, () => {
      assert.equal(choosePlatform(indexOf(offered), platformOf(wanted)).size_bytes, chosen);
    });
  }
});

describe("where there is none the message says what there is", () => {
  const cases: [wanted: string, offered: string[], message: string][] = [
    ["linux/amd64", ["linux/arm64", "windows/amd64", "linux/arm64"], "only for linux/arm64, windows/amd64"],
    ["linux/arm/v6", ["linux/arm/v7"], "not made for linux/arm/v6, only for linux/arm/v7"],
    ["linux/amd64", [], "only for nothing"],
    ["linux/constructor", ["linux/amd64"], "not made for linux/constructor, only for linux/amd64"],
  ];
  for (const [wanted, offered, message] of cases) {
    test(message, () => {
      assert.throws(
        () => choosePlatform(indexOf(offered), platformOf(wanted)),
        (error: Error) => {
          assert.ok(error.message.includes(message), error.message);
          return "code" in error && error.code === "image_not_found";
        },
      );
    });
  }
});

test("a config is held to be for a machine as far as it says anything", () => {
  const wanted = platformOf("linux/amd64");
  assert.equal(isForPlatform({ os: "linux", architecture: "x86_64" }, wanted), true);
  assert.equal(isForPlatform({ os: "", architecture: "" }, wanted), true);
  assert.equal(isForPlatform({ os: "linux", architecture: "arm64" }, wanted), false);
  assert.equal(isForPlatform({ os: "windows", architecture: "amd64" }, wanted), false);
});
