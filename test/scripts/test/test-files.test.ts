import assert from "node:assert/strict";
import { test } from "node:test";
import { testFiles } from "../../../scripts/test/test-files.ts";

const THIS = "./test/scripts/test/test-files.test.ts";

test("all test files of a runtime are found, but those of the other", async () => {
  for (const runtime of ["bun", "deno"] as const) {
    const files = await testFiles(runtime, []);
    assert.ok(files.includes(THIS));
    assert.ok(files.every((file) => file.endsWith(".test.ts")));
    assert.ok(
      !files.some((file) => file.startsWith(`./test/runtime/${runtime === "bun" ? "deno" : "bun"}/`)),
    );
  }
});

test("a directory or a file given narrows them down, however it is spelled", async () => {
  for (const filter of ["test/scripts/test", "./test/scripts/test/", `${process.cwd()}/test/scripts/test`]) {
    const files = await testFiles("bun", [filter]);
    assert.ok(files.includes(THIS) && files.every((file) => file.startsWith("./test/scripts/test/")));
  }
  assert.deepEqual(await testFiles("deno", [THIS]), [THIS]);
  assert.deepEqual(await testFiles("deno", ["test/scripts/te"]), []);
});
