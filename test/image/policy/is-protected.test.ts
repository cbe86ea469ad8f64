import assert from "node:assert/strict";
import { test } from "node:test";
import { protectionOf } from "../../../src/image/policy/is-protected.ts";
import { summary } from "../support/summaries.ts";

test("images that were imported are protected, since no pull brings them back", () => {
  assert.equal(protectionOf([])(summary("a", { imported: true })), true);
  assert.equal(protectionOf([])(summary("a")), false);
});

test("images that are pre-pulled are protected, however their name is spelled", () => {
  for (const spelling of ["a", "library/a", "docker.io/library/a:latest"]) {
    assert.equal(protectionOf([spelling])(summary("a")), true, spelling);
    assert.equal(protectionOf([spelling])(summary("b")), false, spelling);
  }
});

test("what is no reference protects nothing and does no harm", () => {
  assert.equal(protectionOf(["A B", "a"])(summary("a")), true);
  assert.equal(protectionOf(["A B"])(summary("a")), false);
});

test("one name is enough to protect an image that has several", () => {
  const [a, b] = [summary("a"), summary("b", { imported: true })];
  assert.equal(protectionOf([])({ ...a, references: [...a.references, ...b.references] }), true);
});
