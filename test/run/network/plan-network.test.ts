import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createIsForbidden } from "../../../src/network/egress/create-is-forbidden.ts";
import { parseOperatorEgress } from "../../../src/network/egress/operator-egress.ts";
import { planNetwork } from "../../../src/run/network/plan-network.ts";
import type { RunRequest } from "../../../src/run/types.ts";
import { REQUEST } from "../../support/run-parts.ts";

const isForbidden = createIsForbidden(undefined);

function plan(
  request: Partial<RunRequest>,
  rules: { egress?: object; config?: object; unavailable?: string } = {},
) {
  const { egress = {}, config = {}, unavailable = null } = rules;
  return planNetwork(
    {
      networks: { unavailable },
      operator: parseOperatorEgress(egress, isForbidden),
      isForbidden,
      config: { dns_servers: ["9.9.9.9"], allow_host_network: false, max_bandwidth_kbps: null, ...config },
    },
    { ...REQUEST, ...request },
  );
}

function wallOf(...args: Parameters<typeof plan>) {
  const planned = plan({ network: "sandbox", ...args[0] }, args[1]);
  return planned.mode === "sandbox" ? planned.wall : assert.fail();
}

test("without a network nothing else is planned", () => {
  assert.deepEqual(plan({}), { mode: "none" });
});

test("by default all that is public is open, and names are asked of the configured servers", () => {
  assert.deepEqual(wallOf({}), {
    all_public: true,
    public_addresses: [],
    private_addresses: [],
    denied: [],
    private_permitted: [],
    dns: ["9.9.9.9"],
    bandwidth_kbps: null,
  });
});

describe("the gateway answers look-ups", () => {
  const cases: [string, Partial<RunRequest>, Parameters<typeof plan>[1]][] = [
    ["with a list of the request", { egress: { allow: ["a.example"] } }, {}],
    ["with an empty list", { egress: { allow: [] } }, {}],
    ["with a list of the operator", {}, { egress: { allow: ["*.example"] } }],
    ["when the request denies a name", { egress: { deny: ["a.example"] } }, {}],
    ["when the operator denies a name", {}, { egress: { deny: ["*.example"] } }],
    ["when a name server is on the host's loopback", {}, { config: { dns_servers: ["127.0.0.53"] } }],
  ];
  for (const [what, request, rules] of cases)
    test(what, () => assert.equal(wallOf(request, rules).dns, "gateway"));

  test("and not when only addresses are denied", () => {
    assert.deepEqual(wallOf({ egress: { deny: ["1.1.1.1"] } }).dns, ["9.9.9.9"]);
  });
});

test("public and private networks go to the wall apart", () => {
  const { public_addresses, private_addresses, private_permitted, denied } = wallOf(
    { egress: { allow: ["0.0.0.0/0", "10.1.0.0/24"], deny: ["203.0.113.0/24"] } },
    { egress: { private_allow: ["10.1.0.0/16:5432"] } },
  );
  const shown = (list: readonly { cidr: string; port: number | null }[]) =>
    list.map(({ cidr, port }) => `${cidr} ${port}`);
  assert.deepEqual(shown(public_addresses), ["0.0.0.0/0 null", "10.1.0.0/24 null"]);
  assert.deepEqual(shown(private_addresses), ["10.1.0.0/16 5432", "10.1.0.0/24 5432"]);
  assert.deepEqual(shown(private_permitted), ["10.1.0.0/16 5432"]);
  assert.deepEqual(shown(denied), ["203.0.113.0/24 null"]);
});

test("a run has the bandwidth that it states, else the operator's", () => {
  const config = { max_bandwidth_kbps: 1000 };
  assert.equal(wallOf({ bandwidth_kbps: 8 }).bandwidth_kbps, 8);
  assert.equal(wallOf({ bandwidth_kbps: 1000 }, { config }).bandwidth_kbps, 1000);
  assert.equal(wallOf({}, { config }).bandwidth_kbps, 1000);
});

test("the host's network is for those servers that allow it", () => {
  assert.deepEqual(plan({ network: "host" }, { config: { allow_host_network: true } }), { mode: "host" });
});

describe("what cannot be had is refused, and its field named", () => {
  const sandbox = { network: "sandbox" as const };
  const cases: [string, Partial<RunRequest>, Parameters<typeof plan>[1], string, string][] = [
    ["a list without a network", { egress: {} }, {}, "invalid_request", "egress"],
    ["a bandwidth without a network", { bandwidth_kbps: 8 }, {}, "invalid_request", "bandwidth_kbps"],
    [
      "a list on the host's network",
      { network: "host", egress: {} },
      { config: { allow_host_network: true } },
      "invalid_request",
      "egress",
    ],
    ["the host's network", { network: "host" }, {}, "network_not_allowed", "network"],
    [
      "a network that the host cannot make",
      sandbox,
      { unavailable: "no nft" },
      "network_unavailable",
      "network",
    ],
    [
      "more bandwidth than the operator's",
      { ...sandbox, bandwidth_kbps: 1001 },
      { config: { max_bandwidth_kbps: 1000 } },
      "invalid_request",
      "bandwidth_kbps",
    ],
    [
      "a private network",
      { ...sandbox, egress: { allow: ["a.example", "10.0.0.0/8"] } },
      {},
      "network_not_allowed",
      "egress.allow[1]",
    ],
    ["what is no name", { ...sandbox, egress: { deny: ["a b"] } }, {}, "invalid_request", "egress.deny[0]"],
  ];
  for (const [what, request, rules, code, field] of cases) {
    test(what, () => assert.throws(() => plan(request, rules), { code, field }));
  }
});
