import assert from "node:assert/strict";
import { test } from "node:test";
import { createDigester, digestOf, hasDigest, isDigest, splitDigest } from "../../src/image/digest.ts";

const EMPTY = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

test("a digest is an algorithm we know and the right number of lower-case digits", () => {
  assert.equal(isDigest(EMPTY), true);
  assert.equal(isDigest(`sha512:${"a".repeat(128)}`), true);
  for (const text of [
    "",
    EMPTY.slice(0, -1),
    `${EMPTY}0`,
    EMPTY.toUpperCase(),
    `sha512:${"a".repeat(64)}`,
    `md5:${"a".repeat(32)}`,
    ` ${EMPTY}`,
    `${EMPTY}\n`,
    "sha256:../../etc/passwd",
  ]) {
    assert.equal(isDigest(text), false, JSON.stringify(text));
  }
});

test("content is known by its digest, in either algorithm", () => {
  assert.equal(digestOf(""), EMPTY);
  for (const algorithm of ["sha256", "sha512"] as const) {
    const digest = digestOf("content", algorithm);
    assert.equal(hasDigest("content", digest), true);
    assert.equal(hasDigest("other", digest), false);
    assert.equal(createDigester(digest).update("content").digest("hex"), splitDigest(digest).hex);
  }
});
