import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MAX_EGRESS_ENTRIES, MAX_EGRESS_ENTRY_LENGTH } from "../../../src/config/egress-schema.ts";
import { BoxerError } from "../../../src/core/errors.ts";
import { parseEgressRules, type StatedEgress } from "../../../src/network/egress/egress-rules.ts";

const read = (text: string) => {
  const [entry] = parseEgressRules({ allow: [text] }, "egress").allow ?? [];
  assert.ok(entry);
  return entry.kind === "name"
    ? `${entry.wildcard ? "*." : ""}${entry.name} ${entry.port}`
    : `${entry.cidr} ${entry.port}`;
};

describe("an entry is read", () => {
  const cases: [string, string][] = [
    ["api.example.com", "api.example.com null"],
    ["api.example.com:443", "api.example.com 443"],
    ["*.Example.org.:65535", "*.example.org 65535"],
    ["1.example.com:1", "1.example.com 1"],
    ["203.0.113.0/24:443", "203.0.113.0/24 443"],
    ["203.0.113.7", "203.0.113.7/32 null"],
    ["203.0.113.7:22", "203.0.113.7/32 22"],
    ["2001:db8::1", "2001:db8::1/128 null"],
    ["2001:db8::/32", "2001:db8::/32 null"],
    ["[2001:db8::/32]:443", "2001:db8::/32 443"],
    ["[2001:db8::1]", "2001:db8::1/128 null"],
  ];
  for (const [text, expected] of cases) it(text, () => assert.equal(read(text), expected));
});

const refused = (stated: StatedEgress, field: string, message?: RegExp) =>
  assert.throws(
    () => parseEgressRules(stated, "egress"),
    (error) => {
      assert.ok(error instanceof BoxerError && error.code === "invalid_request" && error.field === field);
      assert.ok(error.message.includes(field));
      if (message) assert.match(error.message, message);
      return true;
    },
  );

describe("an entry is refused by its place", () => {
  const bad: [string, RegExp][] = [
    ["", /neither/],
    ["https://example.com", /URL/],
    ["example.com:", /port/],
    ["example.com:0", /port/],
    ["example.com:65536", /port/],
    ["example.com:443x", /port/],
    ["example.com:+443", /port/],
    ["example.com:0443", /port/],
    ["example.com/24", /neither/],
    ["[example.com]:443", /neither/],
    ["[203.0.113.7]:443", /neither/],
    ["2001:db8::1:443x", /neither/],
    ["[2001:db8::]/32:443", /neither/],
    ["127.1", /neither/],
    ["203.0.113.7/24", /203\.0\.113\.0\/24/],
    ["example.com\n", /"example.com\\n"/],
    ["*", /\*/],
    [`${"x".repeat(MAX_EGRESS_ENTRY_LENGTH + 1)}`, /characters/],
  ];
  for (const [text, message] of bad) {
    it(JSON.stringify(text).slice(0, 40), () => {
      refused({ allow: ["a.example", text] }, "egress.allow[1]", message);
      refused({ deny: ["a.example", "b.example", text] }, "egress.deny[2]", message);
    });
  }
});

it("a list has a bounded number of entries", () => {
  const entries = Array.from({ length: MAX_EGRESS_ENTRIES + 1 }, (_, index) => `x${index}.example`);
  refused({ allow: entries }, "egress.allow");
  assert.equal(parseEgressRules({ allow: entries.slice(1) }, "egress").allow?.length, MAX_EGRESS_ENTRIES);
});

it("a name is not denied for one port", () => {
  refused({ deny: ["a.example", "b.example:25"] }, "egress.deny[1]", /all ports/);
  assert.equal(parseEgressRules({ deny: ["203.0.113.0/24:25"] }, "egress").deny.length, 1);
});

it("nothing stated is told from nothing allowed", () => {
  assert.deepEqual(parseEgressRules(undefined, "egress"), { allow: null, deny: [] });
  assert.deepEqual(parseEgressRules({ allow: null, deny: null }, "egress"), { allow: null, deny: [] });
  assert.deepEqual(parseEgressRules({ allow: [] }, "egress"), { allow: [], deny: [] });
});
