import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { describe, it } from "node:test";
import { exchangeByTcp, exchangeByUdp } from "../../../src/network/dns/exchange.ts";

const never = new AbortController().signal;
const accept = (reply: Buffer) => (reply.toString() === "wrong" ? undefined : reply.toString());

async function bound() {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return { socket, server: { address: "127.0.0.1", port: socket.address().port } };
}

describe("an exchange by UDP", () => {
  it("takes no reply from anybody but the server that was asked", async () => {
    const { socket: real, server } = await bound();
    const { socket: forger } = await bound();
    real.on("message", (_, from) => {
      forger.send("forged", from.port, from.address, () => {
        real.send("wrong", from.port, from.address, () => real.send("real", from.port, from.address));
      });
    });
    const message = Buffer.from("?");
    assert.equal(await exchangeByUdp({ server, message, accept, signal: never, timeout_ms: 30_000 }), "real");
    real.close();
    forger.close();
  });

  it("is sent from another port each time", async () => {
    const { socket, server } = await bound();
    const ports = new Set<number>();
    socket.on("message", (message, from) => {
      ports.add(from.port);
      socket.send(message, from.port, from.address);
    });
    for (let n = 0; n < 8; n += 1) {
      await exchangeByUdp({ server, message: Buffer.from("?"), accept, signal: never, timeout_ms: 30_000 });
    }
    assert.ok(ports.size > 1);
    socket.close();
  });
});

for (const exchange of [exchangeByUdp, exchangeByTcp]) {
  it(`${exchange.name} ends with its time, with its run, and where nobody listens`, async () => {
    const { socket, server } = await bound();
    const parts = { server, message: Buffer.from("?"), accept };
    await assert.rejects(exchange({ ...parts, signal: never, timeout_ms: 20 }));
    const ending = new AbortController();
    const ended = exchange({ ...parts, signal: ending.signal, timeout_ms: 30_000 });
    ending.abort();
    await assert.rejects(ended);
    await assert.rejects(exchange({ ...parts, signal: ending.signal, timeout_ms: 30_000 }));
    socket.close();
  });
}
