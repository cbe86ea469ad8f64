import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { imageStoreOptions } from "../../src/compose-images.ts";
import { homeAt } from "../../src/core/home.ts";
import { silentLog } from "../../src/core/log.ts";
import { openImageStore } from "../../src/image/image-store.ts";
import { noUmoci, pythonLayout } from "../support/fixtures.ts";
import { sandboxesOf, until } from "../support/leftovers.ts";
import { HOST_ADDRESSES, NetworkLab, noNetworkLab, OUTSIDE, SERVED_PORT } from "../support/network-lab.ts";
import { type Action, type Done, guestBody, NetworkService, serveNames } from "../support/network-service.ts";
import { platform } from "../support/platform.ts";
import { BUSYBOX, PYTHON, testConfig } from "../support/service.ts";

const [INTERNET, INTERNET6] = OUTSIDE.internet;
const [OTHER] = OUTSIDE.otherInternet;
const PERMITTED = "10.77.0.10";
const NAMES = [
  `api.example.com=${INTERNET},${INTERNET6}`,
  `changing.example.com=${INTERNET}/${OTHER}/192.168.77.10`,
  "rebinding.example.com=192.168.77.10,fd77::10",
  "permitted.example.com=10.77.0.10",
  `elsewhere.example.org=${OTHER}`,
];
/** Rules of somebody else on the host. */
const FOREIGN = "table ip filter {\n\tchain OTHERS {\n\t\tip saddr 10.99.0.0/16 counter accept\n\t}\n}\n";
const CONCURRENT = 16;
const RUNS = 200;
/** Of the same runs without a network, for the comparison that is printed. */
const RUNS_WITHOUT = 5 * CONCURRENT;
/** A busy machine takes its time. */
const MANY_TIMEOUT_MS = 300_000;
/** Look-ups sent as fast as a guest can: far more than the 500 a second that get through. */
const FLOOD = 20_000;

const tcp = (host: string, port: number = SERVED_PORT): Action => ({ do: "tcp", host, port });
const udp = (host: string): Action => ({ do: "udp", host, port: SERVED_PORT });
const ping = (host: string): Action => ({ do: "ping", host });
const lookup = (name: string, transport = "udp", type = "A"): Action => ({
  do: "lookup",
  name,
  transport,
  type,
});
const pause: Action = { do: "sleep", secs: 1.5 };
const told = (done: readonly Done[]) => done.map(({ ok, error }) => ok ?? error);

