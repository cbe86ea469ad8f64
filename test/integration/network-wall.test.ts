import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { CleanupStack } from "../../src/core/cleanup-stack.ts";
import { openNetworks } from "../../src/network/networks.ts";
import type { NetworkPolicy, Networks, RunNetwork } from "../../src/network/types.ts";
import { until } from "../support/leftovers.ts";
import {
  HOST_ADDRESSES,
  NetworkLab,
  noNetworkLab,
  OUTSIDE,
  type Probe,
  SERVED_PORT,
} from "../support/network-lab.ts";
import { CLOSED, netnsOf, PUBLIC } from "../support/networks.ts";
import { strictCleanup } from "../support/strict-cleanup.ts";

const PROTOCOLS = ["tcp", "udp", "icmp"] as const;
const PUBLIC_ADDRESSES = [...OUTSIDE.internet, ...OUTSIDE.otherInternet];
const FORBIDDEN_OUTSIDE = Object.entries(OUTSIDE)
  .filter(([what]) => !/internet/i.test(what))
  .flatMap(([, addresses]) => addresses);
const [INTERNET = "", INTERNET6 = ""] = OUTSIDE.internet;

describe("who reaches whom", { skip: noNetworkLab() }, () => {
  let lab: NetworkLab;
  let networks: Networks;
  let some: RunNetwork;
  let other: RunNetwork;
  let cleanup: CleanupStack;
  let othersCleanup: CleanupStack;
  let directory: string;

  before(async () => {
    lab = await NetworkLab.open();
    directory = await mkdtemp(join(tmpdir(), "boxer-test-"));
    networks = await openNetworks({
      host: lab,
      home: directory,
      record: join(directory, "network.json"),
      config: { network_cidr: undefined, enable_forwarding: true },
    });
    assert.equal(networks.unavailable, null);
    cleanup = strictCleanup();
    othersCleanup = strictCleanup();
    cleanup.defer("the other run", () => othersCleanup.run());
    some = await networks.create(PUBLIC, cleanup);
    other = await networks.create(PUBLIC, othersCleanup);
    await lab.serve(netnsOf(other), SERVED_PORT);
  });
  after(async () => {
    await cleanup?.run();
    await networks?.close();
    await lab?.close();
    await rm(directory, { recursive: true });
  });

  const everyProtocol = (address: string): Probe[] =>
    PROTOCOLS.map((protocol) => ({ protocol, address, port: SERVED_PORT }));
  const outcomes = async (netns: string | null, probes: readonly Probe[]) =>
    (await lab.probe(netns, probes)).map(({ outcome }) => outcome);
  const isReached = async (network: RunNetwork, address: string, port = SERVED_PORT) =>
    (await outcomes(netnsOf(network), [{ protocol: "tcp", address, port }]))[0] === "answered";

  /** Runs something with a network of its own policy. */
  async function withPolicy(policy: Partial<NetworkPolicy>, use: (network: RunNetwork) => Promise<void>) {
    const own = strictCleanup();
    try {
      await use(await networks.create({ ...CLOSED, ...policy }, own));
    } finally {
      await own.run();
    }
  }

  /** The cells of the table that need no other run. */
  function reaches(when: string): void {
    for (const address of PUBLIC_ADDRESSES) {
      it(`a run reaches ${address}, by the host's address, ${when}`, async () => {
        const answers = await lab.probe(netnsOf(some), everyProtocol(address));
        const seen = address.includes(":") ? "2a00:100::1" : "51.15.0.1";
        assert.deepEqual(
          answers.map(({ outcome, detail }) => [outcome, detail]),
          [
            ["answered", seen],
            ["answered", seen],
            ["answered", ""],
          ],
        );
      });
    }

    for (const address of [...FORBIDDEN_OUTSIDE, ...HOST_ADDRESSES]) {
      it(`a run does not reach ${address}, ${when}`, async () => {
        const answers = await outcomes(netnsOf(some), everyProtocol(address));
        assert.equal(answers[0], "refused", "TCP is told at once");
        assert.ok(!answers.includes("answered"), String(answers));
      });
    }
  }

  for (const address of [...PUBLIC_ADDRESSES, ...FORBIDDEN_OUTSIDE]) {
    it(`the host reaches ${address}, so that what follows is the wall's doing`, async () => {
      assert.deepEqual(await outcomes(null, everyProtocol(address)), ["answered", "answered", "answered"]);
    });
  }

  reaches("while another one is there");

  it("a run reaches its gateway for DNS, and for nothing else", async () => {
    const dns = (["tcp", "udp"] as const).map((protocol) => ({ protocol, address: some.gateway, port: 53 }));
    assert.deepEqual(await outcomes(netnsOf(some), dns), ["answered", "answered"]);
    const rest = await outcomes(netnsOf(some), [
      ...everyProtocol(some.gateway),
      { protocol: "udp", address: other.gateway, port: 53 },
      { protocol: "udp", address: "51.15.0.1", port: 53 },
    ]);
    assert.ok(!rest.includes("answered"), String(rest));
  });

  it("a run without DNS proxy does not reach its gateway at all", async () => {
    await withPolicy({ dns: [] }, async (network) => {
      assert.equal(await isReached(network, network.gateway, 53), false);
    });
  });

  it("a run does not reach another one, by IPv4 nor IPv6", async () => {
    const probes = [other.address, other.address6 ?? ""].flatMap(everyProtocol);
    assert.deepEqual(
      await outcomes(netnsOf(other), probes.slice(0, 2)),
      ["answered", "answered"],
      "it listens",
    );
    const answers = await outcomes(netnsOf(some), probes);
    assert.ok(!answers.includes("answered"), String(answers));
  });

  it("neither the host nor anybody outside reaches a run", async () => {
    await lab.run(["ip", "-n", "outside", "route", "replace", `${other.address}/32`, "via", "51.15.0.1"]);
    for (const from of [null, "outside"]) {
      const answers = await outcomes(
        from,
        [other.address, ...(from ? [] : [other.address6 ?? ""])].flatMap(everyProtocol),
      );
      assert.ok(!answers.includes("answered"), `${from}: ${answers}`);
    }
  });

  it("a run cannot send from the address of another, of the host, or of anybody", async () => {
    const watch =
      "table inet watch {\nchain in {\ntype filter hook input priority 0\nudp dport 9999 counter\n}\n}\n";
    await lab.run(["ip", "netns", "exec", "outside", "nft", "-f", "-"], watch);
    const arrived = async () => {
      const rules = await lab.run([
        "ip",
        "netns",
        "exec",
        "outside",
        "nft",
        "list",
        "table",
        "inet",
        "watch",
      ]);
      return Number(/packets (\d+)/.exec(rules)?.[1]);
    };
    const send = (source: string) =>
      lab.probe(netnsOf(some), [{ protocol: "spoof", address: INTERNET, port: 9999, source }]);
    for (const source of [other.address, some.gateway, "51.15.0.1", "8.8.8.8", "127.0.0.1"])
      await send(source);
    assert.equal(await arrived(), 0);
    await send(some.address);
    assert.equal(await arrived(), 1, "the run's own address goes out");
  });

  it("a run without any permission reaches nothing, and one with a list what is on it, on its port", async () => {
    await withPolicy({}, async (network) => assert.equal(await isReached(network, INTERNET), false));
    const public_addresses = [
      { cidr: "93.184.216.0/24", port: SERVED_PORT },
      { cidr: "2a00:1450::34/128", port: 443 },
      { cidr: "0.0.0.0/0", port: 444 },
    ];
    const private_addresses = [{ cidr: "10.77.0.10/32", port: null }];
    await withPolicy({ public_addresses, private_addresses }, async (network) => {
      const reached = async (address: string, port: number) => [
        address,
        port,
        await isReached(network, address, port),
      ];
      assert.deepEqual(
        [
          await reached(INTERNET, SERVED_PORT),
          await reached(INTERNET, 443),
          await reached(INTERNET6, SERVED_PORT),
          await reached(INTERNET6, 443),
          await reached("10.77.0.10", 443),
          await reached("51.158.0.1", SERVED_PORT),
        ],
        [
          [INTERNET, SERVED_PORT, true],
          [INTERNET, 443, false],
          [INTERNET6, SERVED_PORT, false],
          [INTERNET6, 443, true],
          ["10.77.0.10", 443, true],
          ["51.158.0.1", SERVED_PORT, false],
        ],
      );
    });
  });

  it("no list opens the host, other runs or metadata addresses", async () => {
    const everything = [
      { cidr: "0.0.0.0/0", port: null },
      { cidr: "::/0", port: null },
    ];
    await withPolicy({ private_addresses: everything }, async (network) => {
      assert.equal(await isReached(network, "192.168.77.10"), true, "the list is in force");
      const never = [
        ...OUTSIDE.metadata,
        ...OUTSIDE.azureAgent,
        ...OUTSIDE.alibabaMetadata,
        ...HOST_ADDRESSES,
      ];
      const probes = [...never, other.address, other.address6 ?? "", other.gateway].flatMap(everyProtocol);
      const answers = await outcomes(netnsOf(network), probes);
      assert.ok(!answers.includes("answered"), String(answers));
    });
  });

  for (const cidr of ["0.0.0.0/0", "172.0.0.0/8", "10.0.0.0/8", "192.168.0.0/16"]) {
    it(`${cidr} among the public networks opens no private one`, async () => {
      const public_addresses = [cidr, "::/0"].map((each) => ({ cidr: each, port: null }));
      await withPolicy({ public_addresses }, async (network) => {
        assert.equal(await isReached(network, INTERNET6), true, "the list is in force");
        const probes = FORBIDDEN_OUTSIDE.flatMap(everyProtocol);
        const answers = await outcomes(netnsOf(network), probes);
        assert.ok(!answers.includes("answered"), String(answers));
      });
    });
  }

  it("what is denied is refused, whatever is allowed", async () => {
    const denied = [
      { cidr: "93.184.0.0/16", port: null },
      { cidr: "2a00:1450::/32", port: 443 },
    ];
    await withPolicy(
      { all_public: true, denied, private_addresses: [{ cidr: `${INTERNET}/32`, port: null }] },
      async (network) => {
        assert.equal(await isReached(network, INTERNET), false);
        assert.equal(await isReached(network, INTERNET6, 443), false);
        assert.equal(await isReached(network, INTERNET6), true);
      },
    );
  });

  it("addresses open for a while, on their ports, and special ones only where that is permitted", async () => {
    const private_permitted = [{ cidr: "10.77.0.0/16", port: SERVED_PORT }];
    await withPolicy({ private_permitted }, async (network) => {
      await network.allow([
        { address: INTERNET, ports: [443, 444], ttl_secs: 60 },
        { address: INTERNET6, ports: null, ttl_secs: 60 },
        { address: "10.77.0.10", ports: null, ttl_secs: 60 },
        { address: "192.168.77.10", ports: null, ttl_secs: 60 },
        { address: "169.254.169.254", ports: null, ttl_secs: 60 },
      ]);
      const reached = await Promise.all([
        isReached(network, INTERNET, 443),
        isReached(network, INTERNET, SERVED_PORT),
        isReached(network, INTERNET6, SERVED_PORT),
        isReached(network, "10.77.0.10", SERVED_PORT),
        isReached(network, "10.77.0.10", 443),
        isReached(network, "192.168.77.10"),
        isReached(network, "169.254.169.254"),
      ]);
      assert.deepEqual(reached, [true, false, true, true, false, false, false]);
    });
  });

  it("an address shuts when its time is up, unless that was renewed", async () => {
    await withPolicy({}, async (network) => {
      const short = [INTERNET, INTERNET6].map((address) => ({ address, ports: null, ttl_secs: 2 }));
      await network.allow(short);
      await network.allow([{ address: INTERNET6, ports: null, ttl_secs: 600 }]);
      await until(async () => !(await isReached(network, INTERNET)));
      assert.equal(await isReached(network, INTERNET6), true);
    });
  });

  it("name servers may be private, and only their port 53 is reached", async () => {
    await withPolicy({ dns: ["10.77.0.10", "169.254.169.254"] }, async (network) => {
      for (const server of ["10.77.0.10", "169.254.169.254"]) {
        assert.equal(await isReached(network, server, 53), true);
        assert.equal(await isReached(network, server), false);
      }
    });
  });

  it("connections and bytes are counted, the refused apart", async () => {
    await withPolicy({ all_public: true }, async (network) => {
      await lab.probe(netnsOf(network), [
        { protocol: "tcp", address: INTERNET, port: SERVED_PORT, download: 200_000, upload: 50_000 },
        { protocol: "udp", address: INTERNET6, port: SERVED_PORT },
        { protocol: "tcp", address: "10.77.0.10", port: SERVED_PORT },
        { protocol: "tcp", address: network.gateway, port: SERVED_PORT },
        { protocol: "icmp", address: "169.254.169.254" },
      ]);
      const { allowed_connections, refused_connections, bytes_in, bytes_out } = await network.counters();
      assert.deepEqual([allowed_connections, refused_connections], [2, 3]);
      assert.ok(bytes_in > 200_000 && bytes_in < 300_000, String(bytes_in));
      assert.ok(bytes_out > 50_000 && bytes_out < 100_000, String(bytes_out));
    });
    assert.equal((await other.counters()).allowed_connections, 0, "each run has its own");
  });

  it("a run has 1024 connections at a time in the host's tracking, and takes none from others", async () => {
    await withPolicy({ all_public: true }, async (network) => {
      const program = `import socket
for port in range(20000, 21100):
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.bind(("0.0.0.0", port))
    peer.sendto(b"0", ("${INTERNET}", ${SERVED_PORT}))
    peer.close()
`;
      await lab.run(["ip", "netns", "exec", netnsOf(network), "python3", "-c", program]);
      const { allowed_connections, refused_connections } = await network.counters();
      assert.deepEqual([allowed_connections, refused_connections], [1024, 76]);
      assert.equal(await isReached(network, INTERNET6), false);
      assert.ok(await isReached(some, INTERNET));
    });
  });

  it("bandwidth is limited both ways", async () => {
    await withPolicy({ all_public: true, bandwidth_kbps: 4_000 }, async (network) => {
      const size = { download: 200_000, upload: 200_000, patience: 30 };
      const [answer] = await lab.probe(netnsOf(network), [
        { protocol: "tcp", address: INTERNET, port: SERVED_PORT, ...size },
      ]);
      assert.equal(answer?.outcome, "answered");
      const queues = [
        await lab.run(["tc", "-s", "-j", "qdisc", "show", "dev", network.interface]),
        await lab.run(["tc", "-n", netnsOf(network), "-s", "-j", "qdisc", "show", "dev", "eth0"]),
      ].flatMap((json) => JSON.parse(json));
      for (const { kind, bytes, overlimits, options } of queues) {
        assert.equal(kind, "tbf");
        assert.equal(options.rate, 500_000, "bytes a second");
        assert.ok(bytes > 200_000, String(bytes));
        assert.ok(overlimits > 0, "it had to wait");
      }
      assert.equal(queues.length, 2);
    });
  });

  it("the end of one run leaves the others their network, and nothing of its own", async () => {
    const before = await lab.run(["nft", "-s", "list", "ruleset"]);
    await withPolicy(
      { private_permitted: [{ cidr: "10.0.0.0/8", port: null }], bandwidth_kbps: 1_000 },
      async (network) => {
        await network.allow([{ address: INTERNET, ports: [1], ttl_secs: 60 }]);
        assert.notEqual(await lab.run(["nft", "-s", "list", "ruleset"]), before);
        assert.ok((await lab.run(["ip", "netns", "list"])).includes(netnsOf(network)));
      },
    );
    assert.equal(await lab.run(["nft", "-s", "list", "ruleset"]), before);
    assert.ok(await isReached(some, INTERNET));
    const links = JSON.parse(await lab.run(["ip", "-j", "link", "show", "type", "veth"]));
    assert.equal(links.length, 3, "the uplink, and those of the two runs");
  });

  it("once another run has ended, nobody finds anything at its addresses", async () => {
    const addresses = [other.address, other.address6 ?? "", other.gateway];
    await othersCleanup.run();
    for (const from of [netnsOf(some), null, "outside"]) {
      const answers = await outcomes(from, addresses.flatMap(everyProtocol));
      assert.ok(!answers.includes("answered"), `${from}: ${answers}`);
    }
    const namespaces = await lab.run(["ip", "netns", "list"]);
    assert.deepEqual(
      [namespaces.includes(netnsOf(other)), namespaces.includes(netnsOf(some))],
      [false, true],
    );
  });

  reaches("once another one has ended");
});
