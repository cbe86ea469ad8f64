import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import type { NetworkHost } from "../../src/network/host-tools.ts";
import { openNetworks } from "../../src/network/networks.ts";
import type { NetworkPolicy, Networks, SweptNetworks } from "../../src/network/types.ts";
import { churnUntilKilled } from "../support/churn-networks.ts";
import { until } from "../support/leftovers.ts";
import { NetworkLab, noNetworkLab, OUTSIDE, SERVED_PORT } from "../support/network-lab.ts";
import { CLOSED, netnsOf, PUBLIC } from "../support/networks.ts";
import { strictCleanup } from "../support/strict-cleanup.ts";

const SCRIPTS = join(import.meta.dirname, "../support/scripts");
const FORWARDS = "/proc/sys/net/ipv4/ip_forward";
const UPLINK_FORWARDS = "/proc/sys/net/ipv4/conf/uplink/forwarding";
const [INTERNET = ""] = OUTSIDE.internet;
/** Rules such as Docker, ufw and firewalld have. */
const FOREIGN = `table ip filter {
  chain INPUT { type filter hook input priority filter; policy drop; iifname "lo" accept
    ct state established,related accept
    accept
  }
  chain DOCKER-USER { return
  }
  chain FORWARD { type filter hook forward priority filter; policy drop; jump DOCKER-USER
    ct state established,related accept
    ip saddr 10.231.0.0/16 accept
  }
}
table ip nat {
  chain POSTROUTING { type nat hook postrouting priority srcnat; policy accept; ip saddr 172.17.0.0/16 oifname != "docker0" masquerade
  }
}
`;

