import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { DnsProxyOptions } from "../../src/network/dns/start-dns-proxy.ts";
import { a, aaaa, cname, type Script } from "../network/dns/fake-upstream.ts";
import { type Proxied, policyOf, startProxied } from "../network/dns/proxied.ts";

const PUBLIC = "93.184.216.34";
const NAME = "rebind.example.org";

let proxied: Proxied | undefined;
afterEach(async () => {
  await proxied?.close();
  proxied = undefined;
});

async function start(script: Script, options?: Partial<DnsProxyOptions>): Promise<Proxied> {
  proxied = await startProxied(script, options);
  return proxied;
}

describe("a name that is allowed and whose owner points it at what the host can reach", () => {
  const inner = [
    "10.0.0.1",
    "192.168.1.1",
    "172.16.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "0.0.0.0",
    "100.64.0.1",
    "224.0.0.1",
  ];
  for (const address of inner) {
    it(`${address} is neither told nor opened`, async () => {
      const { ask, opened, proxy } = await start(({ name }) => ({ records: [a(name, address)] }));
      const { code, addresses } = await ask(NAME);
      assert.deepEqual([code, addresses, opened], [0, [], []]);
      assert.deepEqual(proxy.counts(), { allowed: 0, refused: 1 });
    });
  }

  const inner6 = [
    "::1",
    "::",
    "fe80::1",
    "fd00:ec2::254",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "ff02::1",
  ];
  for (const address of inner6) {
    it(`${address} is neither told nor opened`, async () => {
      const { ask, opened } = await start(({ name }) => ({ records: [aaaa(name, address)] }));
      const { code, addresses } = await ask(NAME, "AAAA");
      assert.deepEqual([code, addresses, opened], [0, [], []]);
    });
  }

  it("gets nothing by hiding it among public ones", async () => {
    const { ask, opened } = await start(({ name }) => ({ records: [a(name, "10.0.0.1"), a(name, PUBLIC)] }));
    assert.deepEqual((await ask(NAME)).addresses, [PUBLIC]);
    assert.deepEqual(
      opened.map(({ address }) => address),
      [PUBLIC],
    );
  });

  it("gets nothing by an alias", async () => {
    const { ask, opened } = await start(({ name }) => ({
      records: [cname(name, "metadata.internal"), a("metadata.internal", "169.254.169.254")],
    }));
    assert.deepEqual([(await ask(NAME)).addresses, opened], [[], []]);
  });

  it("gets nothing by an IPv4 address in an answer for IPv6", async () => {
    const { ask, opened } = await start(({ name }) => ({ records: [a(name, PUBLIC)] }));
    assert.deepEqual([(await ask(NAME, "AAAA")).addresses, opened], [[], []]);
  });

  it("gets nothing by changing its mind between two questions", async () => {
    let address = PUBLIC;
    const { ask, opened, upstream } = await start(({ name }) => ({ records: [a(name, address, 0)] }));
    assert.deepEqual((await ask(NAME)).addresses, [PUBLIC]);
    address = "10.0.0.1";
    while (upstream.asked.length === 1) {
      await ask(NAME);
      await sleep(50);
    }
    assert.deepEqual((await ask(NAME)).addresses, []);
    assert.deepEqual(
      opened.map(({ address }) => address),
      [PUBLIC],
    );
  });

  it("gets nothing where all that is public is allowed", async () => {
    const { ask, opened } = await start(({ name }) => ({ records: [a(name, "10.0.0.1")] }), {
      policy: policyOf(),
    });
    assert.deepEqual([(await ask("anything.example")).addresses, opened], [[], []]);
  });
});

it("a public address that changes is opened anew, for as long as its own TTL says", async () => {
  let address = PUBLIC;
  const { ask, opened } = await start(({ name }) => ({ records: [a(name, address, 1)] }));
  await ask(NAME);
  address = "1.1.1.1";
  while ((await ask(NAME)).addresses[0] === PUBLIC) await sleep(50);
  assert.deepEqual(
    opened.map(({ address }) => address),
    [PUBLIC, "1.1.1.1"],
  );
});

it("an address that is denied is not told, even of a name that is allowed", async () => {
  const policy = policyOf({ allow: ["*.example.org"], deny: ["93.184.216.0/24"] });
  const { ask, opened } = await start(({ name }) => ({ records: [a(name, PUBLIC)] }), { policy });
  assert.deepEqual([(await ask(NAME)).addresses, opened], [[], []]);
});

it("a private network that the operator opens is opened on its ports, and only there", async () => {
  const policy = policyOf({ allow: ["*.example.org"] }, { private_allow: ["10.1.0.0/16:5432"] });
  const { ask, opened } = await start(
    ({ name }) => ({ records: [a(name, "10.1.0.7"), a(name, "10.2.0.7"), a(name, PUBLIC)] }),
    { policy },
  );
  assert.deepEqual((await ask(NAME)).addresses, ["10.1.0.7", PUBLIC]);
  assert.deepEqual(
    opened.map(({ address, ports }) => [address, ports]),
    [
      ["10.1.0.7", [5432]],
      [PUBLIC, null],
    ],
  );
});

it("with all that is public allowed only the private addresses are opened", async () => {
  const policy = policyOf(undefined, { private_allow: ["10.1.0.0/16"] });
  const { ask, opened } = await start(({ name }) => ({ records: [a(name, "10.1.0.7"), a(name, PUBLIC)] }), {
    policy,
  });
  assert.deepEqual((await ask("anything.example")).addresses, ["10.1.0.7", PUBLIC]);
  assert.deepEqual(
    opened.map(({ address }) => address),
    ["10.1.0.7"],
  );
});
