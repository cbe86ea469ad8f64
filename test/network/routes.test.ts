import assert from "node:assert/strict";
import { test } from "node:test";
import {
  parseRoutes,
  readUplinks,
  routesInto,
  uplinks6Of,
  uplinksOf,
  uplinksOfTables,
} from "../../src/network/routes.ts";
import { FakeNetworkHost } from "../support/fake-network-host.ts";

const TEXT = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	010200C0	0003	0	0	0	00000000	0	0	0
tun0	00000080	00000000	0001	0	0	0	00000080	0	0	0
eth0	000200C0	00000000	0001	0	0	0	00FFFFFF	0	0	0
bx123	0804E70A	00000000	0001	0	0	0	FCFFFFFF	0	0	0
broken
`;
const routes = parseRoutes(TEXT);

test("routes are read as the kernel writes them", () => {
  assert.deepEqual(
    routes.map(({ interface: name, base, prefix }) => [name, base, prefix]),
    [
      ["eth0", 0, 0],
      ["tun0", 0x80000000, 1],
      ["eth0", 0xc0000200, 24],
      ["bx123", 0x0ae70408, 30],
    ],
  );
  assert.deepEqual(uplinksOf(routes), ["eth0", "tun0"]);
});

test("a network meets the routes within it and around it, not the default ones", () => {
  for (const [network, prefixes] of [
    ["10.231.0.0/16", [30]],
    ["10.231.4.8/30", [30]],
    ["10.231.4.12/30", []],
    ["192.0.2.128/30", [24]],
    ["192.0.3.0/24", []],
    ["172.16.0.0/12", []],
  ] as const) {
    assert.deepEqual(
      routesInto(routes, network).map(({ prefix }) => prefix),
      prefixes,
      network,
    );
  }
});

test("IPv6 goes out where its default routes lead, which unreachable ones do not", () => {
  const zero = "0".repeat(32);
  const line = (prefix: string, name: string) =>
    `${zero} ${prefix} ${zero} 00 ${zero} 00000400 00000001 00000000 00000003     ${name}`;
  assert.deepEqual(uplinks6Of(`${line("00", "eth0")}\n${line("40", "eth1")}\n${line("00", "lo")}\n`), [
    "eth0",
  ]);
  assert.deepEqual(uplinks6Of(""), []);
});

test("tables of their own count, and each way of a route, but not what leads nowhere", () => {
  const routes = [
    { dst: "default", dev: "wg0", table: "51820" },
    { dst: "default", nexthops: [{ dev: "eth0" }, { dev: "eth1" }] },
    { dst: "128.0.0.0/1", dev: "tun0" },
    { type: "blackhole", dst: "default", dev: "lo" },
    { type: "local", dst: "127.0.0.0/8", dev: "lo", table: "local" },
    { dst: "192.0.2.0/24", dev: "lan0" },
    { dst: "192.0.2.7", dev: "lan1" },
  ];
  assert.deepEqual(uplinksOfTables(JSON.stringify(routes)), ["wg0", "eth0", "eth1", "tun0"]);
  assert.deepEqual(uplinksOfTables(""), []);
});

test("without ip(8)'s answer uplinks are those that the kernel's own files tell", async () => {
  const host = new FakeNetworkHost({ "/proc/net/route": TEXT });
  host.answer = () => {
    throw new Error("EAGAIN");
  };
  assert.deepEqual(await readUplinks(host, "ip"), { ipv4: ["eth0", "tun0"], ipv6: [] });
});
