import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  parseOperatorEgress,
  type StatedOperatorEgress,
} from "../../../src/network/egress/operator-egress.ts";
import { isForbidden } from "./is-forbidden.ts";

it("all three lists of a configuration are read", () => {
  const { allow, deny, private_allow } = parseOperatorEgress(
    {
      allow: ["a.example", "93.184.216.0/24"],
      deny: ["b.example"],
      private_allow: ["10.1.0.0/16:5432", "fc00::/7"],
    },
    isForbidden,
  );
  assert.deepEqual([allow?.length, deny.length], [2, 1]);
  assert.deepEqual(
    private_allow.map(({ cidr, port }) => [cidr, port]),
    [
      ["10.1.0.0/16", 5432],
      ["fc00::/7", null],
    ],
  );
});

it("an empty one allows all that is public", () => {
  assert.deepEqual(parseOperatorEgress({}, isForbidden), { allow: null, deny: [], private_allow: [] });
});

describe("what is in the wrong list is refused", () => {
  const cases: [StatedOperatorEgress, string][] = [
    [{ allow: ["a.example", "10.0.0.0/8"] }, "egress.allow[1]"],
    [{ allow: ["169.254.169.254"] }, "egress.allow[0]"],
    [{ private_allow: ["10.0.0.0/8", "93.184.216.34"] }, "egress.private_allow[1]"],
    [{ private_allow: ["0.0.0.0/0"] }, "egress.private_allow[0]"],
    [{ private_allow: ["::/0"] }, "egress.private_allow[0]"],
    [{ private_allow: ["db.example"] }, "egress.private_allow[0]"],
    [{ private_allow: ["?"] }, "egress.private_allow[0]"],
    [{ deny: ["?"] }, "egress.deny[0]"],
  ];
  for (const [stated, field] of cases) {
    it(JSON.stringify(stated), () =>
      assert.throws(() => parseOperatorEgress(stated, isForbidden), { code: "invalid_request", field }),
    );
  }
});
