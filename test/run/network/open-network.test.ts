import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import type { CleanupStack } from "../../../src/core/cleanup-stack.ts";
import type { RunNetwork } from "../../../src/network/types.ts";
import { type NetworkParts, networkCleanup, openNetwork } from "../../../src/run/network/open-network.ts";
import { planNetwork } from "../../../src/run/network/plan-network.ts";
import type { RunRequest } from "../../../src/run/types.ts";
import { noNetworks, REQUEST } from "../../support/run-parts.ts";
import { strictCleanup } from "../../support/strict-cleanup.ts";
import { tempDirectory } from "../../support/temp-directory.ts";

const COUNTED = { allowed_connections: 1, refused_connections: 2, bytes_in: 3, bytes_out: 4 };

/** Networks that are none, whose gateway is this machine. */
function fakeParts(done: string[], changes: Partial<RunNetwork> = {}): NetworkParts {
  const network: RunNetwork = {
    netns_path: "/run/netns/boxer-1",
    address: "127.0.0.2",
    gateway: "127.0.0.1",
    address6: null,
    interface: "bx1",
    counters: async () => COUNTED,
    restore: async () => void done.push("restored"),
    allow: async () => {},
    ...changes,
  };
  const networks: NetworkParts["networks"] = {
    unavailable: null,
    notes: async () => [],
    create: async (_, cleanup) => {
      cleanup.defer("fake", () => done.push("removed"));
      return network;
    },
    close: async () => {},
  };
  return { ...noNetworks(), networks };
}

const open = (parts: NetworkParts, request: Partial<RunRequest>, directory: string, cleanup: CleanupStack) =>
  openNetwork(parts, planNetwork(parts, { ...REQUEST, ...request }), directory, cleanup);

test("without a network there is nothing to make, to see or to count", async () => {
  const { guest, usage } = await open(fakeParts([]), {}, "/nonexistent", strictCleanup());
  assert.deepEqual([guest.mode, guest.netns_path, guest.files], ["none", null, []]);
  assert.equal(await usage(), null);
});

test("a guest gets its namespace by a way that leads there from any mount namespace, and files of its own", async (t) => {
  const done: string[] = [];
  const directory = await tempDirectory(t);
  const { guest, usage } = await open(fakeParts(done), { network: "sandbox" }, directory, strictCleanup());
  assert.equal(guest.netns_path, `/proc/${process.pid}/root/run/netns/boxer-1`);
  assert.deepEqual(
    await Promise.all(
      guest.files.map(async ({ source, destination }) => [destination, await readFile(source, "utf8")]),
    ),
    [
      ["/etc/resolv.conf", "nameserver 192.0.2.53\n"],
      ["/etc/hosts", "127.0.0.1\tlocalhost boxer\n::1\tlocalhost ip6-localhost ip6-loopback\n"],
    ],
  );
  await guest.restore();
  assert.deepEqual(done, ["restored"]);
  assert.deepEqual(await usage(), { ...COUNTED, dns_allowed: null, dns_refused: null });
});

test("counters that cannot be read cost the run no more than themselves", async (t) => {
  const counters = () => Promise.reject(new Error("no table"));
  const directory = await tempDirectory(t);
  const { usage } = await open(
    fakeParts([], { counters }),
    { network: "sandbox" },
    directory,
    strictCleanup(),
  );
  assert.equal(await usage(), null);
});

test("on the host's network names are looked up as the host does", async (t) => {
  const parts = fakeParts([]);
  const allowing = { ...parts, config: { ...parts.config, allow_host_network: true } };
  const { guest } = await open(allowing, { network: "host" }, await tempDirectory(t), strictCleanup());
  assert.equal(guest.mode, "host");
  const [file] = guest.files;
  const own = await readFile("/etc/resolv.conf", "utf8").catch(() => "");
  assert.equal(await readFile(file?.source ?? "", "utf8"), own);
});

test("a network goes after all that came later, and before what came earlier", async () => {
  const done: string[] = [];
  const run = strictCleanup();
  run.defer("lease", () => done.push("lease"));
  const own = networkCleanup(noNetworks(), run);
  run.defer("launchpad", () => done.push("launchpad"));
  own.defer("network", () => done.push("network"));
  await run.run();
  assert.deepEqual(done, ["launchpad", "network", "lease"]);
});
