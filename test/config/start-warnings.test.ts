import assert from "node:assert/strict";
import { test } from "node:test";
import { parseListenAddress } from "../../src/config/listen-address.ts";
import { startWarnings } from "../../src/config/start-warnings.ts";

function warningsFor(address: string, unenforced: string[] = [], isRoot = true): string[] {
  const listen = parseListenAddress(address) ?? assert.fail(address);
  return startWarnings({ listen }, isRoot, unenforced);
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

test("limits that nothing enforces are warned of in one line, with the reasons", () => {
  const [warning, ...more] = warningsFor("127.0.0.1:1", ["memory_mb: no memory", "cpu_cores: no cpu"]);
  assert.match(warning ?? "", /not enforced on this host: memory_mb: no memory; cpu_cores: no cpu$/);
  assert.deepEqual(more, []);
});

test("a server without root says what guests cannot do", () => {
  assert.match(warningsFor("127.0.0.1:1", [], false).join(), /Not root: guests cannot write to \/output/);
});
