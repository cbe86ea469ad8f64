import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { openNetworks } from "../../src/network/networks.ts";
import { FakeNetworkHost } from "../support/fake-network-host.ts";
import { noNetworkLab } from "../support/network-lab.ts";
import { PUBLIC } from "../support/networks.ts";
import { strictCleanup } from "../support/strict-cleanup.ts";
import { type TestContext, tempDirectory } from "../support/temp-directory.ts";

const CAPABLE = "CapEff:\t000001ffffffffff\n";
const HEAD = "Iface\tDestination\tGateway\n";
const FORWARDING = {
  "/proc/self/status": CAPABLE,
  "/proc/net/route": HEAD,
  "/proc/net/dev": "",
  "/proc/sys/net/ipv4/ip_forward": "1\n",
};
const ZERO = "0".repeat(32);
const IPV6_DEFAULT = `${ZERO} 00 ${ZERO} 00 ${ZERO} 00000400 00000001 00000000 00000003     eth0\n`;

async function opened(t: TestContext, files: Record<string, string>, config: object = {}) {
  const host = new FakeNetworkHost(files);
  host.answer = ({ command }) => (command.includes("list chains") ? "{}" : "");
  const home = await tempDirectory(t);
  const networks = await openNetworks({
    host,
    home,
    record: join(home, "network.json"),
    config: { network_cidr: undefined, enable_forwarding: false, ...config },
  });
  return { host, networks };
}

describe("what a host must have", { skip: noNetworkLab() }, () => {
  for (const [what, files, reason] of [
    [
      "capabilities",
      { ...FORWARDING, "/proc/self/status": "CapEff:\t0000000000000000\n" },
      /lacks CAP_NET_ADMIN$/,
    ],
    ["forwarding", { ...FORWARDING, "/proc/sys/net/ipv4/ip_forward": "0\n" }, /does not forward IPv4/],
    ["/proc", { "/proc/self/status": CAPABLE }, /ENOENT: .proc.net.route/],
  ] as const) {
    it(`without ${what} there are no networks, and every run that asks is told why`, async (t) => {
      const { networks } = await opened(t as TestContext, files);
      assert.match(networks.unavailable ?? "", reason);
      await assert.rejects(networks.create(PUBLIC, strictCleanup()), {
        code: "network_unavailable",
        field: "network",
        message: reason,
      });
      await networks.close();
    });
  }

  it("a tool that fails makes them unavailable, with what it says", async (t) => {
    const host = new FakeNetworkHost(FORWARDING);
    host.answer = ({ command }) => {
      if (command.startsWith("nft")) throw new Error("nft: Operation not supported");
      return "";
    };
    const home = await tempDirectory(t as TestContext);
    const config = { network_cidr: undefined, enable_forwarding: false };
    const networks = await openNetworks({ host, home, record: join(home, "r"), config });
    assert.equal(networks.unavailable, "nft: Operation not supported");
  });

  it("runs have IPv6 only where the host forwards it and has a way out by it", async (t) => {
    const on = { "/proc/sys/net/ipv6/conf/all/forwarding": "1\n" };
    for (const [files, has] of [
      [{ ...on, "/proc/net/ipv6_route": IPV6_DEFAULT }, true],
      [{ ...on, "/proc/net/ipv6_route": "" }, false],
      [on, false],
      [{ "/proc/sys/net/ipv6/conf/all/forwarding": "0\n", "/proc/net/ipv6_route": IPV6_DEFAULT }, false],
    ] as const) {
      const { networks } = await opened(t as TestContext, { ...FORWARDING, ...files });
      const { address6 } = await networks.create(PUBLIC, strictCleanup());
      assert.equal(address6 !== null, has, JSON.stringify(files));
    }
  });

  it("the rules of a run go when it ends, and the table with the server", async (t) => {
    const { host, networks } = await opened(t as TestContext, FORWARDING);
    const cleanup = strictCleanup();
    const network = await networks.create({ ...PUBLIC, all_public: false, bandwidth_kbps: 100 }, cleanup);
    await network.allow([{ address: "93.184.216.34", ports: null, ttl_secs: 5 }]);
    assert.equal(host.scriptsOf("tc ").length, 2);
    await cleanup.run();
    const [, , added, allowed, removed] = host.scriptsOf("nft -f");
    assert.match(added ?? "", new RegExp(`add element inet \\w+ egress \\{ "${network.interface}"`));
    assert.match(allowed ?? "", /93\.184\.216\.34 timeout 5s/);
    assert.match(removed ?? "", new RegExp(`delete element inet \\w+ egress \\{ "${network.interface}" \\}`));
    await networks.close();
    assert.match(
      host.scriptsOf("nft -f").at(-1) ?? "",
      /^add table inet boxer_\w{8}\ndelete table inet boxer_\w{8}\n$/,
    );
  });
});
