import assert from "node:assert/strict";
import { test } from "node:test";
import { parseChallenges } from "../../../src/image/registry/challenge.ts";

const read = (header: string | null) =>
  parseChallenges(header).map(({ scheme, parameters }) => ({ scheme, ...Object.fromEntries(parameters) }));

test("a bearer challenge gives realm, service and scope", () => {
  const header =
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"';
  assert.deepEqual(read(header), [
    {
      scheme: "bearer",
      realm: "https://auth.docker.io/token",
      service: "registry.docker.io",
      scope: "repository:a/b:pull,push",
    },
  ]);
});

test("several challenges of one header are told apart", () => {
  assert.deepEqual(read('Basic realm="a, b", Bearer realm=c , service = "d"'), [
    { scheme: "basic", realm: "a, b" },
    { scheme: "bearer", realm: "c", service: "d" },
  ]);
});

test("names and schemes are read in any case, and quoted characters are unquoted", () => {
  assert.deepEqual(read('BEARER Realm="a\\"b\\\\c"'), [{ scheme: "bearer", realm: 'a"b\\c' }]);
});

test("of a parameter that is repeated the first counts", () => {
  assert.deepEqual(read('Bearer realm="a",realm="b"'), [{ scheme: "bearer", realm: "a" }]);
});

for (const header of [null, "", ",,,", 'realm="x"', `Bearer realm="${"a".repeat(9000)}"`]) {
  test(`a header that says nothing of use gives no challenge: ${header?.slice(0, 20)}`, () => {
    assert.deepEqual(read(header), []);
  });
}

test("a quote that is never closed is passed over", () => {
  assert.deepEqual(
    read('Bearer realm="abc').map(({ scheme }) => scheme),
    ["bearer", "realm", "abc"],
  );
});