describe("runs with a network", { skip: noNetworkLab() }, () => {
  let lab: NetworkLab;
  let service: NetworkService;
  before(async () => {
    lab = await NetworkLab.open([SERVED_PORT]);
    await serveNames(lab, NAMES);
    await lab.run(["nft", "-f", "-"], FOREIGN);
    service = await NetworkService.start(lab, {
      egress: { private_allow: ["10.77.0.0/16:8080"], deny: ["203.0.113.0/24"] },
      max_bandwidth_kbps: 1_000_000,
      // Whatever is on the host then belongs to a run.
      prepared_runs: 0,
    });
  });
  after(async () => {
    await service?.stop();
    assert.deepEqual(await left(), { namespaces: ["names", "outside"], links: ["names0", "uplink"] });
    assert.equal(await lab.run(["nft", "-s", "list", "ruleset"]), FOREIGN);
    await lab?.close();
  });

  async function left() {
    const entries = async (argv: string[], key: string) => {
      const found: Record<string, string>[] = JSON.parse((await lab.run(argv)) || "[]");
      return found.map((entry) => entry[key]).sort();
    };
    return {
      namespaces: await entries(["ip", "-j", "netns", "list"], "name"),
      links: await entries(["ip", "-j", "link", "show", "type", "veth"], "ifname"),
    };
  }

  const isOver = async () => (await left()).namespaces.length === 2;

  it("/readyz says that they can be had", async () => {
    assert.deepEqual((await service.readiness()).network_sandbox, { available: true, reason: null });
  });

  it("reach the public internet by IPv4 and IPv6, TCP, UDP and ICMP, and names", async () => {
    const actions = [INTERNET, INTERNET6].flatMap((host) => [tcp(host), udp(host), ping(host)]);
    const { done, answer } = await service.act([...actions, tcp("api.example.com"), tcp("203.0.113.7")]);
    assert.deepEqual(told(done), [
      ...[INTERNET, INTERNET, INTERNET, INTERNET6, INTERNET6, INTERNET6, INTERNET],
      "Connection refused",
    ]);
    assert.equal(answer.warm, false);
    const { allowed_connections, refused_connections, bytes_in, bytes_out, ...names } = answer.network_usage;
    // The two look-ups of the name share a socket or do not: that is the C library's affair.
    assert.ok([8, 9].includes(allowed_connections), String(allowed_connections));
    assert.equal(refused_connections, 1);
    assert.ok(bytes_in > 500 && bytes_out > 500, `${bytes_in} ${bytes_out}`);
    assert.deepEqual(names, { dns_allowed: null, dns_refused: null });
  });

  it("reach no private network, metadata, host or gateway, and each attempt is counted", async () => {
    const forbidden = [
      ...["192.168.77.10", "fd77::10", ...OUTSIDE.metadata, ...OUTSIDE.carrier, ...OUTSIDE.azureAgent],
      ...HOST_ADDRESSES,
    ];
    const actions = forbidden.map((host) => tcp(host));
    const { done, answer } = await service.act([
      ...actions,
      udp("192.168.77.10"),
      ping("192.168.77.10"),
      tcp(PERMITTED),
      tcp(PERMITTED, 443),
    ]);
    assert.deepEqual(told(done), [
      ...forbidden.map(() => "Connection refused"),
      "timeout",
      "timeout",
      PERMITTED,
      "Connection refused",
    ]);
    const { allowed_connections, refused_connections } = answer.network_usage;
    assert.deepEqual([allowed_connections, refused_connections], [1, forbidden.length + 3]);
  });

  it("cannot make raw or packet sockets, and have loopback", async () => {
    const loopback = ["127.0.0.1", "::1"].map((host) => ({ do: "loopback", host }));
    const { done } = await service.act([{ do: "raw" }, { do: "packet" }, ...loopback, { do: "interfaces" }]);
    const refused = "Operation not permitted";
    assert.deepEqual(told(done), [refused, refused, "connected", "connected", ["eth0", "lo"]]);
  });

  it("see nothing of the host's name servers and names, and their own files instead where they bring some", async () => {
    const read = ["/etc/resolv.conf", "/etc/hosts"].map((path) => ({ do: "read", path }));
    const [resolver, hosts] = told((await service.act(read)).done);
    assert.equal(resolver, "nameserver 51.20.0.2\n");
    assert.match(hosts, /^127\.0\.0\.1\tlocalhost boxer\n::1\tlocalhost \S+ \S+\n$/);
    const { inline_files } = guestBody([]);
    const own = [...inline_files, { path: "etc/resolv.conf", content: "nameserver 1.1.1.1\n" }];
    assert.equal(told((await service.act(read, { inline_files: own })).done)[0], "nameserver 1.1.1.1\n");
  });

  it("reach what their list has, by name, and nothing else", async () => {
    const { done, answer } = await service.act(
      [
        tcp(INTERNET),
        tcp("api.example.com"),
        tcp(INTERNET),
        tcp(INTERNET, 443),
        tcp(INTERNET6),
        tcp("elsewhere.example.org"),
        tcp(OTHER),
      ],
      { egress: { allow: [`api.example.com:${SERVED_PORT}`] } },
    );
    const refused = "Connection refused";
    // The program asked for both families, which so have been opened both.
    assert.deepEqual(told(done), [refused, INTERNET, INTERNET, refused, INTERNET6, "gaierror", refused]);
    const { dns_allowed, dns_refused, refused_connections } = answer.network_usage;
    assert.ok(dns_allowed >= 2 && dns_refused >= 1, `${dns_allowed} ${dns_refused}`);
    assert.equal(refused_connections, 3);
  });

  it("are answered by UDP and TCP for an allowed name, not for others, nor with private addresses", async () => {
    const { done, answer } = await service.act(
      [
        lookup("api.example.com"),
        lookup("api.example.com", "tcp"),
        lookup("api.example.com", "udp", "AAAA"),
        lookup("elsewhere.example.org"),
        lookup("elsewhere.example.org", "tcp"),
        lookup("rebinding.example.com"),
        lookup("api.example.com", "udp", "TXT"),
        tcp("192.168.77.10"),
      ],
      { egress: { allow: ["*.example.com"] } },
    );
    const none = { code: 0, addresses: [] };
    const noSuchName = { code: 3, addresses: [] };
    const found = (address: string) => ({ code: 0, addresses: [address] });
    assert.deepEqual(told(done), [
      ...[found(INTERNET), found(INTERNET), found(INTERNET6), noSuchName, noSuchName, none, none],
      "Connection refused",
    ]);
    const { dns_allowed, dns_refused } = answer.network_usage;
    assert.deepEqual([dns_allowed, dns_refused], [3, 4]);
  });

  it("follow a name whose address changes, and not into a private network", async () => {
    const name = "changing.example.com";
    const { done } = await service.act(
      [
        lookup(name),
        tcp(INTERNET),
        tcp(OTHER),
        pause,
        lookup(name),
        tcp(OTHER),
        pause,
        lookup(name),
        tcp("192.168.77.10"),
      ],
      { egress: { allow: [name] } },
    );
    const found = (...addresses: string[]) => ({ code: 0, addresses });
    const refused = "Connection refused";
    assert.deepEqual(told(done), [
      ...[found(INTERNET), INTERNET, refused, "slept"],
      ...[found(OTHER), OTHER, "slept", found(), refused],
    ]);
  });

  it("reach a private address that the operator permits by a name too", async () => {
    const { done } = await service.act([tcp("permitted.example.com"), tcp(PERMITTED, 443)], {
      egress: { allow: ["permitted.example.com"] },
    });
    assert.deepEqual(told(done), [PERMITTED, "Connection refused"]);
  });

  it("have a wide list open no private network", async () => {
    const { done } = await service.act([tcp(INTERNET), tcp("192.168.77.10"), tcp("203.0.113.7")], {
      egress: { allow: ["0.0.0.0/0", "::/0"] },
    });
    assert.deepEqual(told(done), [INTERNET, "Connection refused", "Connection refused"]);
  });

  it("do without what they deny themselves, names too", async () => {
    const { done } = await service.act(
      [tcp("elsewhere.example.org"), tcp("api.example.com"), tcp(INTERNET6)],
      {
        egress: { deny: ["*.example.org", "2a00::/16"] },
      },
    );
    assert.deepEqual(told(done), ["gaierror", INTERNET, "Connection refused"]);
  });

  it("have their network at a second start as well", async () => {
    const { done } = await service.act([tcp(INTERNET), tcp("api.example.com"), tcp(INTERNET6)], {
      cwd: "/a/directory/that/the/image/lacks",
      egress: { allow: ["*.example.com", "0.0.0.0/0:8080", "::/0"] },
    });
    assert.deepEqual(told(done), [INTERNET, INTERNET, INTERNET6]);
  });

  it("do not reach one another, nor does the host reach them", async () => {
    const serving = service.act([{ do: "serve", port: 9000, secs: 12 }]);
    const routes = async () =>
      (
        JSON.parse(await lab.run(["ip", "-j", "addr"])) as {
          ifname: string;
          addr_info: { local: string }[];
        }[]
      )
        .filter(({ ifname }) => ifname.startsWith("bx"))
        .flatMap(({ addr_info }) => addr_info.map(({ local }) => local));
    await until(async () => (await routes()).length === 2);
    const [gateway = "", gateway6 = ""] = await routes();
    const address = gateway.replace(/\d+$/, (last) => String(Number(last) + 1));
    const address6 = gateway6.replace(/::1$/, "::2");
    const addresses = [address, address6, gateway];
    const own = await service.act(addresses.map((host) => tcp(host, 9000)));
    assert.deepEqual(
      told(own.done),
      addresses.map(() => "Connection refused"),
    );
    const probes = [address, address6].map((host) => ({
      protocol: "tcp" as const,
      address: host,
      port: 9000,
    }));
    for (const { outcome } of await lab.probe(null, probes)) assert.notEqual(outcome, "answered");
    assert.deepEqual(told((await serving).done), ["served"]);
  });

  it("have the bandwidth that they state, and no more than the operator's", async () => {
    await until(isOver);
    const running = service.run({ cmd: ["sleep", "3"], network: "sandbox", bandwidth_kbps: 4_000 });
    const rates = async () => {
      const queues = JSON.parse(await lab.run(["tc", "-j", "qdisc"])) as {
        kind: string;
        options: { rate: number };
      }[];
      return queues.filter(({ kind }) => kind === "tbf").map(({ options }) => options.rate);
    };
    await until(async () => (await rates()).length > 0);
    assert.deepEqual(await rates(), [500_000], "bytes a second");
    assert.equal((await running).status, 200);
    const { status, body } = await service.run({
      cmd: ["true"],
      network: "sandbox",
      bandwidth_kbps: 1_000_001,
    });
    assert.deepEqual([status, body.code, body.field], [400, "invalid_request", "bandwidth_kbps"]);
  });

  it("leave the host's DNS proxy alone when they flood it", async () => {
    const query = '"\\0\\7\\1\\0\\0\\1" + "\\0" * 6 + "\\7example\\0\\0\\1\\0\\1"';
    const program = `import socket
server = open("/etc/resolv.conf").read().split()[1]
peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
peer.connect((server, 53))
for _ in range(${FLOOD}):
    try: peer.send((${query}).encode())
    except OSError: pass
`;
    const { status, body } = await service.run({
      cmd: ["python3", "-c", program],
      network: "sandbox",
      egress: { allow: [] },
    });
    assert.deepEqual([status, body.exit_code], [200, 0], JSON.stringify(body));
    const { dns_refused } = body.network_usage;
    assert.ok(dns_refused > 0 && dns_refused <= 500 * (1 + body.wall_ms / 1000), `${dns_refused}`);
  });

  for (const [what, body, status, code, field] of [
    [
      "a private network",
      { egress: { allow: ["192.168.0.0/16"] } },
      403,
      "network_not_allowed",
      "egress.allow[0]",
    ],
    [
      "what is no name",
      { egress: { allow: ["a.example", "b c"] } },
      400,
      "invalid_request",
      "egress.allow[1]",
    ],
    ["a list without a network", { network: "none", egress: {} }, 400, "invalid_request", "egress"],
    [
      "a bandwidth without a network",
      { network: "none", bandwidth_kbps: 8 },
      400,
      "invalid_request",
      "bandwidth_kbps",
    ],
    ["too little bandwidth", { bandwidth_kbps: 7 }, 400, "invalid_request", "bandwidth_kbps"],
    ["the host's network", { network: "host" }, 403, "network_not_allowed", "network"],
  ] as const) {
    it(`are refused ${what}, and the field is named`, async () => {
      const answer = await service.run({ cmd: ["true"], network: "sandbox", ...body });
      const { code: told, field: named } = answer.body;
      assert.deepEqual([answer.status, told, named], [status, code, field]);
    });
  }

  it("without one have loopback only", async () => {
    const { done, answer } = await service.act(
      [{ do: "interfaces" }, tcp(INTERNET), { do: "loopback", host: "127.0.0.1" }],
      { network: "none" },
    );
    assert.deepEqual(told(done), [["lo"], "No route to host", "connected"]);
    assert.equal(answer.network_usage, null);
  });

  it(`many at a time have addresses and counts of their own, and leave nothing`, {
    timeout: MANY_TIMEOUT_MS,
  }, async () => {
    const script = `ip -4 addr show eth0 | grep -o 'inet [0-9.]*'; ip -6 addr show eth0 | grep -o 'inet6 fd[0-9a-f:]*'`;
    const fetch = `nc -w 5 ${INTERNET} ${SERVED_PORT} </dev/null; nc -w 5 192.168.77.10 ${SERVED_PORT} </dev/null; true`;
    const body = {
      image: BUSYBOX,
      cmd: ["sh", "-c", `${script}; (${fetch}) >/dev/null 2>&1`],
      network: "sandbox",
    };
    const timed = async (network: string, runs: number) => {
      const begun = performance.now();
      const answers = await service.post(Array(runs).fill({ ...body, network }), CONCURRENT);
      return { answers, rate: (1000 * runs) / (performance.now() - begun) };
    };
    const { answers, rate } = await timed("sandbox", RUNS);
    const none = await timed("none", RUNS_WITHOUT);
    const ratio = (none.rate / rate).toFixed(2);
    console.log(
      `${CONCURRENT} at a time: ${rate.toFixed(1)} runs a second, ${ratio} times as many without a network`,
    );
    const seen = new Set<string>();
    for (const { status, body } of answers) {
      assert.deepEqual([status, body.status], [200, "ok"], JSON.stringify(body) + service.log);
      const addresses = body.stdout.trim().split("\n");
      assert.equal(addresses.length, 2, body.stdout);
      for (const address of addresses) seen.add(address);
      const { allowed_connections, refused_connections } = body.network_usage;
      assert.deepEqual([allowed_connections, refused_connections], [1, 1]);
    }
    assert.equal(seen.size, 2 * RUNS, "none came twice");
    await until(isOver);
    assert.deepEqual((await left()).links, ["names0", "uplink"]);
    assert.deepEqual(await service.runDirectories(), []);
  });

  it("leave nothing after kill -9 and a new start, and others' rules as they were", async () => {
    const bodies = ["", "x"].map((name) => ({
      image: PYTHON,
      cmd: ["sleep", "60"],
      network: "sandbox",
      ...(name && { egress: { allow: ["api.example.com"] } }),
    }));
    const lost = service.post([...bodies, ...bodies, ...bodies]);
    await until(
      async () => (await left()).namespaces.length === 8 && (await sandboxesOf(service.home)).length > 6,
    );
    await service.killAndRestart();
    assert.ok((await lost).every(({ status }) => status === 0));
    assert.deepEqual(await left(), { namespaces: ["names", "outside"], links: ["names0", "uplink"] });
    assert.match(service.log, /swept the networks/);
    assert.equal(await lab.run(["nft", "-s", "list", "table", "ip", "filter"]), FOREIGN);
    const { done } = await service.act([tcp(INTERNET)]);
    assert.deepEqual(told(done), [INTERNET]);
  });
});

