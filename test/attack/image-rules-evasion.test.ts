import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkRules } from "../../src/image/policy/image-rules.ts";
import { matchPattern } from "../../src/image/policy/match-pattern.ts";
import { parseReference } from "../../src/image/reference.ts";
import { TestStore } from "../image/support/test-store.ts";
import { FakeRegistry, imageOf, sha256 } from "../support/fake-registry.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
const refused = (reference: string, rules: { image_allow?: string[]; image_deny?: string[] }) =>
  assert.throws(
    () => checkRules(parseReference(reference), { image_allow: [], image_deny: [], ...rules }),
    { code: "image_not_allowed" },
    reference,
  );

describe("an image that is denied by name is not had under another spelling", () => {
  const image_deny = ["docker.io/library/miner"];
  const spellings = [
    "miner",
    "library/miner",
    "docker.io/miner",
    "docker.io/library/miner",
    "index.docker.io/miner",
    "index.docker.io/library/miner",
    "miner:latest",
    "miner:v1",
    `miner@${DIGEST}`,
    `miner:v1@${DIGEST}`,
  ];
  for (const spelling of spellings) test(spelling, () => refused(spelling, { image_deny }));
});

test("a digest beside a denied tag, or a tag beside a denied digest, does not help", () => {
  refused(`miner:v1@${DIGEST}`, { image_deny: ["docker.io/library/miner:v1"] });
  refused(`miner:v1@${DIGEST}`, { image_deny: [`docker.io/library/miner@${DIGEST}`] });
});

test("an allowed tag does not let any digest through beside it", () => {
  refused(`python:3@${DIGEST}`, { image_allow: ["docker.io/library/python:3"] });
  refused(`python:3.1@${DIGEST}`, { image_allow: ["docker.io/library/python:3.*"] });
});

test("another registry does not pass for the one that is allowed", () => {
  for (const reference of ["docker.io.evil.example/library/x", "evil.example/docker.io/library/x"]) {
    refused(reference, { image_allow: ["docker.io/library/*"] });
  }
});

test("a long reference against many stars is judged at once", () => {
  const pattern = `docker.io/${"*a".repeat(60)}*z`;
  assert.equal(matchPattern(pattern, `docker.io/${"a".repeat(1000)}`), false);
});

describe("an image that is here already", () => {
  test("is not had by its digest under a name that is denied, nor is anything asked of the registry", async () => {
    const registry = await FakeRegistry.start();
    const images = await TestStore.open({ image_allow: [`${registry.host}/good/**`] });
    try {
      const image = imageOf([{ a: "1" }]);
      registry.addImage("good/app", image, "v1");
      (await images.acquire(`${registry.host}/good/app:v1`)).release();
      registry.seen.length = 0;
      for (const name of [`evil.example/x@${image.digest}`, `${registry.host}/bad/app:v1`, "local/x"]) {
        await assert.rejects(images.acquire(name), { code: "image_not_allowed" }, name);
        await assert.rejects(images.acquire(name, "never"), { code: "image_not_allowed" }, name);
        await assert.rejects(images.store.importLayout("/nonexistent", name), { code: "image_not_allowed" });
      }
      assert.deepEqual(registry.seen, []);
      assert.equal(registry.count("GET", sha256(image.manifest)), 0);
    } finally {
      await images.close();
      await registry.stop();
    }
  });
});
