import assert from "node:assert/strict";
import { test } from "node:test";
import { addToSearchPath } from "../../../scripts/setup/add-to-search-path.ts";

for (const [path, expected] of [
  ["/usr/bin:/bin", "/usr/bin:/bin:/tools"],
  ["/tools:/bin", "/tools:/bin"],
  ["", "/tools"],
  [undefined, "/tools"],
] as const) {
  test(`of ${path ?? "nothing"} and /tools is made ${expected}`, () => {
    const env = path === undefined ? {} : { PATH: path };
    addToSearchPath("/tools", env);
    assert.deepEqual(env, { PATH: expected });
  });
}
