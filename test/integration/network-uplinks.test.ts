import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import type { CleanupStack } from "../../src/core/cleanup-stack.ts";
import { openNetworks } from "../../src/network/networks.ts";
import type { Networks, RunNetwork } from "../../src/network/types.ts";
import { churnUntilKilled } from "../support/churn-networks.ts";
import { until } from "../support/leftovers.ts";
import { NetworkLab, noNetworkLab, OUTSIDE, SERVED_PORT } from "../support/network-lab.ts";
import { netnsOf, PUBLIC } from "../support/networks.ts";
import { strictCleanup } from "../support/strict-cleanup.ts";

const FORWARDS = "/proc/sys/net/ipv4/ip_forward";
const [INTERNET = ""] = OUTSIDE.internet;
const CLOSED = [...OUTSIDE.privateTen, ...OUTSIDE.metadata, "51.16.0.1", "51.15.0.1"];
/** As wg-quick(8) has them: narrow routes of the main table first, then the tunnel's own. */
const RULES = ["priority 100 lookup main suppress_prefixlength 0", "priority 101 lookup 100"];

describe("routes that change while runs are live", { skip: noNetworkLab() }, () => {
  let lab: NetworkLab;
  let directory: string;
  let open: Networks[] = [];
  let cleanup: CleanupStack;

  before(async () => {
    lab = await NetworkLab.open();
    directory = await mkdtemp(join(tmpdir(), "boxer-test-"));
  });
  beforeEach(async () => {
    await lab.write(FORWARDS, "0");
    cleanup = strictCleanup();
  });
  afterEach(async () => {
    await cleanup.run();
    for (const networks of open) await networks.close();
    open = [];
    await lab
      .run(
        ["ip", "-force", "-batch", "-"],
        `${RULES.map((rule) => `rule del ${rule}\n`).join("")}link del wan2\n`,
      )
      .catch(() => "");
    await lab.run(["ip", "route", "replace", "default", "via", "51.15.0.2"]);
  });
  after(async () => {
    await lab.close();
    await rm(directory, { recursive: true });
  });

  const recordOf = (name: string) => join(directory, `${name}.json`);
  async function server(name: string, enable_forwarding = true): Promise<Networks> {
    const networks = await openNetworks({
      host: lab,
      home: join(directory, name),
      record: recordOf(name),
      config: { network_cidr: undefined, enable_forwarding },
    });
    assert.equal(networks.unavailable, null);
    open.push(networks);
    return networks;
  }
  /** A second line to the outside, which does not forward, as new interfaces do not. */
  async function plugIn(): Promise<void> {
    const lines = ["link add wan2 type veth peer name eth1 netns outside", "addr add 51.16.0.1/24 dev wan2"];
    await lab.run(["ip", "-batch", "-"], `${lines.join("\n")}\nlink set wan2 up\n`);
    const beyond = "addr add 51.16.0.2/24 dev eth1\nlink set eth1 up\n";
    await lab.run(["ip", "-n", "outside", "-batch", "-"], beyond);
  }
  const forwards = async (name: string) =>
    (await lab.read(`/proc/sys/net/ipv4/conf/${name}/forwarding`)).trim();
  const tcp = (address: string) => ({ protocol: "tcp", address, port: SERVED_PORT }) as const;
  /** The address that the outside sees a run come from, or what became of it instead. */
  async function seen({ netns_path }: Pick<RunNetwork, "netns_path">): Promise<string> {
    const [answer] = await lab.probe(netnsOf({ netns_path } as RunNetwork), [tcp(INTERNET)]);
    return answer?.outcome === "answered" ? answer.detail : String(answer?.outcome);
  }
  async function assertWall(network: RunNetwork): Promise<void> {
    const answers = (await lab.probe(netnsOf(network), CLOSED.map(tcp))).map(({ outcome }) => outcome);
    assert.ok(!answers.includes("answered"), String(answers));
  }

  it("a run under way and the next go out by a new uplink, and reach nothing else by it", async () => {
    const networks = await server("moved");
    const live = await networks.create(PUBLIC, cleanup);
    assert.equal(await seen(live), "51.15.0.1");
    await plugIn();
    await lab.run(["ip", "route", "replace", "default", "via", "51.16.0.2"]);
    await until(async () => (await seen(live)) === "51.16.0.1");
    await assertWall(live);
    const next = await networks.create(PUBLIC, cleanup);
    assert.equal(await seen(next), "51.16.0.1");
    await assertWall(next);
    assert.match(
      await lab.run(["nft", "list", "ruleset"]),
      /set opened4 {[^}]*"wan2"/,
      "it forwards for us only",
    );
    await cleanup.run();
    await networks.close();
    open = [];
    assert.deepEqual([await forwards("uplink"), await forwards("wan2")], ["0", "0"]);
  });

  it("a tunnel whose routes are in a table of their own is an uplink as well", async () => {
    const networks = await server("tunnel");
    await plugIn();
    await lab.run(
      ["ip", "-batch", "-"],
      `route add default via 51.16.0.2 table 100\n${RULES.map((rule) => `rule add ${rule}\n`).join("")}`,
    );
    const network = await networks.create(PUBLIC, cleanup);
    assert.equal(await seen(network), "51.16.0.1");
  });

  it("what was opened later is shut again after a kill -9", async () => {
    await plugIn();
    await lab.run(["ip", "route", "replace", "default", "via", "51.16.0.2"]);
    await churnUntilKilled(lab, join(directory, "killed"), recordOf("killed"));
    assert.equal(await forwards("wan2"), "1");
    await (await server("killed")).close();
    open = [];
    assert.equal(await forwards("wan2"), "0");
  });

  it("a host that stops to forward: with consent runs go on, without they are told why", async () => {
    await lab.write(FORWARDS, "1");
    const consenting = await server("consenting");
    const refusing = await server("refusing", false);
    const live = await consenting.create(PUBLIC, cleanup);
    assert.equal(await seen(live), "51.15.0.1");
    await lab.write(FORWARDS, "0");
    await assert.rejects(refusing.create(PUBLIC, strictCleanup()), {
      code: "network_unavailable",
      message: /this host no longer forwards IPv4, and enable_forwarding does not let Boxer change that/,
    });
    await until(async () => (await seen(live)) === "51.15.0.1");
    assert.equal((await lab.read(FORWARDS)).trim(), "0", "not the host as a whole");
  });

  it("two servers that opened the same uplink are not in each other's way, nor when one ends", async () => {
    const first = await server("first");
    const second = await server("second");
    const network = await second.create(PUBLIC, cleanup);
    assert.equal(await seen(network), "51.15.0.1");
    await first.close();
    open = [second];
    await until(async () => (await seen(network)) === "51.15.0.1");
  });

  it("who has the host forward later, Docker for one, finds no rule of ours in the way, without any run", async () => {
    await server("idle");
    const set = () => lab.run(["nft", "list", "ruleset"]);
    assert.match(await set(), /set opened4 {[^}]*"uplink"/);
    await lab.write(FORWARDS, "1");
    await until(async () => !/set opened4 {[^}]*"uplink"/.test(await set()));
  });
});
