import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { ConfigSchema } from "../src/config/config-schema.ts";
import { RunBody, RunResponse } from "../src/http/run-model.ts";

const readme = await readFile(join(import.meta.dirname, "..", "README.md"), "utf8");

describe("the README", () => {
  it("has a row for every key of the configuration", () => {
    const keys = Object.keys(ConfigSchema.properties).filter((key) => key !== "defaults");
    const rows = [...readme.matchAll(/^\| `([a-z_]+)` \|.*\|.*\|$/gm)].map(([, key]) => key);
    for (const key of keys) assert.ok(rows.includes(key), `${key} has no row`);
    const nested = ConfigSchema.properties.defaults;
    for (const key of Object.keys(nested.properties))
      assert.ok(readme.includes(`| \`defaults.${key}\` |`), key);
  });

  it("names every field of a request and of an answer", () => {
    for (const field of [...Object.keys(RunBody.properties), ...Object.keys(RunResponse.properties)]) {
      assert.ok(readme.includes(`\`${field}\``), `${field} is not named`);
    }
  });

  it("holds no gaps", () => {
    assert.doesNotMatch(readme, /@@|TODO|FIXME/);
  });
});
