import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BoxerError } from "../../src/core/errors.ts";
import { checkEnvironment, mergeEnvironment } from "../../src/sandbox/environment.ts";

/** The value of a name, which must be there exactly once. */
function valueIn(environment: string[], name: string): string {
  const entries = environment.filter((entry) => entry.startsWith(`${name}=`));
  assert.equal(entries.length, 1, `${name} in ${JSON.stringify(environment)}`);
  return (entries[0] ?? "").slice(name.length + 1);
}

describe("merging", () => {
  test("PATH and HOME are there though nobody names them", () => {
    const merged = mergeEnvironment([], []);
    assert.match(valueIn(merged, "PATH"), /(^|:)\/usr\/bin(:|$)/);
    assert.equal(valueIn(merged, "HOME"), "/tmp");
    assert.equal(merged.length, 2);
  });

  test("the image's entries replace the base, the request's replace the image's", () => {
    const merged = mergeEnvironment(["PATH=/image", "A=image", "B=image"], ["A=request", "C=request"]);
    assert.equal(valueIn(merged, "PATH"), "/image");
    assert.equal(valueIn(merged, "A"), "request");
    assert.equal(valueIn(merged, "B"), "image");
    assert.equal(valueIn(merged, "C"), "request");
    assert.equal(valueIn(mergeEnvironment(["PATH=/image"], ["PATH=/request"]), "PATH"), "/request");
    assert.equal(valueIn(mergeEnvironment([], ["HOME=/root"]), "HOME"), "/root");
  });

  test("of one name in one list the last wins", () => {
    assert.equal(valueIn(mergeEnvironment([], ["A=1", "A=2"]), "A"), "2");
    assert.equal(valueIn(mergeEnvironment(["A=1", "A=2"], []), "A"), "2");
  });

  test("an empty value replaces, and a value may hold = and newlines", () => {
    const merged = mergeEnvironment(["A=image"], ["A=", "B=x=y", "C=two\nlines"]);
    assert.equal(valueIn(merged, "A"), "");
    assert.equal(valueIn(merged, "B"), "x=y");
    assert.equal(valueIn(merged, "C"), "two\nlines");
  });

  test("names are told apart by case, and one may be part of another", () => {
    const merged = mergeEnvironment([], ["a=1", "A=2", "AA=3"]);
    assert.deepEqual(
      ["a", "A", "AA"].map((name) => valueIn(merged, name)),
      ["1", "2", "3"],
    );
  });

  test("entries of an image that are none are left out, and what they would hide stays", () => {
    const bad = ["PATH", "", "=x", "A\0B=1", "C=x\0y", "D\nE=1", "\u007f=1"];
    assert.deepEqual(mergeEnvironment(bad, []), mergeEnvironment([], []));
    assert.equal(valueIn(mergeEnvironment([...bad, "GOOD=1"], []), "GOOD"), "1");
  });

  test("names of object properties are names like any other", () => {
    const merged = mergeEnvironment(["__proto__=1", "constructor=2"], ["__proto__=3"]);
    assert.equal(valueIn(merged, "__proto__"), "3");
    assert.equal(valueIn(merged, "constructor"), "2");
  });
});

describe("what a request may name", () => {
  const good = [
    "A=b",
    "A=",
    "A==",
    "a.b-c d=1",
    "ü=ö",
    "A=two\nlines",
    "A=\u0001\u007f",
    "1=2",
    "__proto__=x",
  ];
  for (const entry of good) {
    test(`${JSON.stringify(entry)} is taken`, () => checkEnvironment(["X=y", entry]));
  }

  const bad = ["B", "", "=", "=x", "A\0=b", "A=b\0c", "A\nB=c", "\n=x", "A\u001f=x", "A\u007f=x", "A\r\n"];
  for (const entry of bad) {
    test(`${JSON.stringify(entry)} is refused by its position`, () => {
      assert.throws(
        () => checkEnvironment(["X=y", entry, "B"]),
        (error) => {
          assert.ok(error instanceof BoxerError);
          assert.equal(error.code, "invalid_request");
          assert.equal(error.field, "env[1]");
          assert.match(error.message, /^env\[1\] must be NAME=value/);
          return true;
        },
      );
    });
  }
});
