import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { GRACE_SECS } from "../../../src/network/dns/resolver.ts";
import type { DnsProxyOptions } from "../../../src/network/dns/start-dns-proxy.ts";
import { frame, readFrames } from "../../../src/network/dns/tcp-frames.ts";
import { a, aaaa, answerTo, cname, type Script, startFakeUpstream } from "./fake-upstream.ts";
import { askByTcp, askByUdp, type Proxied, policyOf, query, startProxied, told } from "./proxied.ts";

const PUBLIC = "93.184.216.34";
const PUBLIC6 = "2606:2800::1";
const NXDOMAIN = 3;
const SERVFAIL = 2;

const started: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of started.splice(0)) await one.close();
});

async function start(script: Script, options?: Partial<DnsProxyOptions>): Promise<Proxied> {
  const proxied = await startProxied(script, options);
  started.push(proxied);
  return proxied;
}
const known: Script = ({ name, type }) => ({
  records: [type === "A" ? a(name, PUBLIC) : aaaa(name, PUBLIC6)],
});

describe("a name that is allowed", () => {
  for (const transport of ["udp", "tcp"] as const) {
    it(`is answered by ${transport}, and its addresses are open by then`, async () => {
      const { ask, opened, proxy } = await start(known);
      const reply = await ask("api.example.com", "A", transport);
      assert.deepEqual([reply.code, reply.id, reply.addresses], [0, 0x1234, [PUBLIC]]);
      assert.deepEqual(opened, [{ address: PUBLIC, ports: null, ttl_secs: 60 + GRACE_SECS }]);
      assert.ok(reply.flag_qr && reply.flag_rd && reply.flag_ra && !reply.flag_tc);
      assert.deepEqual((await ask("x.example.org", "AAAA", transport)).addresses, [PUBLIC6]);
      assert.deepEqual(proxy.counts(), { allowed: 2, refused: 0 });
    });
  }

  it("is not answered before its addresses are open", async () => {
    let opens = 0;
    let openNow = () => {};
    const gate = new Promise<void>((resolve) => {
      openNow = resolve;
    });
    const { ask } = await start(known, {
      open: async () => {
        opens += 1;
        await gate;
      },
    });
    let answered = 0;
    const both = [ask("api.example.com"), ask("api.example.com")].map((reply) =>
      reply.then(() => answered++),
    );
    while (opens === 0) await sleep(5);
    await sleep(100);
    assert.deepEqual([opens, answered], [1, 0]);
    openNow();
    await Promise.all(both);
  });

  it("fails when its addresses cannot be opened, and is tried anew", async () => {
    let broken = true;
    const { ask } = await start(known, {
      open: async () => {
        if (broken) throw new Error("nft: out of memory");
      },
    });
    assert.equal((await ask("api.example.com")).code, SERVFAIL);
    broken = false;
    assert.deepEqual((await ask("api.example.com")).addresses, [PUBLIC]);
  });

  it("is opened for the ports that its entry names", async () => {
    const policy = policyOf({ allow: ["api.example.com:443", "api.example.com:80"] });
    const { ask, opened } = await start(known, { policy });
    await ask("api.example.com");
    assert.deepEqual(opened[0]?.ports, [443, 80]);
  });

  it("is asked upstream as a question made anew", async () => {
    const { proxy, upstream } = await start(known);
    const written = query("API.eXample.Com", "A", {
      additionals: [
        { type: "OPT", name: ".", udpPayloadSize: 4096, options: [{ code: 12, length: 9 }] } as never,
      ],
    });
    const reply = await askByUdp(proxy.port, written);
    assert.deepEqual(reply.questions?.[0]?.name, "API.eXample.Com");
    assert.equal(upstream.asked[0]?.name, "api.example.com");
    assert.equal(upstream.asked[0]?.message.length, 12 + 17 + 4 + 11);
    assert.equal(reply.additionals?.[0]?.type, "OPT");
  });

  it("keeps its answer for its TTL, at least a second and at most five minutes", async () => {
    const ttls = new Map([
      ["a.example.org", 0],
      ["b.example.org", 86_400],
      ["c.example.org", 77],
    ]);
    const { ask, opened, upstream } = await start(({ name }) => ({
      records: [a(name, PUBLIC, ttls.get(name))],
    }));
    for (const [name, ttl] of [
      ["a.example.org", 1],
      ["b.example.org", 300],
      ["c.example.org", 77],
    ] as const) {
      const [record] = (await ask(name)).answers ?? [];
      assert.equal(record && "ttl" in record && record.ttl, ttl);
      assert.equal(opened.at(-1)?.ttl_secs, ttl + GRACE_SECS);
    }
    await sleep(1100);
    const [kept] = (await ask("c.example.org")).answers ?? [];
    assert.ok(kept && "ttl" in kept && (kept.ttl ?? 77) < 77);
    assert.deepEqual([upstream.asked.length, opened.length], [3, 3]);
  });

  it("is told as it is when there is no such name, or no address", async () => {
    const { ask, proxy } = await start(({ name }) => ({ rcode: name === "no.example.org" ? NXDOMAIN : 0 }));
    assert.equal((await ask("no.example.org")).code, NXDOMAIN);
    const none = await ask("none.example.org");
    assert.deepEqual([none.code, none.addresses], [0, []]);
    assert.deepEqual(proxy.counts(), { allowed: 2, refused: 0 });
  });

  it("has no IPv6 address where the run has no IPv6, and nobody is asked", async () => {
    const { ask, upstream, proxy } = await start(known, { hasIpv6: false });
    const reply = await ask("api.example.com", "AAAA");
    assert.deepEqual([reply.code, reply.addresses, upstream.asked.length], [0, [], 0]);
    assert.deepEqual(proxy.counts(), { allowed: 1, refused: 0 });
  });
});

