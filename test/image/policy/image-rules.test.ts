import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkRules } from "../../../src/image/policy/image-rules.ts";
import { parseReference } from "../../../src/image/reference.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
const check = (reference: string, image_allow: string[], image_deny: string[] = []) =>
  checkRules(parseReference(reference), { image_allow, image_deny });

describe("what is allowed", () => {
  const cases: [reference: string, allow: string[], deny?: string[]][] = [
    ["anything", []],
    ["local/python:3", []],
    ["python:3", ["docker.io/library/*"]],
    ["python", ["docker.io/library/python"]],
    ["python:3", ["docker.io/library/python"]],
    [`python@${DIGEST}`, ["docker.io/library/python"]],
    [`python:3@${DIGEST}`, ["docker.io/library/python"]],
    ["python:3.12-slim", ["docker.io/library/python:3.*"]],
    [`python:3@${DIGEST}`, [`docker.io/library/python@${DIGEST}`]],
    ["ghcr.io/acme/a/b:1", ["docker.io/**", "ghcr.io/acme/**"]],
    ["local/python:3", ["local/**"]],
    ["[::1]:5000/a/b", ["[::1]:5000/a/*"]],
    ["python:3", [], ["docker.io/library/python:2"]],
    ["python:3", ["docker.io/**"], ["docker.io/library/node"]],
  ];
  for (const [reference, allow, deny] of cases) {
    test(`${reference} by ${allow.join(" ")} without ${deny ?? "any"}`, () => check(reference, allow, deny));
  }
});

describe("what is not allowed, and the rule that says so", () => {
  const cases: [reference: string, allow: string[], deny: string[], rule: string][] = [
    ["node", ["docker.io/library/python"], [], "nothing in image_allow fits it"],
    ["python-evil", ["docker.io/library/python"], [], "nothing in image_allow fits it"],
    ["acme/python", ["docker.io/library/*"], [], "nothing in image_allow fits it"],
    ["local/python:3", ["docker.io/**"], [], "nothing in image_allow fits it"],
    ["python:2", [], ["docker.io/library/python:2"], 'image_deny has "docker.io/library/python:2"'],
    ["python", [], ["docker.io/library/python"], 'image_deny has "docker.io/library/python"'],
    ["local/python:3", [], ["local/**"], 'image_deny has "local/**"'],
    ["python:3", ["docker.io/library/python:3"], ["docker.io/**"], 'image_deny has "docker.io/**"'],
    ["python:3", ["**"], ["quay.io/**", "**/python:*"], 'image_deny has "**/python:*"'],
  ];
  for (const [reference, allow, deny, rule] of cases) {
    test(`${reference} by ${allow.join(" ") || "all"} without ${deny.join(" ") || "any"}`, () => {
      const { text } = parseReference(reference);
      assert.throws(() => check(reference, allow, deny), {
        code: "image_not_allowed",
        field: "image",
        message: `Image ${text} is not allowed by this server: ${rule}`,
      });
    });
  }
});
