/**
 * `bun scripts/bench-network.ts [RUNS]`: what a network costs a run, against loopback only, in turn, on a host of its own
 * in namespaces: the machine's own network is left alone. Needs root.
 */
import { NetworkLab, noNetworkLab } from "../test/support/network-lab.ts";
import { NetworkService, serveNames } from "../test/support/network-service.ts";
import { BUSYBOX, PYTHON } from "../test/support/service.ts";
import { median } from "./bench/median.ts";

const CONCURRENT = 16;
const GUESTS = {
  echo: { image: BUSYBOX, cmd: ["echo", "42"] },
  print: { image: PYTHON, cmd: ["python3", "-c", "print(42)"] },
};
const KINDS = {
  none: {},
  "sandbox, public": { network: "sandbox" },
  "sandbox, listed": { network: "sandbox", egress: { allow: ["api.example.com:443"] } },
};

const runs = Number(process.argv[2] ?? 30);
const why = noNetworkLab();
if (why !== false) throw new Error(why);
const lab = await NetworkLab.open([]);
try {
  await serveNames(lab, ["api.example.com=93.184.216.34"]);
  const service = await NetworkService.start(lab, { prepared_runs: 3 });
  for (const [guest, body] of Object.entries(GUESTS)) {
    for (const kind of Object.values(KINDS)) await service.run({ ...body, ...kind });
    const taken = new Map(Object.keys(KINDS).map((kind) => [kind, [] as number[]]));
    for (let run = 0; run < runs; run += 1) {
      for (const [kind, rest] of Object.entries(KINDS)) {
        for (const { ms } of await service.post([{ ...body, ...rest }])) taken.get(kind)?.push(ms);
      }
    }
    const base = median(taken.get("none") ?? []);
    for (const [kind, list] of taken) {
      const one = median(list);
      const begun = performance.now();
      await service.post(
        Array(4 * CONCURRENT).fill({ ...body, ...KINDS[kind as keyof typeof KINDS] }),
        CONCURRENT,
      );
      const rate = (4 * CONCURRENT * 1000) / (performance.now() - begun);
      const words = [
        `${one.toFixed(0)} ms`,
        `${(one / base).toFixed(2)} of none`,
        `${rate.toFixed(1)} runs/s at ${CONCURRENT}`,
      ];
      console.log(`${guest}, ${kind}: ${words.join(", ")}`);
    }
  }
  await service.stop();
} finally {
  await lab.close();
}