describe("aliases", () => {
  it("are followed to names that are not allowed themselves, and not shown", async () => {
    const { ask, opened } = await start(({ name }) => ({
      records: [
        a("edge.cdn.example", PUBLIC, 300),
        cname("cdn.example", "Edge.CDN.example", 20),
        cname(name, "cdn.example", 300),
      ],
    }));
    const { answers } = await ask("api.example.com");
    assert.deepEqual(
      answers?.map((record) => [record.name, record.type]),
      [["api.example.com", "A"]],
    );
    assert.deepEqual(opened[0]?.ttl_secs, 20 + GRACE_SECS);
    assert.equal((await ask("edge.cdn.example")).code, NXDOMAIN);
  });

  it("in a circle, or too many, lead nowhere", async () => {
    const { ask } = await start(({ name }) => ({
      records:
        name === "circle.example.org"
          ? [cname(name, "b.example"), cname("b.example", name)]
          : [
              cname(name, "n0.example"),
              ...Array.from({ length: 30 }, (_, n) => cname(`n${n}.example`, `n${n + 1}.example`)),
              a("n30.example", PUBLIC),
            ],
    }));
    for (const name of ["circle.example.org", "long.example.org"]) {
      const { code, addresses } = await ask(name);
      assert.deepEqual([code, addresses], [0, []]);
    }
  });

  it("of other names do not bring in their addresses", async () => {
    const { ask, opened } = await start(({ name }) => ({
      records: [a("other.example", PUBLIC), a(name, "1.1.1.1")],
    }));
    assert.deepEqual((await ask("api.example.com")).addresses, ["1.1.1.1"]);
    assert.deepEqual(
      opened.map(({ address }) => address),
      ["1.1.1.1"],
    );
  });
});

describe("upstream servers", () => {
  it("are asked by TCP what does not fit into a datagram", async () => {
    const { ask, upstream } = await start(({ name, transport }) =>
      transport === "udp"
        ? { truncated: true, records: [a(name, "1.1.1.1")] }
        : { records: [a(name, PUBLIC)] },
    );
    assert.deepEqual((await ask("api.example.com")).addresses, [PUBLIC]);
    assert.deepEqual(
      upstream.asked.map(({ transport }) => transport),
      ["udp", "tcp"],
    );
  });

  for (const [how, script] of [
    ["fails", () => ({ rcode: SERVFAIL })],
    ["refuses", () => ({ rcode: 5 })],
    ["is silent", () => null],
    ["talks nonsense", () => Array.from({ length: 20 }, () => Buffer.from("nonsense"))],
  ] as [string, Script][]) {
    it(`are asked in turn when one ${how}`, async () => {
      const bad = await startFakeUpstream(script);
      const good = await startFakeUpstream(known);
      started.push(bad, good);
      const { ask } = await start(known, { upstreams: [bad, good] });
      assert.deepEqual((await ask("api.example.com")).addresses, [PUBLIC]);
      assert.deepEqual([bad.asked.length, good.asked.length], [1, 1]);
    });
  }

  it("that all fail make the look-up fail, which is tried anew", async () => {
    const { ask, upstream } = await start(() => ({ rcode: SERVFAIL }));
    assert.equal((await ask("api.example.com")).code, SERVFAIL);
    upstream.script = known;
    assert.deepEqual((await ask("api.example.com")).addresses, [PUBLIC]);
  });

  it("are asked with ids that differ", async () => {
    const { ask, upstream } = await start(known);
    for (let n = 0; n < 8; n += 1) await ask(`n${n}.example.org`);
    assert.ok(new Set(upstream.asked.map(({ id }) => id)).size > 4);
  });
});

