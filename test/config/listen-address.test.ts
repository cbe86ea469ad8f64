import assert from "node:assert/strict";
import { test } from "node:test";
import { isLoopback, parseListenAddress } from "../../src/config/listen-address.ts";

const good: [string, string | undefined, number][] = [
  [":8080", undefined, 8080],
  [":0", undefined, 0],
  [":65535", undefined, 65535],
  ["127.0.0.1:8080", "127.0.0.1", 8080],
  ["0.0.0.0:80", "0.0.0.0", 80],
  ["[::1]:8080", "::1", 8080],
  ["[::]:8080", "::", 8080],
  ["[2001:db8::1]:1", "2001:db8::1", 1],
  ["localhost:8080", "localhost", 8080],
  ["host-1.example_x.org:8080", "host-1.example_x.org", 8080],
];
for (const [text, hostname, port] of good) {
  test(`an address is read as host and port: ${text}`, () =>
    assert.deepEqual(parseListenAddress(text), { hostname, port }));
}

const bad = [
  "",
  ":",
  "8080",
  "localhost",
  "localhost:",
  ":65536",
  ":99999",
  ":123456",
  ":-1",
  ":8080 ",
  " :8080",
  ":8080\n",
  ":80a",
  ":0x50",
  ":1e3",
  "::1:8080",
  "::8080",
  "[]:8080",
  "[127.0.0.1]:8080",
  "[::g]:8080",
  "[::1]",
  "[::1]8080",
  "http://localhost:8080",
  "a b:8080",
  "host/path:8080",
  "user@host:8080",
];
for (const text of bad) {
  test(`${JSON.stringify(text)} is no address`, () => assert.equal(parseListenAddress(text), null));
}

const loopback = ["127.0.0.1:80", "127.1.2.3:80", "[::1]:80", "localhost:80"];
const beyond = [":80", "0.0.0.0:80", "[::]:80", "192.168.1.1:80", "example.org:80", "128.0.0.1:80"];
for (const text of loopback) test(`${text} is loopback`, () => assert.equal(isLoopback(parsed(text)), true));
for (const text of beyond)
  test(`${text} is not loopback`, () => assert.equal(isLoopback(parsed(text)), false));

test("a name that begins like a loopback address may resolve to anything", () => {
  assert.equal(isLoopback(parsed("127.example.org:80")), false);
  assert.equal(isLoopback(parsed("127.0.0.1.example.org:80")), false);
});

function parsed(text: string) {
  const address = parseListenAddress(text);
  assert.ok(address, `${text} does not parse`);
  return address;
}