describe("other hosts and configurations", { skip: noNetworkLab() }, () => {
  let lab: NetworkLab;
  before(async () => {
    lab = await NetworkLab.open([SERVED_PORT]);
  });
  after(() => lab?.close());

  it("tell by its reason what cannot be had, in the answer and at /readyz, and serve other runs", async () => {
    const service = await NetworkService.start(lab, {}, ["setpriv", "--bounding-set", "-net_admin"]);
    try {
      const { status, body } = await service.run({ cmd: ["true"], network: "sandbox" });
      assert.deepEqual([status, body.code, body.field], [400, "network_unavailable", "network"]);
      assert.match(body.error, /the server lacks CAP_NET_ADMIN$/);
      const { ready, network_sandbox } = await service.readiness();
      assert.deepEqual(
        [ready, network_sandbox],
        [true, { available: false, reason: "the server lacks CAP_NET_ADMIN" }],
      );
      assert.equal((await service.run({ cmd: ["true"] })).status, 200);
    } finally {
      await service.stop();
    }
  });

  it("give images that are directories a network as well", { skip: noUmoci }, async () => {
    const provide = async (home: string) => {
      const store = await openImageStore(
        imageStoreOptions(testConfig(home), platform, homeAt(home), null, silentLog),
      );
      await store.importLayout(pythonLayout, PYTHON);
      await store.close();
    };
    const service = await NetworkService.start(lab, { mkfs_erofs_path: null }, [], provide);
    try {
      const { done } = await service.act([tcp(INTERNET), tcp("192.168.77.10"), { do: "interfaces" }], {
        cwd: "/made/for/it",
      });
      assert.deepEqual(told(done), [INTERNET, "Connection refused", ["eth0", "lo"]]);
    } finally {
      await service.stop();
    }
  });

  it("keep links ready once a run had one, and none beyond the server's end", async () => {
    const service = await NetworkService.start(lab, { prepared_runs: 2 });
    const links = async () =>
      JSON.parse((await lab.run(["ip", "-j", "netns", "list"])) || "[]").filter(
        ({ name }: { name: string }) => name.startsWith("boxer-"),
      ).length;
    try {
      assert.equal(await links(), 0);
      for (let run = 0; run < 3; run += 1) {
        assert.deepEqual(told((await service.act([tcp(INTERNET)])).done), [INTERNET]);
        await until(async () => (await links()) === 2);
      }
    } finally {
      await service.stop();
    }
    assert.equal(await links(), 0);
  });

  it("may let them have the host's", async () => {
    const service = await NetworkService.start(lab, { allow_host_network: true });
    try {
      const { done, answer } = await service.act(
        [tcp("127.0.0.1"), tcp(INTERNET), tcp("192.168.9.1"), { do: "raw" }],
        {
          network: "host",
        },
      );
      assert.deepEqual(told(done), ["127.0.0.1", INTERNET, "192.168.9.1", "Operation not permitted"]);
      assert.equal(answer.network_usage, null);
    } finally {
      await service.stop();
    }
  });
});
