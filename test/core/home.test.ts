import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { homeAt } from "../../src/core/home.ts";
import { tempDirectory } from "../support/temp-directory.ts";

test("every place is a different one directly below the root", () => {
  const { root, ...places } = homeAt("/var/lib/boxer");
  assert.equal(root, "/var/lib/boxer");
  const paths = Object.values(places);
  assert.equal(new Set(paths).size, paths.length);
  for (const path of paths) assert.match(path, /^\/var\/lib\/boxer\/[a-z.]+$/);
});

test("a trailing slash of the root changes no place", () => {
  const { root: _, ...plain } = homeAt("/var/lib/boxer");
  const { root: __, ...slashed } = homeAt("/var/lib/boxer/");
  assert.deepEqual(slashed, plain);
});

test("laying out a home touches nothing", async (t) => {
  const root = join(await tempDirectory(t), "home");
  homeAt(root);
  assert.equal(existsSync(root), false);
});
