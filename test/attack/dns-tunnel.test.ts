import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { budgetOf } from "../../src/network/dns/budget.ts";
import type { DnsProxyOptions } from "../../src/network/dns/start-dns-proxy.ts";
import { a, cname, type Script } from "../network/dns/fake-upstream.ts";
import { askByTcp, type Proxied, policyOf, query, startProxied } from "../network/dns/proxied.ts";

const NXDOMAIN = 3;
const SERVFAIL = 2;
const BUDGET = budgetOf({ all_public: false });
const known: Script = ({ name }) => ({ records: [a(name, "93.184.216.34")] });

let proxied: Proxied | undefined;
afterEach(async () => {
  await proxied?.close();
  proxied = undefined;
});

async function start(script: Script = known, options?: Partial<DnsProxyOptions>): Promise<Proxied> {
  proxied = await startProxied(script, options);
  return proxied;
}

describe("what a run writes into names", () => {
  const names = [
    "c2VjcmV0.tunnel.example",
    "api.example.com.tunnel.example",
    "example.org",
    "xapi.example.com",
    "34.216.184.93.in-addr.arpa",
    "localhost",
    ".",
    "a b.example.org",
    "\u0000.example.org",
    "é.example.org",
  ];
  for (const name of names) {
    it(`does not get out by ${JSON.stringify(name)}`, async () => {
      const { ask, upstream, proxy } = await start();
      for (const transport of ["udp", "tcp"] as const)
        assert.equal((await ask(name, "A", transport)).code, NXDOMAIN);
      assert.equal(upstream.asked.length, 0);
      assert.deepEqual(proxy.counts(), { allowed: 0, refused: 2 });
    });
  }

  it("does not get out by its upper and lower case", async () => {
    const { ask, upstream } = await start();
    for (const name of ["sEcReT.example.org", "SeCrEt.example.org"]) await ask(name);
    assert.deepEqual(
      upstream.asked.map(({ name }) => name),
      ["secret.example.org"],
    );
  });

  it("gets out below an allowed wildcard for so many names and no more; listed ones go on", async () => {
    const { ask, upstream, proxy } = await start(known, { budget: { ...BUDGET, names: 5 } });
    for (let n = 0; n < 5; n += 1) assert.equal((await ask(`n${n}.example.org`)).code, 0);
    for (let n = 5; n < 20; n += 1) assert.equal((await ask(`n${n}.example.org`)).code, NXDOMAIN);
    assert.equal((await ask("n3.example.org")).code, 0);
    assert.equal((await ask("api.example.com")).code, 0);
    assert.equal(upstream.asked.length, 6);
    assert.deepEqual(proxy.counts(), { allowed: 7, refused: 15 });
  });

  it("gets out at a bounded rate", async () => {
    const budget = { ...BUDGET, questions_burst: 3, questions_per_sec: 0.001 };
    const { ask, upstream } = await start(known, { budget });
    const codes = [];
    for (let n = 0; n < 6; n += 1) codes.push((await ask(`n${n}.example.org`)).code);
    assert.deepEqual([codes, upstream.asked.length], [[0, 0, 0, SERVFAIL, SERVFAIL, SERVFAIL], 3]);
  });

  it("has a budget only where names are listed", () => {
    assert.equal(budgetOf(policyOf({ allow: ["*.example.org"] })).names, 512);
    assert.equal(budgetOf(policyOf()).names, null);
  });
});

describe("what the owner of an allowed domain writes into records", () => {
  for (const type of [
    "TXT",
    "NULL",
    "MX",
    "CNAME",
    "NS",
    "SOA",
    "SRV",
    "CAA",
    "NAPTR",
    "AXFR",
    "UNKNOWN_255",
    "UNKNOWN_65280",
  ]) {
    it(`does not get in by ${type}: nobody is asked`, async () => {
      const { ask, upstream, proxy } = await start();
      const { code, addresses } = await ask("api.example.com", type);
      assert.deepEqual([code, addresses, upstream.asked.length], [0, [], 0]);
      assert.deepEqual(proxy.counts(), { allowed: 0, refused: 1 });
    });
  }

  it("does not get in by aliases, other sections or other records", async () => {
    const text = "c2VjcmV0";
    const { proxy, upstream } = await start();
    upstream.script = ({ name }) => ({
      records: [
        { type: "TXT", name, data: text },
        cname(name, `${text}.example`),
        a(`${text}.example`, "93.184.216.34"),
        { type: "TXT", name: `${text}.example`, data: text },
      ],
    });
    const socket = createSocket("udp4");
    socket.send(query("api.example.com"), proxy.port, "127.0.0.1");
    const [reply] = (await once(socket, "message")) as [Buffer];
    socket.close();
    assert.ok(!reply.includes(text) && reply.includes(Buffer.from([93, 184, 216, 34])));
  });

  it("a look-up of HTTPS records has nothing, and is not called an attempt", async () => {
    const { ask, upstream, proxy } = await start();
    assert.deepEqual((await ask("api.example.com", "UNKNOWN_65")).addresses, []);
    assert.deepEqual([upstream.asked.length, proxy.counts().refused], [0, 0]);
  });
});

describe("a run that floods its proxy", () => {
  it("is not looked at beyond so many messages", async () => {
    const budget = { ...BUDGET, messages_burst: 4, messages_per_sec: 0.001 };
    const { ask, proxy } = await start(known, { budget });
    for (let n = 0; n < 4; n += 1) await ask("other.example");
    await assert.rejects(ask("api.example.com", "A", "tcp"));
    assert.deepEqual(proxy.counts(), { allowed: 0, refused: 5 });
  });

  it("has so many queries pending and no more", async () => {
    const { proxy, upstream } = await start(() => null, { budget: { ...BUDGET, pending: 3 } });
    const socket = createSocket("udp4");
    for (let n = 0; n < 10; n += 1) socket.send(query(`n${n}.example.org`), proxy.port, "127.0.0.1");
    while (proxy.counts().refused < 7) await sleep(5);
    socket.close();
    await proxy.close();
    assert.ok(new Set(upstream.asked.map(({ name }) => name)).size <= 3);
  });

  it("has so many connections and no more, and gets them back when it closes them", async () => {
    const { proxy } = await start(known, { budget: { ...BUDGET, connections: 2 } });
    const held = [connect(proxy.port, "127.0.0.1"), connect(proxy.port, "127.0.0.1")];
    await Promise.all(held.map((socket) => once(socket, "connect")));
    const answered = () =>
      askByTcp(proxy.port, query("api.example.com")).then(
        () => true,
        () => false,
      );
    assert.equal(await answered(), false);
    for (const socket of held) socket.destroy();
    while (!(await answered())) await sleep(10);
  });

  it("does not stop the proxy by never reading its answers", async () => {
    const { proxy, ask } = await start(known, { budget: { ...BUDGET, messages_burst: 1e9, connections: 2 } });
    const socket = connect(proxy.port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.pause();
    const message = query("api.example.com");
    const length = Buffer.alloc(2);
    length.writeUInt16BE(message.length);
    const batch = Buffer.concat(Array.from({ length: 2000 }, () => [length, message]).flat());
    for (let n = 0; n < 50 && socket.write(batch); n += 1) await sleep(1);
    assert.deepEqual((await ask("api.example.com", "A", "tcp")).addresses, ["93.184.216.34"]);
    const closed = once(socket, "close");
    socket.resume();
    await proxy.close();
    await closed;
  });
});
