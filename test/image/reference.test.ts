import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BoxerError } from "../../src/core/errors.ts";
import { parseReference } from "../../src/image/reference.ts";

const SHA256 = `sha256:${"0123456789abcdef".repeat(4)}`;
const SHA512 = `sha512:${"0123456789abcdef".repeat(8)}`;

describe("a reference is read as docker reads it", () => {
  const cases: [text: string, normalised: string, registry: string, repository: string][] = [
    ["python", "docker.io/library/python:latest", "docker.io", "library/python"],
    ["python:3.12-slim", "docker.io/library/python:3.12-slim", "docker.io", "library/python"],
    ["docker.io/python", "docker.io/library/python:latest", "docker.io", "library/python"],
    ["index.docker.io/python", "docker.io/library/python:latest", "docker.io", "library/python"],
    ["index.docker.io/a/b:c", "docker.io/a/b:c", "docker.io", "a/b"],
    ["bitnami/redis", "docker.io/bitnami/redis:latest", "docker.io", "bitnami/redis"],
    ["a/b/c/d", "docker.io/a/b/c/d:latest", "docker.io", "a/b/c/d"],
    ["ghcr.io/o/r:1", "ghcr.io/o/r:1", "ghcr.io", "o/r"],
    ["ghcr.io/r", "ghcr.io/r:latest", "ghcr.io", "r"],
    ["localhost/x", "localhost/x:latest", "localhost", "x"],
    ["localhost:5000/x/y:z", "localhost:5000/x/y:z", "localhost:5000", "x/y"],
    ["localhost:5000", "docker.io/library/localhost:5000", "docker.io", "library/localhost"],
    ["registry.local:5000/x:y", "registry.local:5000/x:y", "registry.local:5000", "x"],
    ["127.0.0.1:5000/x", "127.0.0.1:5000/x:latest", "127.0.0.1:5000", "x"],
    ["[::1]:5000/x", "[::1]:5000/x:latest", "[::1]:5000", "x"],
    ["[2001:db8::1]/x", "[2001:db8::1]/x:latest", "[2001:db8::1]", "x"],
    ["Registry/x", "Registry/x:latest", "Registry", "x"],
    [`python@${SHA256}`, `docker.io/library/python@${SHA256}`, "docker.io", "library/python"],
    [`python:3@${SHA256}`, `docker.io/library/python:3@${SHA256}`, "docker.io", "library/python"],
    [`ghcr.io/o/r@${SHA512}`, `ghcr.io/o/r@${SHA512}`, "ghcr.io", "o/r"],
    ["x:_1.-A", "docker.io/library/x:_1.-A", "docker.io", "library/x"],
    [`x:${"t".repeat(128)}`, `docker.io/library/x:${"t".repeat(128)}`, "docker.io", "library/x"],
    ["local/python:3", "local/python:3", "docker.io", "local/python"],
    ["docker.io/local/python", "local/python:latest", "docker.io", "local/python"],
  ];
  for (const [text, normalised, registry, repository] of cases.filter(
    ([text]) => !text.startsWith("a.b_c"),
  )) {
    test(text, () => {
      const reference = parseReference(text);
      assert.equal(reference.text, normalised);
      assert.equal(reference.registry, registry);
      assert.equal(reference.repository, repository);
      assert.deepEqual(parseReference(reference.text), reference, "the normalised text reads the same");
    });
  }
});

describe("a reference that is no reference is refused with the reason", () => {
  const cases: [text: string, reason: RegExp][] = [
    ["", /it is empty/],
    ["x".repeat(1025), /longer than 1024 characters/],
    ["https://ghcr.io/o/r", /it has a scheme/],
    ["docker://python", /it has a scheme/],
    ["a".repeat(64), /bare image id/],
    ["Python", /lower case/],
    ["library/Python", /lower case/],
    ["python:", /the tag must be/],
    ["python:a b", /the tag must be/],
    ["python:.a", /the tag must be/],
    ["python:-a", /the tag must be/],
    [`python:${"t".repeat(129)}`, /the tag must be/],
    ["python:a:b", /the tag must be/],
    ["python@", /the digest must be/],
    ["python@sha256:abc", /the digest must be/],
    [`python@sha256:${"A".repeat(64)}`, /the digest must be/],
    [`python@sha256:${"0".repeat(128)}`, /the digest must be/],
    [`python@sha512:${"0".repeat(64)}`, /the digest must be/],
    [`python@md5:${"0".repeat(32)}`, /the digest must be/],
    [`python@${SHA256}@${SHA256}`, /more than one @/],
    [`@${SHA256}`, /it has no name/],
    [":tag", /it has no name/],
    ["ghcr.io/", /it has no name/],
    ["/x", /each part of the name/],
    ["a//b", /each part of the name/],
    ["a/b/", /each part of the name/],
    ["a/../b", /each part of the name/],
    ["../a", /registry is not a host/],
    ["a___b", /each part of the name/],
    ["a..b", /each part of the name/],
    ["-a", /each part of the name/],
    ["a-", /each part of the name/],
    [" python", /each part of the name/],
    ["python\n", /each part of the name/],
    ["py\0thon", /each part of the name/],
    ["a.b_c/d", /registry is not a host/],
    ["-a.com/x", /registry is not a host/],
    ["a..com/x", /registry is not a host/],
    ["user:pass@host.com/x", /the digest must be/],
    ["localhost:port/x", /registry is not a host/],
    ["localhost:0/x", /port is out of range/],
    ["localhost:65536/x", /port is out of range/],
    ["1.2.3.4.5/x", /registry is not a host/],
    ["[::g]/x", /registry is not a host/],
    ["[fe80::1%25eth0]/x", /registry is not a host/],
    ["[::1/x", /registry is not a host/],
    [`${"a.".repeat(128)}b/x`, /registry is longer than 255/],
    [`${"a/".repeat(127)}bc`, /name is longer than 255/],
  ];
  for (const [text, reason] of cases) {
    test(JSON.stringify(text.slice(0, 60)), () => {
      assert.throws(
        () => parseReference(text),
        (error) => {
          assert.ok(error instanceof BoxerError);
          assert.equal(error.code, "invalid_image_reference");
          assert.equal(error.field, "image");
          assert.match(error.message, /^Cannot parse image reference "/);
          assert.match(error.message, reason);
          assert.ok(error.message.length < 300, "the message is short");
          assert.doesNotMatch(error.message, /[\p{Cc}]/u, "the message is printable");
          return true;
        },
      );
    });
  }
});

test("a tag is latest only where there is no digest", () => {
  assert.equal(parseReference("x").tag, "latest");
  assert.equal(parseReference(`x@${SHA256}`).tag, undefined);
  assert.equal(parseReference(`x:1@${SHA256}`).tag, "1");
  assert.equal(parseReference(`x:1@${SHA256}`).digest, SHA256);
});

test("only names under local/ of the default registry are local", () => {
  assert.equal(parseReference("local/a/b").local, true);
  assert.equal(parseReference("local").local, false);
  assert.equal(parseReference("localhost/a").local, false);
  assert.equal(parseReference("ghcr.io/local/a").local, false);
});
