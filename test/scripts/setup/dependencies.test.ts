import assert from "node:assert/strict";
import { test } from "node:test";
import { isInstalled } from "../../../scripts/setup/dependencies.mjs";

const LOCK = {
  packages: {
    "": { version: "0.1.0" },
    "node_modules/a": { version: "1.0.0", integrity: "sha512-a" },
    "node_modules/tool": { version: "2.0.0", integrity: "sha512-t", dev: true },
    "node_modules/other-platform": { version: "3.0.0", integrity: "sha512-o", optional: true },
  },
};
const [A, TOOL, OTHER] = ["node_modules/a", "node_modules/tool", "node_modules/other-platform"] as const;
const { [A]: a, [TOOL]: tool, [OTHER]: other } = LOCK.packages;

const cases = [
  { name: "nothing there", there: {}, serve: false, develop: false },
  { name: "all there", there: { [A]: a, [TOOL]: tool, [OTHER]: other }, serve: true, develop: true },
  {
    name: "a package for another platform missing",
    there: { [A]: a, [TOOL]: tool },
    serve: true,
    develop: true,
  },
  { name: "development packages missing", there: { [A]: a }, serve: true, develop: false },
  { name: "a package missing", there: { [TOOL]: tool }, serve: false, develop: false },
  {
    name: "another version",
    there: { [A]: { ...a, version: "1.0.1" }, [TOOL]: tool },
    serve: false,
    develop: false,
  },
  {
    name: "the same version of other content",
    there: { [A]: { ...a, integrity: "sha512-x" }, [TOOL]: tool },
    serve: false,
    develop: false,
  },
  {
    name: "a left-over besides",
    there: { [A]: a, [TOOL]: tool, "node_modules/b": a },
    serve: true,
    develop: true,
  },
];

for (const { name, there, serve, develop } of cases) {
  test(`dependencies with ${name}: ${serve ? "" : "not "}enough to serve, ${develop ? "" : "not "}to develop`, () => {
    assert.equal(isInstalled(LOCK, { packages: there }, false), serve);
    assert.equal(isInstalled(LOCK, { packages: there }, true), develop);
  });
}

test("no node_modules at all is not enough", () => assert.equal(isInstalled(LOCK, {}, false), false));
