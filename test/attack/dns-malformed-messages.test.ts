import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { isIPv4 } from "node:net";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { decodeQuery, MAX_QUERY_BYTES } from "../../src/network/dns/dns-query.ts";
import { encodeReply } from "../../src/network/dns/dns-reply.ts";
import { decodeAnswer, encodeQuestion, MAX_ANSWER_BYTES } from "../../src/network/dns/upstream-message.ts";
import { a, answerTo, cname } from "../network/dns/fake-upstream.ts";
import { query, startProxied } from "../network/dns/proxied.ts";
import { seededRandom } from "../support/seeded-random.ts";

const ROUNDS = 20_000;
const QUESTION = { id: 7, name: "api.example.com", type: "A" } as const;

/** A message with some bytes changed, cut off or put behind. */
function mangle(message: Buffer, random: () => number): Buffer {
  const bytes = Buffer.from(message.subarray(0, random() < 0.2 ? random() * message.length : message.length));
  for (let changes = random() * 6; changes > 0 && bytes.length > 0; changes -= 1) {
    bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
  }
  return random() < 0.1 ? Buffer.concat([bytes, noise(random, 600)]) : bytes;
}

function noise(random: () => number, most: number): Buffer {
  return Buffer.from(Array.from({ length: random() * most }, () => random() * 256));
}

describe("a guest's message", () => {
  it("of any bytes is a query or is dropped, and has a reply of bounded size", () => {
    const random = seededRandom(1);
    const seeds = [
      query("api.example.com"),
      query("x.example.org", "AAAA", {
        additionals: [{ type: "OPT", name: ".", udpPayloadSize: 4096 } as never],
      }),
    ];
    let read = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const seed = seeds[round % 2] as Buffer;
      const decoded = decodeQuery(random() < 0.3 ? noise(random, 600) : mangle(seed, random));
      if (!decoded) continue;
      read += 1;
      const addresses = Array.from({ length: decoded.type === "A" ? 16 : 0 }, (_, n) => `93.184.216.${n}`);
      const reply = { rcode: 0 as const, addresses, ttl_secs: 1 };
      const size = encodeReply(decoded, reply, decoded.udp_size_bytes).length;
      assert.ok(size <= 1232, `${size} bytes`);
    }
    assert.ok(read > ROUNDS / 20, `${read} queries`);
  });

  const header = (...counts: number[]) => {
    const bytes = Buffer.alloc(12);
    counts.forEach((count, index) => {
      bytes.writeUInt16BE(count, 4 + 2 * index);
    });
    return bytes;
  };
  const rest = query("api.example.com").subarray(12);
  const bad: [string, Buffer][] = [
    ["nothing", Buffer.alloc(0)],
    ["half a header", Buffer.alloc(11)],
    ["no question", header(0, 0, 0, 0)],
    ["a question that is missing", header(1, 0, 0, 0)],
    ["65535 questions", Buffer.concat([header(65_535, 0, 0, 0), rest])],
    ["two questions", Buffer.concat([header(2, 0, 0, 0), rest, rest])],
    ["answers", Buffer.concat([header(1, 1, 0, 0), rest])],
    ["authorities", Buffer.concat([header(1, 0, 1, 0), rest])],
    [
      "a name that points to itself",
      Buffer.concat([header(1, 0, 0, 0), Buffer.from([0xc0, 12, 0, 1, 0, 1])]),
    ],
    ["a name that points forward", Buffer.concat([header(1, 0, 0, 0), Buffer.from([0xc0, 40, 0, 1, 0, 1])])],
    ["a reserved label type", Buffer.concat([header(1, 0, 0, 0), Buffer.from([0x80, 1, 0, 0, 1, 0, 1])])],
    [
      "a name of 300 bytes",
      Buffer.concat([header(1, 0, 0, 0), Buffer.alloc(300, 1), Buffer.from([0, 0, 1, 0, 1])]),
    ],
    ["too many bytes", Buffer.concat([query("api.example.com"), Buffer.alloc(MAX_QUERY_BYTES)])],
  ];
  for (const [what, bytes] of bad)
    it(`with ${what} is dropped`, () => assert.equal(decodeQuery(bytes), undefined));

  it("that is a response, or no standard query, is dropped: it cannot be sent in circles", () => {
    for (const bits of [0x80, 0x08, 0x10, 0x28]) {
      const bytes = query("api.example.com");
      bytes.writeUInt8(bytes.readUInt8(2) | bits, 2);
      assert.equal(decodeQuery(bytes), undefined);
    }
  });

  it("cannot stop the proxy", async () => {
    const proxied = await startProxied(({ name }) => ({ records: [a(name, "93.184.216.34")] }));
    const random = seededRandom(3);
    const socket = createSocket("udp4");
    for (let round = 0; round < 500; round += 1) {
      socket.send(mangle(query("api.example.com"), random), proxied.proxy.port, "127.0.0.1");
      if (round % 50 === 0) await sleep(5);
    }
    socket.close();
    assert.deepEqual((await proxied.ask("api.example.com", "A", "tcp")).addresses, ["93.184.216.34"]);
    await proxied.close();
  });
});

describe("an upstream server's message", () => {
  const asked = { ...QUESTION, transport: "udp", message: encodeQuestion(QUESTION) } as const;
  const whole = answerTo(asked, [cname(QUESTION.name, "b.example"), a("b.example", "93.184.216.34")]);

  it("of any bytes is an answer or is dropped, and has addresses only", () => {
    const random = seededRandom(2);
    let read = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const decoded = decodeAnswer(random() < 0.2 ? noise(random, 600) : mangle(whole, random), QUESTION);
      if (!decoded) continue;
      read += 1;
      assert.ok(decoded.addresses.every(isIPv4) && decoded.addresses.length <= 16);
      assert.ok(Number.isInteger(decoded.ttl_secs) && decoded.ttl_secs >= 0);
    }
    assert.ok(read > ROUNDS / 20, `${read} answers`);
  });

  it("is read when whole, and dropped at each place where it may end", () => {
    assert.deepEqual(decodeAnswer(whole, QUESTION)?.addresses, ["93.184.216.34"]);
    for (let length = 0; length < whole.length; length += 1) {
      assert.equal(decodeAnswer(whole.subarray(0, length), QUESTION), undefined, `${length}`);
    }
  });

  it("of pointers to pointers, again and again, is read in no time", () => {
    const bytes = Buffer.alloc(MAX_ANSWER_BYTES);
    const start = encodeQuestion(QUESTION).length - 11;
    encodeQuestion(QUESTION).copy(bytes, 0, 0, start);
    bytes.writeUInt8(0x80, 2);
    bytes.writeUInt16BE(0xffff, 6);
    bytes.writeUInt16BE(0, 10);
    for (let offset = start + 2; offset < bytes.length - 1; offset += 2)
      bytes.writeUInt16BE(0xc000 + offset - 2, offset);
    for (let round = 0; round < 200; round += 1) decodeAnswer(bytes, QUESTION);
  });
});