describe("networks of runs on their host", { skip: noNetworkLab() }, () => {
  let lab: NetworkLab;
  let directory: string;
  let foreign: string;
  let open: Networks[] = [];

  before(async () => {
    lab = await NetworkLab.open();
    directory = await mkdtemp(join(tmpdir(), "boxer-test-"));
    await lab.run(["nft", "-f", "-"], FOREIGN);
    foreign = await ruleset();
  });
  beforeEach(() => lab.write(FORWARDS, "0"));
  afterEach(async () => {
    for (const networks of open) await networks.close();
    open = [];
    assert.deepEqual(await left(), { namespaces: ["outside"], links: ["uplink"], rules: foreign });
  });
  after(async () => {
    await lab?.close();
    await rm(directory, { recursive: true });
  });

  const ruleset = () => lab.run(["nft", "-s", "list", "ruleset"]);
  const recordOf = (name: string) => join(directory, `${name}.json`);
  const forwards = async () => (await lab.read(UPLINK_FORWARDS)).trim();

  async function server(
    name: string,
    config: { network_cidr?: string; enable_forwarding?: boolean; prepared_runs?: number } = {},
    rest: { host?: NetworkHost; onSwept?: (swept: SweptNetworks) => void } = {},
  ): Promise<Networks> {
    const networks = await openNetworks({
      host: lab,
      home: join(directory, name),
      record: recordOf(name),
      config: { network_cidr: undefined, enable_forwarding: true, ...config },
      ...rest,
    });
    open.push(networks);
    return networks;
  }

  async function left() {
    const entries = async (argv: string[], key: string) => {
      const names = JSON.parse((await lab.run(argv)) || "[]").map(
        (entry: Record<string, string>) => entry[key],
      );
      return names.sort();
    };
    return {
      namespaces: await entries(["ip", "-j", "netns", "list"], "name"),
      links: await entries(["ip", "-j", "link", "show", "type", "veth"], "ifname"),
      rules: await ruleset(),
    };
  }

  const killUnderLoad = (name: string) => churnUntilKilled(lab, join(directory, name), recordOf(name));

  it("two hundred runs, sixteen at a time, have addresses of their own, and leave nothing", async () => {
    const networks = await server("many");
    const inUse = new Set<string>();
    const seen = new Set<string>();
    let waiting = 200;
    const work = async () => {
      while (waiting-- > 0) {
        const cleanup = strictCleanup();
        const { address, gateway, address6 } = await networks.create(PUBLIC, cleanup);
        for (const one of [address, gateway, address6 ?? ""]) {
          assert.ok(!inUse.has(one), one);
          inUse.add(one);
          seen.add(one);
        }
        await cleanup.run();
        for (const one of [address, gateway, address6 ?? ""]) inUse.delete(one);
      }
    };
    await Promise.all(Array.from({ length: 16 }, work));
    assert.equal(seen.size, 600, "none came twice");
    const { namespaces, links } = await left();
    assert.deepEqual([namespaces, links], [["outside"], ["uplink"]]);
  });

  it("links are made ahead once a run has had one, each is for one run, and all go with the server", async () => {
    const networks = await server("ahead", { prepared_runs: 2 });
    assert.deepEqual((await left()).links, ["uplink"]);
    const names: string[] = [];
    for (let run = 0; run < 4; run += 1) {
      const cleanup = strictCleanup();
      const network = await networks.create(PUBLIC, cleanup);
      names.push(network.interface);
      const [answer] = await lab.probe(netnsOf(network), [
        { protocol: "tcp", address: INTERNET, port: SERVED_PORT },
      ]);
      assert.equal(answer?.outcome, "answered");
      await cleanup.run();
      await until(async () => (await left()).links.length === 3);
    }
    assert.equal(new Set(names).size, 4, String(names));
    const [spare] = (await left()).namespaces;
    const [mute] = await lab.probe(spare ?? "", [{ protocol: "tcp", address: INTERNET, port: SERVED_PORT }]);
    assert.equal(mute?.outcome, "silent", "what waits for a run is let out to nobody");
  });

  it("what the host still knows of an ended run is nothing to the next one with its address", async () => {
    const peer = join(SCRIPTS, "old-peer.py");
    const [port, peerPort] = ["5555", "7777"];
    await lab.start("outside", "python3", peer, "pester", INTERNET, peerPort);
    const networks = await server("again", { network_cidr: "10.231.0.0/30" });
    const heard = async (policy: NetworkPolicy) => {
      const cleanup = strictCleanup();
      const network = await networks.create(policy, cleanup);
      const ear = ["python3", peer, "hear", port, INTERNET, peerPort, "1"];
      const packets = Number(await lab.run(["ip", "netns", "exec", netnsOf(network), ...ear]));
      const { refused_connections } = await network.counters();
      await cleanup.run();
      return { address: network.address, isHeard: packets > 0, refused_connections };
    };
    const address = "10.231.0.2";
    assert.deepEqual(await heard(PUBLIC), { address, isHeard: true, refused_connections: 0 });
    assert.deepEqual(await heard(CLOSED), { address, isHeard: false, refused_connections: 1 });
  });

  it("kill -9 under load leaves nothing after the next start, and others' rules as they were", async () => {
    await killUnderLoad("killed");
    assert.equal(await forwards(), "1", "it had opened the uplink");
    assert.notDeepEqual((await left()).rules, foreign);
    let swept: SweptNetworks = { namespaces: 0, interfaces: 0 };
    const networks = await server("killed", {}, { onSwept: (found) => (swept = found) });
    assert.ok(swept.namespaces > 0, JSON.stringify(swept));
    const { namespaces, links } = await left();
    assert.deepEqual([namespaces, links], [["outside"], ["uplink"]]);
    await networks.close();
    open = [];
    assert.equal(await forwards(), "0", "as it was before the one that was killed");
  });

  it("kill -9 and a start without consent shuts the uplink that was opened", async () => {
    await killUnderLoad("withdrawn");
    const networks = await server("withdrawn", { enable_forwarding: false });
    assert.match(networks.unavailable ?? "", /does not forward IPv4, and enable_forwarding/);
    assert.equal(await forwards(), "0");
    assert.equal(existsSync(recordOf("withdrawn")), false);
  });

  it("two servers on one host do not meet, and neither sweeps the other's", async () => {
    const cleanup = strictCleanup();
    const one = await (await server("one")).create(PUBLIC, cleanup);
    const secondServer = await server("two");
    const two = await secondServer.create(PUBLIC, cleanup);
    await lab.serve(netnsOf(two), SERVED_PORT);
    const probes = [two.address, INTERNET].map(
      (address) => ({ protocol: "tcp", address, port: SERVED_PORT }) as const,
    );
    const outcomes = async () =>
      (await lab.probe(netnsOf(one), probes)).map(({ outcome }) => outcome === "answered");
    assert.deepEqual(await outcomes(), [false, true]);
    await killUnderLoad("three");
    await server("three");
    assert.deepEqual(await outcomes(), [false, true]);
    await cleanup.run();
  });

  it("servers that share a small network pass over each other's addresses, until there are none", async () => {
    const network_cidr = "10.240.0.0/28";
    const servers = [await server("small", { network_cidr }), await server("smaller", { network_cidr })];
    const cleanup = strictCleanup();
    const made = await Promise.all([0, 1, 0, 1].map((which) => servers[which]?.create(PUBLIC, cleanup)));
    assert.equal(new Set(made.map((network) => network?.address)).size, 4);
    for (const networks of servers) {
      await assert.rejects(
        networks.create(PUBLIC, strictCleanup()),
        /no address is free in 10\.240\.0\.0\/28/,
      );
    }
    await cleanup.run();
    const again = strictCleanup();
    await servers[0]?.create(PUBLIC, again);
    await again.run();
  });

  it("a network that the host routes already is not taken", async () => {
    await lab.run(["ip", "route", "add", "10.0.0.0/8", "via", "51.15.0.2"]);
    try {
      assert.match(
        (await server("vpn", { network_cidr: "10.231.0.0/16" })).unavailable ?? "",
        /routes 10\.231\.0\.0\/16 already/,
      );
      const cleanup = strictCleanup();
      const { address } = await (await server("vpn")).create(PUBLIC, cleanup);
      assert.match(address, /^172\.29\./);
      await cleanup.run();
    } finally {
      await lab.run(["ip", "route", "del", "10.0.0.0/8"]);
    }
  });

  it("an uplink that forwards for our sake forwards for nobody else, until somebody has the host forward", async () => {
    const setUp = [
      "netns add beside",
      "link add lan type veth peer name eth0 netns beside",
      "addr add 93.1.1.1/24 dev lan",
      "link set lan up",
    ];
    await lab.run(["ip", "-batch", "-"], `${setUp.join("\n")}\n`);
    await lab.run(
      ["ip", "-n", "beside", "-batch", "-"],
      "addr add 93.1.1.2/24 dev eth0\nlink set eth0 up\nroute add default via 93.1.1.1\n",
    );
    await lab.run(["ip", "-n", "outside", "route", "add", "93.1.1.0/24", "via", "51.15.0.1"]);
    await lab.run(["nft", "add", "rule", "ip", "filter", "FORWARD", "ip", "daddr", "93.1.1.0/24", "accept"]);
    try {
      await lab.serve("beside", SERVED_PORT);
      const networks = await server("careful");
      const reached = async () =>
        (await lab.probe("outside", [{ protocol: "tcp", address: "93.1.1.2", port: SERVED_PORT }]))[0]
          ?.outcome;
      assert.equal(await reached(), "silent");
      await lab.write(FORWARDS, "1");
      const cleanup = strictCleanup();
      await networks.create(PUBLIC, cleanup);
      assert.equal(await reached(), "answered");
      await cleanup.run();
      await networks.close();
      open = [];
      assert.equal(await forwards(), "1", "it is theirs now");
    } finally {
      await lab.run(["ip", "-batch", "-"], "link del lan\nnetns del beside\n");
      await lab.run(["nft", "-f", "-"], `flush ruleset\n${FOREIGN}`);
    }
  });

  it("a table that others remove, with all of theirs, is put up again while there are runs", async () => {
    const networks = await server("flushed");
    const cleanup = strictCleanup();
    const network = await networks.create(PUBLIC, cleanup);
    const addresses = [INTERNET, OUTSIDE.privateTen[0], network.gateway];
    const probes = addresses.map((address) => ({ protocol: "tcp", address, port: SERVED_PORT }) as const);
    const outcomes = async () =>
      (await lab.probe(netnsOf(network), probes)).map(({ outcome }) => outcome).join();
    await lab.run(["nft", "-f", "-"], `flush ruleset\n${FOREIGN}`);
    await until(async () => (await outcomes()) === "answered,refused,refused");
    await lab.run(["nft", "-f", "-"], `flush ruleset\n${FOREIGN}`);
    await networks.create(PUBLIC, cleanup);
    assert.equal(await outcomes(), "answered,refused,refused");
    await cleanup.run();
  });

  it("a host that forwards already needs no consent, and its settings are not touched", async () => {
    await lab.write(FORWARDS, "1");
    const networks = await server("forwarding", { enable_forwarding: false });
    assert.equal(networks.unavailable, null);
    assert.equal(existsSync(recordOf("forwarding")), false);
    const cleanup = strictCleanup();
    const network = await networks.create(PUBLIC, cleanup);
    assert.equal(network.address6, null, "IPv6 is not forwarded");
    const [answer] = await lab.probe(netnsOf(network), [
      { protocol: "tcp", address: INTERNET, port: SERVED_PORT },
    ]);
    assert.equal(answer?.outcome, "answered");
    await cleanup.run();
    await networks.close();
    open = [];
    assert.equal(await forwards(), "1");
  });

  it("a server without CAP_NET_ADMIN has none, and says so", async () => {
    const weak = ["setpriv", "--bounding-set=-net_admin", "--"];
    const host: NetworkHost = {
      run: (argv, script) => lab.run([...weak, ...argv], script),
      read: (path) => lab.run([...weak, "cat", path]),
      write: (path, text) => lab.write(path, text),
    };
    const networks = await server("weak", {}, { host });
    assert.equal(networks.unavailable, "the server lacks CAP_NET_ADMIN");
    await assert.rejects(networks.create(PUBLIC, strictCleanup()), {
      code: "network_unavailable",
      field: "network",
      message: "network sandbox is not available on this server: the server lacks CAP_NET_ADMIN",
    });
  });

  it("the operator is told of others' firewalls that may be in the way", async () => {
    const networks = await server("told");
    assert.deepEqual(await networks.notes(), [], "these let them pass");
    try {
      await lab.run(["nft", "-f", "-"], `flush chain ip filter FORWARD\n`);
      assert.match(String(await networks.notes()), /iptables -I DOCKER-USER -i bx\w{8}\+ -j ACCEPT/);
    } finally {
      await networks.close();
      open = [];
      await lab.run(["nft", "-f", "-"], `flush ruleset\n${FOREIGN}`);
    }
  });
});
