import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createEgressPolicy } from "../../../src/network/egress/egress-policy.ts";
import { parseEgressRules, type StatedEgress } from "../../../src/network/egress/egress-rules.ts";
import {
  parseOperatorEgress,
  type StatedOperatorEgress,
} from "../../../src/network/egress/operator-egress.ts";
import { isForbidden } from "./is-forbidden.ts";

const PUBLIC = "93.184.216.34";

function policyOf(operator: StatedOperatorEgress, request?: StatedEgress) {
  return createEgressPolicy(
    parseOperatorEgress(operator, isForbidden),
    request && parseEgressRules(request, "egress"),
    isForbidden,
  );
}
const written = (rules: readonly { cidr: string; port: number | null }[]) =>
  rules.map(({ cidr, port }) => (port === null ? cidr : `${cidr} ${port}`));

describe("without any list", () => {
  const policy = policyOf({});
  it("everything public is allowed", () => {
    assert.ok(policy.all_public && policy.allowsName("a.example") && policy.isOpenEnded("a.example"));
    assert.equal(policy.portsOf("a.example", PUBLIC), null);
    assert.deepEqual([policy.public_addresses, policy.private_addresses, policy.denied], [[], [], []]);
  });
  it("no name leads to a private address", () => {
    for (const address of ["10.0.0.1", "169.254.169.254", "127.0.0.1", "fd00::1", "::1", "::ffff:10.0.0.1"]) {
      assert.equal(policy.portsOf("a.example", address), undefined, address);
    }
  });
});

describe("a request's list", () => {
  const policy = policyOf(
    {},
    { allow: ["api.example.com:443", "*.example.org", `${PUBLIC}/32:22`], deny: ["bad.example.org"] },
  );
  it("allows its names, on their ports", () => {
    assert.ok(!policy.all_public);
    assert.ok(policy.allowsName("api.example.com") && policy.allowsName("x.y.example.org"));
    assert.deepEqual(policy.portsOf("api.example.com", PUBLIC), [443]);
    assert.equal(policy.portsOf("x.example.org", PUBLIC), null);
  });
  it("refuses others, and what it denies", () => {
    for (const name of ["example.com", "example.org", "bad.example.org", "api.example.com.evil.example"]) {
      assert.ok(!policy.allowsName(name), name);
      assert.equal(policy.portsOf(name, PUBLIC), undefined, name);
    }
  });
  it("allows by address only what it lists", () => {
    assert.deepEqual(written(policy.public_addresses), [`${PUBLIC}/32 22`]);
    assert.deepEqual(policyOf({}, { allow: ["a.example"] }).public_addresses, []);
  });
  it("tells names that the run makes up from listed ones", () => {
    assert.ok(policy.isOpenEnded("x.example.org"));
    assert.ok(!policy.isOpenEnded("api.example.com"));
  });
  it("allows nothing when empty", () => {
    const nothing = policyOf({}, { allow: [] });
    assert.ok(!nothing.all_public && !nothing.allowsName("a.example"));
  });
});

describe("a request narrows what the configuration permits", () => {
  const operator = {
    allow: ["*.example.org:443", "api.example.com", "93.184.0.0/16:443"],
    deny: ["secret.example.org", "93.184.9.0/24"],
  };
  it("for names, both have to allow", () => {
    const policy = policyOf(operator, {
      allow: ["*.a.example.org", "api.example.com:8443"],
      deny: ["x.a.example.org"],
    });
    assert.deepEqual(policy.portsOf("b.a.example.org", PUBLIC), [443]);
    assert.deepEqual(policy.portsOf("api.example.com", PUBLIC), [8443]);
    for (const name of ["b.example.org", "x.a.example.org", "a.example.org"]) {
      assert.ok(!policy.allowsName(name), name);
    }
  });
  it("for addresses, too", () => {
    const policy = policyOf(operator, { allow: ["93.184.216.0/24", "0.0.0.0/0:443"] });
    assert.deepEqual(written(policy.public_addresses), ["93.184.216.0/24 443", "93.184.0.0/16 443"]);
    assert.deepEqual(written(policyOf(operator).public_addresses), ["93.184.0.0/16 443"]);
    assert.deepEqual(written(policyOf(operator, { deny: ["1.1.1.1"] }).denied), [
      "93.184.9.0/24",
      "1.1.1.1/32",
    ]);
  });
  it("what the operator denies cannot be allowed", () => {
    const policy = policyOf(operator, { allow: ["secret.example.org", "*.example.org"] });
    assert.ok(!policy.allowsName("secret.example.org"));
    assert.equal(policy.portsOf("a.example.org", "93.184.9.1"), undefined);
    assert.deepEqual(policy.portsOf("a.example.org", "93.184.8.1"), [443]);
  });

  const useless: [StatedOperatorEgress, string][] = [
    [operator, "other.example"],
    [operator, "example.org"],
    [operator, "a.example.org:80"],
    [operator, "1.1.1.1"],
    [operator, "93.184.0.0/16:80"],
    [{}, "10.0.0.1"],
    [{}, "169.254.169.254"],
    [{}, "fd00::/8"],
    [{ private_allow: ["10.1.0.0/16"] }, "10.2.0.0/16"],
    [{ private_allow: ["10.1.0.0/16:5432"] }, "10.1.0.0/16:22"],
  ];
  for (const [permitted, text] of useless) {
    it(`${text} is refused where ${JSON.stringify(permitted)} is permitted`, () =>
      assert.throws(() => policyOf(permitted, { allow: ["api.example.com", text] }), {
        code: "network_not_allowed",
        field: "egress.allow[1]",
      }));
  }
});

describe("private networks of the configuration", () => {
  const operator = { private_allow: ["10.1.0.0/16:5432", "fd00::/8"] };
  it("are reached by every run that states no list", () => {
    const policy = policyOf(operator);
    assert.ok(policy.all_public);
    assert.deepEqual(written(policy.private_addresses), ["10.1.0.0/16 5432", "fd00::/8"]);
  });
  it("are reached by a run with a list in so far as it lists them", () => {
    const policy = policyOf(operator, { allow: ["10.0.0.0/8", "a.example"] });
    assert.deepEqual(written(policy.private_addresses), ["10.1.0.0/16 5432"]);
    assert.deepEqual(policyOf(operator, { allow: ["a.example"] }).private_addresses, []);
  });
  it("are what allowed names may lead to, on those ports", () => {
    const policy = policyOf(operator, { allow: ["db.example", "web.example:443"] });
    assert.deepEqual(policy.portsOf("db.example", "10.1.2.3"), [5432]);
    assert.equal(policy.portsOf("db.example", "fd00::1"), null);
    assert.equal(policy.portsOf("db.example", "10.2.0.1"), undefined);
    assert.equal(policy.portsOf("web.example", "10.1.2.3"), undefined);
    assert.deepEqual(written(policy.private_permitted), ["10.1.0.0/16 5432", "fd00::/8"]);
  });
  it("are denied all the same by a request that denies them", () => {
    const policy = policyOf(operator, { allow: ["db.example"], deny: ["10.1.2.0/24"] });
    assert.equal(policy.portsOf("db.example", "10.1.2.3"), undefined);
  });
});
