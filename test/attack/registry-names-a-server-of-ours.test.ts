import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { HostPolicy } from "../../src/image/registry/host-policy.ts";
import { Transport } from "../../src/image/registry/transport.ts";
import { FakeRegistry } from "../support/fake-registry.ts";

// A registry elsewhere, played by `fetch`: what it names must not be fetched.
const registry = new URL("https://registry.example/v2/x/blobs/y");
const policy = new HostPolicy(["plain.example"]);
let ours: FakeRegistry;
const realFetch = globalThis.fetch;
let location = "";
before(async () => {
  ours = await FakeRegistry.start();
  globalThis.fetch = Object.assign(
    async (input: string | URL | Request, init?: RequestInit) => {
      if (String(input) !== registry.href) return realFetch(input, init);
      return new Response(null, { status: 307, headers: { location } });
    },
    { preconnect: realFetch.preconnect },
  );
});
after(async () => {
  globalThis.fetch = realFetch;
  await ours.stop();
});

const send = () =>
  new Transport(policy).send({
    method: "GET",
    url: registry,
    headers: {},
    authorization: undefined,
    signal: new AbortController().signal,
  });

describe("a registry elsewhere cannot send us to", () => {
  const cases: [name: string, location: () => string, reason: RegExp][] = [
    ["a server on loopback", () => `https://${ours.host}/`, /it is a loopback address/],
    ["loopback in plain http", () => `http://${ours.host}/`, /it would leave https/],
    ["loopback by name", () => `https://localhost:${ours.host.split(":")[1]}/`, /it is a loopback address/],
    [
      "loopback in another spelling",
      () => `https://0x7f000001:${ours.host.split(":")[1]}/`,
      /it is a loopback/,
    ],
    ["the metadata server of a cloud", () => "https://169.254.169.254/", /it is a link-local address/],
    ["the metadata server in plain http", () => "http://169.254.169.254/latest/", /it would leave https/],
    ["itself in plain http", () => "http://registry.example/x", /it would leave https/],
    ["an insecure registry of ours", () => "http://plain.example/x", /it would leave https/],
    ["a file", () => "file:///etc/passwd", /it is not an http\(s\) address/],
  ];
  for (const [name, to, reason] of cases) {
    test(name, async () => {
      location = to();
      await assert.rejects(send(), { code: "image_pull_failed", message: reason });
      assert.deepEqual(ours.seen, []);
    });
  }
});
