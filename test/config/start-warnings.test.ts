import assert from "node:assert/strict";
import { test } from "node:test";
import { parseListenAddress } from "../../src/config/listen-address.ts";
import { startWarnings } from "../../src/config/start-warnings.ts";

function warningsFor(address: string, ignore_cgroups = false, isRoot = true): string[] {
  const listen = parseListenAddress(address) ?? assert.fail(address);
  return startWarnings({ listen, ignore_cgroups }, isRoot);
}

test("a server that only this machine reaches, as root and with cgroups, needs no warning", () => {
  for (const address of ["127.0.0.1:8080", "[::1]:8080", "localhost:8080"]) {
    assert.deepEqual(warningsFor(address), []);
  }
});

test("listening beyond loopback is warned of, and that is the built-in default", () => {
  for (const address of [":8080", "0.0.0.0:8080", "[::]:8080", "example.org:8080"]) {
    assert.match(warningsFor(address).join(), /beyond loopback without authentication/);
  }
});

test("limits that nothing enforces are warned of", () => {
  assert.match(warningsFor("127.0.0.1:1", true).join(), /CPU and memory limits are not enforced/);
  assert.match(warningsFor("127.0.0.1:1", false, false).join(), /Not root: no cgroups/);
});
