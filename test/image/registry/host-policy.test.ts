import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BoxerError } from "../../../src/core/errors.ts";
import { HostPolicy } from "../../../src/image/registry/host-policy.ts";

const policy = new HostPolicy(["plain.example", "Port.example:5000"]);

describe("plain http is allowed for loopback and the listed registries", () => {
  const cases: [address: string, allowed: boolean][] = [
    ["http://localhost:5000", true],
    ["http://127.0.0.1", true],
    ["http://127.255.1.2:80", true],
    ["http://0x7f.1/", true],
    ["http://[::1]:5000", true],
    ["http://plain.example", true],
    ["http://plain.example:1234", true],
    ["http://port.example:5000", true],
    ["https://port.example:5000", true],
    ["http://port.example", false],
    ["http://port.example:5001", false],
    ["http://sub.plain.example", false],
    ["http://localhost.example", false],
    ["http://127.0.0.1.example", false],
    ["http://128.0.0.1", false],
    ["http://10.0.0.1:5000", false],
    ["http://[::2]", false],
  ];
  for (const [address, allowed] of cases) {
    test(address, () => assert.equal(policy.mayUsePlainHttp(new URL(address)), allowed));
  }
});

describe("an address that a server names is followed or refused", () => {
  const cases: [from: string, address: string, outcome: string | RegExp][] = [
    ["https://r.example/v2/", "https://cdn.example/x?y", "https://cdn.example/x?y"],
    ["https://r.example/v2/a", "/v2/b", "https://r.example/v2/b"],
    ["https://r.example/v2/a", "//cdn.example/b", "https://cdn.example/b"],
    ["https://r.example", "https://u:p@cdn.example/x", "https://cdn.example/x"],
    ["https://r.example", "http://r.example/x", /leave https/],
    ["https://r.example", "http://plain.example/x", /leave https/],
    ["http://plain.example", "http://other.example/x", /plain http is not allowed/],
    ["http://plain.example", "http://port.example:5000/x", "http://port.example:5000/x"],
    ["http://plain.example", "https://other.example/x", "https://other.example/x"],
    ["http://plain.example", "http://127.0.0.1:9200/x", /loopback/],
    ["http://plain.example", "http://0.0.0.0/x", /loopback/],
    ["https://r.example", "https://localhost/x", /loopback/],
    ["https://r.example", "https://localhost./x", /loopback/],
    ["https://r.example", "https://0/x", /loopback/],
    ["https://r.example", "https://[::ffff:127.0.0.1]/x", /loopback/],
    ["https://r.example", "https://2130706433/x", /loopback/],
    ["https://r.example", "https://169.254.169.254/latest/meta-data", /link-local/],
    ["https://r.example", "https://[fe80::1]/x", /link-local/],
    ["https://r.example", "https://[::ffff:169.254.169.254]/x", /link-local/],
    ["http://127.0.0.1:5000", "http://127.0.0.1:5001/x", "http://127.0.0.1:5001/x"],
    ["http://127.0.0.1:5000", "http://localhost:5001/x", "http://localhost:5001/x"],
    ["https://r.example", "file:///etc/passwd", /not an http/],
    ["https://r.example", "javascript:alert(1)", /not an http/],
    ["https://r.example", "https://", /not an http/],
    ["https://r.example", "", "https://r.example/"],
  ];
  for (const [from, address, outcome] of cases) {
    test(`${from} names ${address}`, () => {
      const follow = () => policy.follow(new URL(from), address, "redirect").href;
      if (typeof outcome === "string") assert.equal(follow(), outcome);
      else assert.throws(follow, (error) => error instanceof BoxerError && outcome.test(error.message));
    });
  }
});
