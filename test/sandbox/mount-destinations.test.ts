import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BoxerError } from "../../src/core/errors.ts";
import { checkMountDestinations } from "../../src/sandbox/mount-destinations.ts";

const check = (...destinations: string[]) =>
  checkMountDestinations(destinations, (index) => `files[${index}]`);

function assertRefused(destinations: string[], field: string, reason: RegExp): void {
  assert.throws(
    () => check(...destinations),
    (error) => {
      assert.ok(error instanceof BoxerError, String(error));
      assert.equal(error.code, "invalid_path");
      assert.equal(error.field, field);
      assert.ok(error.message.startsWith(`${field}: cannot mount at `), error.message);
      assert.match(error.message, reason);
      return true;
    },
  );
}

describe("a place that Boxer mounts itself is refused, with all below it", () => {
  const places = ["/proc", "/dev", "/sys", "/tmp", "/output"];
  const below = [
    "/proc/self/exe",
    "/dev/null",
    "/dev/shm/x",
    "/sys/kernel",
    "/tmp/x",
    "/tmp/a/b",
    "/output/x",
  ];
  for (const destination of [...places, ...below]) {
    test(destination, () => assertRefused([destination], "files[0]", /is reserved$/));
  }
});

describe("a name that only begins like a reserved one is fine", () => {
  for (const destination of [
    "/process",
    "/device/x",
    "/sysroot",
    "/tmpfile",
    "/outputs/x",
    "/data/proc",
    "/a/tmp/b",
  ]) {
    test(destination, () => check(destination));
  }
});

describe("several files", () => {
  test("may lie side by side and in each other's directories", () => {
    check("/work/a.py", "/work/b.py", "/work/lib/c.py", "/d", "/work/a.pyc");
    check();
  });

  test("may not lie at the same place", () => {
    assertRefused(["/a", "/b", "/a"], "files[2]", /given twice$/);
  });

  test("may not lie below another, in whatever order they come", () => {
    assertRefused(["/a", "/a/b"], "files[1]", /\/a is itself a file$/);
    assertRefused(["/x/a/b/c", "/x/a"], "files[0]", /\/x\/a is itself a file$/);
  });
});

test("the root is refused", () => {
  assertRefused(["/"], "files[0]", /it is the root$/);
});

test("the first one at fault is named as the caller wants it", () => {
  assert.throws(
    () => checkMountDestinations(["/a", "/tmp/x"], (index) => `inline_files[${index}].path`),
    (error) => error instanceof BoxerError && error.field === "inline_files[1].path",
  );
});
