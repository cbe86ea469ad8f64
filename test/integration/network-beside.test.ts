import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { CleanupStack } from "../../src/core/cleanup-stack.ts";
import { openNetworks } from "../../src/network/networks.ts";
import type { Networks, RunNetwork } from "../../src/network/types.ts";
import { churnUntilKilled } from "../support/churn-networks.ts";
import { foreignRules, LAB_FIREWALLS } from "../support/lab-firewalls.ts";
import { until } from "../support/leftovers.ts";
import { HOST_ADDRESSES, NetworkLab, noNetworkLab, OUTSIDE, SERVED_PORT } from "../support/network-lab.ts";
import { netnsOf, PUBLIC } from "../support/networks.ts";
import { strictCleanup } from "../support/strict-cleanup.ts";

const PROTOCOLS = ["tcp", "udp", "icmp"] as const;
const CLOSED_ADDRESSES = [
  ...OUTSIDE.privateTen,
  ...OUTSIDE.privateLan,
  ...OUTSIDE.metadata,
  ...OUTSIDE.azureAgent,
  ...HOST_ADDRESSES,
];
const REACHED = OUTSIDE.internet.flatMap(() => PROTOCOLS.map(() => "answered"));

for (const firewall of LAB_FIREWALLS) {
  describe(`beside ${firewall.name}`, { skip: noNetworkLab() || firewall.skip }, () => {
    let lab: NetworkLab;
    let directory: string;
    let theirs: string[];
    let networks: Networks;
    let network: RunNetwork;
    let cleanup: CleanupStack;

    before(async () => {
      lab = await NetworkLab.open();
      directory = await mkdtemp(join(tmpdir(), "boxer-test-"));
      await firewall.start(lab);
      theirs = await foreignRules(lab);
      assert.match(theirs.join(), /drop|DROP|reject/);
      networks = await server();
      cleanup = strictCleanup();
      network = await networks.create(PUBLIC, cleanup);
    });
    after(async () => {
      await firewall.stop(lab);
      await lab.close();
      await rm(directory, { recursive: true });
    });

    const server = () =>
      openNetworks({
        host: lab,
        home: join(directory, "home"),
        record: join(directory, "network.json"),
        config: { network_cidr: undefined, enable_forwarding: true },
      });
    const outcomes = async (addresses: readonly string[]) => {
      const probes = addresses.flatMap((address) =>
        PROTOCOLS.map((protocol) => ({ protocol, address, port: SERVED_PORT })),
      );
      return (await lab.probe(netnsOf(network), probes)).map(({ outcome }) => outcome);
    };
    const asked = async () => {
      const { gateway: address } = network;
      const probes = (["udp", "tcp"] as const).map((protocol) => ({ protocol, address, port: 53 }));
      return (await lab.probe(netnsOf(network), probes)).map(({ outcome }) => outcome);
    };
    /** All is as it should be once the commands were given. */
    async function assertOpen(): Promise<void> {
      assert.deepEqual(await outcomes(OUTSIDE.internet), REACHED);
      assert.deepEqual(await asked(), ["answered", "answered"]);
      const closed = await outcomes(CLOSED_ADDRESSES);
      assert.ok(!closed.includes("answered"), String(closed));
    }

    it("its rules stay as they were, and what they drop is dropped", async () => {
      assert.deepEqual(await foreignRules(lab), theirs);
      assert.ok(!(await outcomes(OUTSIDE.internet.slice(0, 1))).slice(0, 2).includes("answered"));
    });

    it("the commands that the operator is told, each of them needed, let sandboxes pass and nothing else", async () => {
      const notes = await networks.notes();
      assert.ok(notes.length > 0);
      for (const note of notes) assert.match(note, firewall.called);
      const commands = notes.flatMap((note) => note.split("; this lets it pass: ")[1]?.split("; ") ?? []);
      for (const command of commands.filter((each) => !each.includes("--permanent"))) {
        assert.ok((await networks.notes()).length > 0, `not needed: ${command}`);
        await lab.run(["sh", "-c", command]);
      }
      for (const command of commands.filter((each) => each.includes("--permanent")))
        await lab.run(["sh", "-c", command]);
      assert.deepEqual(await networks.notes(), []);
      await assertOpen();
    });

    it("when it is reloaded, runs that are under way keep their network and their wall", async () => {
      const table = async () =>
        (await lab.run(["nft", "-s", "list", "ruleset"])).match(/^table inet boxer_[\s\S]*?^}/m)?.[0];
      const ours = await table();
      const others = await foreignRules(lab);
      await firewall.reload(lab);
      await assertOpen();
      assert.deepEqual(await foreignRules(lab), others);
      assert.deepEqual(await table(), ours);
      assert.deepEqual(await networks.notes(), []);
    });

    it("kill -9 and the next start leave its rules as they were", async () => {
      const others = await foreignRules(lab);
      await cleanup.run();
      await networks.close();
      assert.deepEqual(await foreignRules(lab), others);
      await churnUntilKilled(lab, join(directory, "home"), join(directory, "network.json"));
      networks = await server();
      assert.deepEqual(await foreignRules(lab), others);
      cleanup = strictCleanup();
      network = await networks.create(PUBLIC, cleanup);
      await assertOpen();
      await cleanup.run();
      await networks.close();
      assert.deepEqual(await foreignRules(lab), others);
      assert.doesNotMatch(await lab.run(["nft", "list", "tables"]), /boxer_/);
    });
  });
}

describe("what nobody drops", { skip: noNetworkLab() }, () => {
  it("is not spoken of", async () => {
    const lab = await NetworkLab.open();
    const directory = await mkdtemp(join(tmpdir(), "boxer-test-"));
    try {
      const networks = await openNetworks({
        host: lab,
        home: directory,
        record: join(directory, "network.json"),
        config: { network_cidr: undefined, enable_forwarding: true },
      });
      assert.deepEqual(await networks.notes(), []);
      await lab.run(
        ["nft", "-f", "-"],
        "table inet mine {\nchain forwards { type filter hook forward priority 0; policy drop; }\n}\n",
      );
      const [note = ""] = await networks.notes();
      for (const command of note.split("; this lets it pass: ")[1]?.split("; ") ?? [])
        await lab.run(["sh", "-c", command]);
      assert.deepEqual(await networks.notes(), []);
      await until(async () => (await lab.run(["nft", "list", "table", "inet", "mine"])).includes("accept"));
      await networks.close();
    } finally {
      await lab.close();
      await rm(directory, { recursive: true });
    }
  });
});