describe("a long answer", () => {
  const many: Script = ({ name }) => ({
    records: Array.from({ length: 40 }, (_, n) => a(name, `93.184.216.${n}`)),
  });
  const name = `${"x".repeat(60)}.example.org`;
  it("has at most sixteen addresses", async () => {
    const { ask, opened } = await start(many);
    const { addresses } = await ask(name, "A", "tcp");
    assert.equal(addresses.length, 16);
    assert.deepEqual(
      opened.map(({ address }) => address),
      addresses,
    );
  });
  it("is cut to what the client takes by UDP, and marked", async () => {
    const { proxy } = await start(many);
    const plain = await askByUdp(proxy.port, query(name));
    assert.ok(plain.flag_tc && plain.addresses.length > 0 && plain.addresses.length < 16);
    const edns = { additionals: [{ type: "OPT", name: ".", udpPayloadSize: 65_535 } as never] };
    const more = await askByUdp(proxy.port, query(name, "A", edns));
    assert.ok(more.flag_tc && more.addresses.length > plain.addresses.length);
  });
});

describe("a connection", () => {
  it("takes one query after the other, in pieces as they come", async () => {
    const { proxy } = await start(known);
    const socket = connect(proxy.port, "127.0.0.1");
    await once(socket, "connect");
    const bytes = Buffer.concat(["a", "b", "c"].map((label) => frame(query(`${label}.example.org`))));
    for (const byte of bytes.subarray(0, 5)) {
      socket.write(Buffer.of(byte));
      await sleep(5);
    }
    socket.write(bytes.subarray(5));
    const names: (string | undefined)[] = [];
    for await (const reply of readFrames(socket, 65_535)) {
      names.push(told(reply).questions?.[0]?.name);
      if (names.length === 3) break;
    }
    assert.deepEqual(names, ["a.example.org", "b.example.org", "c.example.org"]);
  });

  it("is closed when it sends no query", async () => {
    const { proxy } = await start(known);
    for (const bytes of [
      frame(Buffer.from("nonsense")),
      Buffer.from([0xff, 0xff, 0]),
      Buffer.from("GET / HTTP/1.1\r\n"),
    ]) {
      const socket = connect(proxy.port, "127.0.0.1");
      socket.on("error", () => undefined);
      socket.resume();
      socket.write(bytes);
      await once(socket, "close");
    }
  });
});

describe("closing", () => {
  it("ends what is under way, opens nothing any more, and frees the port", async () => {
    const opened: unknown[] = [];
    const { proxy, upstream } = await startProxied(() => null, {
      open: async (addresses) => void opened.push(...addresses),
    });
    const client = createSocket("udp4");
    client.send(query("api.example.com"), proxy.port, "127.0.0.1");
    const held = connect(proxy.port, "127.0.0.1");
    held.on("error", () => undefined);
    held.resume();
    const closed = once(held, "close");
    while (upstream.asked.length === 0) await sleep(5);
    await proxy.close();
    await closed;
    client.close();
    assert.deepEqual(opened, []);
    await assert.rejects(askByTcp(proxy.port, query("api.example.com")));
    const again = await startProxied(known, { bind: { address: "127.0.0.1", port: proxy.port } });
    await again.close();
    await upstream.close();
  });

  it("is not needed after an address that cannot be bound", async () => {
    await assert.rejects(startProxied(known, { bind: { address: "203.0.113.9", port: 0 } }), {
      code: "EADDRNOTAVAIL",
    });
  });
});

it("an answer to another question is not taken", async () => {
  const { ask } = await start((asked) => [
    answerTo({ ...asked, id: asked.id ^ 1 }, [a(asked.name, "6.6.6.6")]),
    answerTo({ ...asked, name: "other.example" }, [a(asked.name, "6.6.6.6")]),
    answerTo({ ...asked, type: "AAAA" }, [a(asked.name, "6.6.6.6")]),
    asked.message,
    answerTo(asked, [a(asked.name, PUBLIC)]),
  ]);
  assert.deepEqual((await ask("api.example.com")).addresses, [PUBLIC]);
});
