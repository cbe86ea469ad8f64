import assert from "node:assert/strict";
import { test } from "node:test";
import ipaddr from "ipaddr.js";
import { NEVER_RANGES, SPECIAL_RANGES } from "../../src/network/special-ranges.ts";

const TABLES = [
  { version: "IPv4", ranges: [...NEVER_RANGES.ipv4, ...SPECIAL_RANGES.ipv4] },
  { version: "IPv6", ranges: [...NEVER_RANGES.ipv6, ...SPECIAL_RANGES.ipv6] },
];

for (const { version, ranges } of TABLES) {
  test(`every ${version} range is one, begins where it says, and stands there once`, () => {
    for (const range of ranges) {
      const [address, prefix] = ipaddr.parseCIDR(range);
      const first =
        address.kind() === "ipv4"
          ? ipaddr.IPv4.networkAddressFromCIDR(range)
          : ipaddr.IPv6.networkAddressFromCIDR(range);
      assert.equal(`${first}/${prefix}`, `${address}/${prefix}`);
      assert.equal(`IP${address.kind().slice(2)}`, version);
    }
    assert.equal(new Set(ranges).size, ranges.length);
  });
}

test("whatever the address library knows as no unicast address of the internet is in a range", () => {
  const isCovered = (text: string) =>
    TABLES.flatMap(({ ranges }) => ranges).some((range) => {
      const [network, prefix] = ipaddr.parseCIDR(range);
      const address = ipaddr.parse(text);
      return address.kind() === network.kind() && address.match(network, prefix);
    });
  const samples = [
    "10.1.2.3",
    "172.31.0.1",
    "192.168.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "100.127.0.1",
    "0.1.2.3",
  ];
  const samples4 = ["224.0.0.251", "239.1.1.1", "240.0.0.1", "255.255.255.255", "198.19.0.1"];
  const samples6 = [
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "fdff::1",
    "ff02::1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "2002:a00:1::",
    "2001::1",
  ];
  for (const sample of [...samples, ...samples4, ...samples6]) {
    assert.notEqual(ipaddr.parse(sample).range(), "unicast", sample);
    assert.ok(isCovered(sample), sample);
  }
  for (const open of [
    "8.8.8.8",
    "1.1.1.1",
    "93.184.216.34",
    "203.0.113.7", // examples are written with it, RFC 5737
    "2001:db8::7",
    "172.32.0.1",
    "100.128.0.1",
    "2a00:1450::1",
    "2606:4700::1",
  ]) {
    assert.equal(isCovered(open), false, open);
  }
});
