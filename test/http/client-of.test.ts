import assert from "node:assert/strict";
import { test } from "node:test";
import { clientOf } from "../../src/http/client-of.ts";
import { rememberConnection } from "../../src/http/connections.ts";

function requestOf(headers: Record<string, string>, remoteAddress: string | undefined = "10.0.0.7"): Request {
  const request = new Request("http://localhost/run", { headers });
  rememberConnection(request, { remoteAddress, keepAlive() {} });
  return request;
}
const BY_ADDRESS = { client_header: undefined };
const BY_HEADER = { client_header: "X-Client" };

test("a client is its connection's address, whatever headers it sends", () => {
  const headers = { "x-client": "bob", "x-forwarded-for": "1.2.3.4", forwarded: "for=1.2.3.4" };
  assert.equal(clientOf(requestOf(headers), BY_ADDRESS), "10.0.0.7");
});

test("with client_header it is what that header says, and the address where it says nothing", () => {
  assert.equal(clientOf(requestOf({ "x-client": "bob" }), BY_HEADER), "bob");
  assert.equal(clientOf(requestOf({}), BY_HEADER), "10.0.0.7");
  assert.equal(clientOf(requestOf({ "x-client": " " }), BY_HEADER), "10.0.0.7");
});

test("a name is one short line", () => {
  const name = clientOf(requestOf({ "x-client": `a\tb${"x".repeat(9000)}` }), BY_HEADER);
  assert.equal(name.length, 128);
  assert.ok(name.startsWith("a bx"), name);
});

test("a request that came by no connection has a name, too", () => {
  assert.equal(clientOf(new Request("http://localhost/run"), BY_ADDRESS), "unknown");
});

test("an IPv6 client is its network of 64 bits, however its address is spelt; loopback and IPv4 are themselves", () => {
  for (const [address, client] of [
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:0DB8:0001:0002::6", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::1", "::1"],
    ["::ffff:10.0.0.7", "::ffff:10.0.0.7"],
  ] as const) {
    assert.equal(clientOf(requestOf({}, address), BY_ADDRESS), client);
  }
});
