import assert from "node:assert/strict";
import { test } from "node:test";
import { complainOfDnsServers } from "../../src/config/dns-servers.ts";
import { ConfigError, parseConfig } from "../../src/config/load-config.ts";

test("name servers are IP addresses", () => {
  for (const servers of [[], ["8.8.8.8"], ["2001:4860:4860::8888", "127.0.0.53"]]) {
    assert.equal(complainOfDnsServers(servers), null);
  }
  for (const server of ["dns.example", "8.8.8.8:53", "fe80::1%eth0", "8.8.8", "1.1.1.1\nsearch x"]) {
    assert.equal(
      complainOfDnsServers(["8.8.8.8", server]),
      `dns_servers[1] must be an IP address, not ${JSON.stringify(server)}`,
    );
  }
});

test("a configuration with another one is refused", () => {
  const text = JSON.stringify({ dns_servers: ["dns.example"] });
  const message = 'file: dns_servers[0] must be an IP address, not "dns.example"';
  assert.throws(
    () => parseConfig(text, "file", "/home/ada"),
    (error) => {
      assert.ok(error instanceof ConfigError);
      assert.equal(error.message, message);
      return true;
    },
  );
});
