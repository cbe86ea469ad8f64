import { planAddresses } from "../../../src/network/address-plan.ts";
import { linkScripts } from "../../../src/network/link-scripts.ts";
import { mistakesNamespaces, NO_NETWORK, withHiddenSysctl } from "../../../src/sandbox/guest-network.ts";
import { NetworkLab, noNetworkLab } from "../../../test/support/network-lab.ts";
import { NetworkService, serveNames } from "../../../test/support/network-service.ts";
import { platform } from "../../../test/support/platform.ts";
import type { BenchContext } from "../bench-context.ts";
import { asItComes, COLD } from "../bench-service.ts";
import { type Contender, interleave } from "../interleave.ts";
import { ratio } from "../ratio.ts";
import { openRawRunsc } from "../raw-runsc.ts";
import { summarize } from "../summarize.ts";
import { timed } from "../timed.ts";
import { ECHO, PRINT_42, type Workload } from "../workloads.ts";

const GUESTS = [ECHO, PRINT_42];
const AT_A_TIME = 16;
const BURST = 4 * AT_A_TIME;
/** What the name server of the lab knows. */
const LISTED = "api.example.com";
const KINDS = {
  "Boxer, none": {},
  "Boxer, sandbox, public": { network: "sandbox" },
  "Boxer, sandbox, listed": { network: "sandbox", egress: { allow: [`${LISTED}:443`] } },
} as const;

/**
 * What a network costs a cold run, against loopback only, on a host of its own in namespaces: the machine's own network is
 * left alone. The yardstick is raw runsc in a network namespace that is there already.
 */
export async function benchNetwork(context: BenchContext): Promise<void> {
  const { cleanup, report } = context;
  const why = noNetworkLab();
  if (why !== false) return report.note(`No figures of networks: ${why}`);
  const lab = await NetworkLab.open([]);
  cleanup.defer("network lab", () => lab.close());
  await serveNames(lab, [`${LISTED}=93.184.216.34`]);
  const raws = await openRaws(context, lab);
  // The lab's /sys shows no cgroups.
  const config = { ...asItComes(context), ...COLD, ignore_cgroups: true, max_concurrent_runs: AT_A_TIME };
  const service = await NetworkService.start(lab, config);
  cleanup.defer("service on the lab's host", () => service.stop());
  await compareTimes(context, raws, service);
  await compareRates(context, service);
}

async function compareTimes(
  { options, report }: BenchContext,
  raws: readonly ((workload: Workload) => Contender)[],
  service: NetworkService,
): Promise<void> {
  const rows = [];
  for (const workload of GUESTS) {
    const kinds = Object.entries(KINDS).map(([name, body]) => ({
      name,
      measure: async () => Math.max(...(await post(service, workload, body, 1))),
    }));
    const measured = await interleave([...raws.map((of) => of(workload)), ...kinds], options.runs);
    let base: number | undefined;
    for (const [runner, times] of measured) {
      const summary = summarize(times);
      base ??= summary.median;
      rows.push({ workload: workload.name, runner, ...summary, ratio: ratio(summary.median, base) });
    }
  }
  report.add("network", {
    title: `What a network costs a cold run, in ms; ${options.runs} of each, in turn; cgroups off`,
    columns: [
      { key: "workload", label: "run" },
      { key: "runner", label: "by, and its network" },
      { key: "least", label: "least" },
      { key: "median", label: "median" },
      { key: "p95", label: "p95" },
      { key: "ratio", label: "median / raw, none", digits: 2 },
    ],
    rows,
  });
}

async function compareRates({ report }: BenchContext, service: NetworkService): Promise<void> {
  const rows = [];
  for (const workload of GUESTS) {
    let base: number | undefined;
    for (const [runner, body] of Object.entries(KINDS)) {
      const took_ms = await timed(() => post(service, workload, body, BURST));
      const runs_per_s = (1000 * BURST) / took_ms;
      base ??= runs_per_s;
      rows.push({ workload: workload.name, runner, runs_per_s, ratio: ratio(runs_per_s, base) });
    }
  }
  report.add("network", {
    title: `Throughput with networks; ${BURST} runs, ${AT_A_TIME} at a time`,
    columns: [
      { key: "workload", label: "run" },
      { key: "runner", label: "by, and its network" },
      { key: "runs_per_s", label: "runs / s" },
      { key: "ratio", label: "/ none", digits: 2 },
    ],
    rows,
  });
}

/** @returns how long each took its client, in ms */
async function post(service: NetworkService, workload: Workload, body: object, count: number) {
  const { image, cmd, stdout_bytes } = workload;
  const answers = await service.post(Array(count).fill({ image, cmd, ...body }), AT_A_TIME);
  for (const { status, body: answer } of answers) {
    if (status !== 200 || answer.exit_code !== 0 || answer.stdout.length !== stdout_bytes)
      throw new Error(`${workload.name}: HTTP ${status}, ${JSON.stringify(answer)}`);
  }
  return answers.map(({ ms }) => ms);
}

/** Raw runsc on the lab's host, without a network and with one that has been made by hand. */
async function openRaws(context: BenchContext, lab: NetworkLab) {
  const link = planAddresses("be7c4a11", "10.99.0.0/24", true).link(0);
  const { make, enter } = linkScripts(link);
  await lab.run(["ip", "-batch", "-"], make);
  // A sandbox takes the addresses of its namespace over; they are put back before the next one, in no run's time.
  const restore = () => lab.run(["ip", "-n", link.netns, "-batch", "-"], enter);
  const empty = await context.directory("nothing");
  const isMistaken = await mistakesNamespaces(platform);
  const hidden = (argv: readonly string[]) => (isMistaken ? withHiddenSysctl(argv, empty) : argv);
  const alone = await openRawRunsc(context, {
    name: "raw-none",
    network: NO_NETWORK,
    wrap: (argv) => [...lab.prefix, ...argv],
  });
  const connected = await openRawRunsc(context, {
    name: "raw-sandbox",
    network: { mode: "sandbox", netns_path: `/run/netns/${link.netns}`, files: [] },
    wrap: (argv) => [...lab.prefix, ...hidden(argv)],
  });
  return [
    (workload: Workload): Contender => ({
      name: "raw runsc run, none",
      measure: () => timed(() => alone.run(workload)),
    }),
    (workload: Workload): Contender => ({
      name: "raw runsc run, sandbox",
      async measure() {
        await restore();
        return await timed(() => connected.run(workload));
      },
    }),
  ];
}
