import type { BenchContext } from "../bench-context.ts";
import { AS_IT_COMES, type BenchService, startBenchService } from "../bench-service.ts";
import { summarize } from "../summarize.ts";
import { timed } from "../timed.ts";
import { ECHO } from "../workloads.ts";

const TIME_OUTS = 20;
const LIMIT_MS = 500;
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  sleeps: ["sleep", "60"],
  spins: ["sh", "-c", "while :; do :; done"],
  "ignores SIGTERM": ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"],
};

/** How long after its wall clock has run out a run is answered. */
export async function benchTimeOuts(context: BenchContext): Promise<void> {
  const service = await startBenchService(context, "default", {
    ...AS_IT_COMES,
    ignore_cgroups: !context.hasCgroups,
  });
  const rows = [];
  for (const [program, cmd] of Object.entries(PROGRAMS)) {
    const overshoots: { killed: number; answered: number }[] = [];
    for (let index = 0; index < TIME_OUTS; index += 1) overshoots.push(await timeOut(service, cmd));
    for (const [what, key] of [
      ["sandbox gone", "killed"],
      ["answer read by the client", "answered"],
    ] as const) {
      rows.push({ program, what, ...summarize(overshoots.map((each) => each[key])) });
    }
  }
  context.report.add("timeouts", {
    title: `Past the wall clock limit in ms; ${TIME_OUTS} time-outs of ${LIMIT_MS} ms each`,
    columns: [
      { key: "program", label: "program" },
      { key: "what", label: "until" },
      { key: "least", label: "least" },
      { key: "median", label: "median" },
      { key: "p95", label: "p95" },
    ],
    rows,
  });
}

/** The clock starts with the sandbox; what the client sees holds the preparation as well. */
async function timeOut(
  service: BenchService,
  cmd: readonly string[],
): Promise<{ killed: number; answered: number }> {
  let wall_ms = 0;
  const body = JSON.stringify({ image: ECHO.image, cmd, limits: { wall_clock_secs: LIMIT_MS / 1000 } });
  const took_ms = await timed(async () => {
    const response = await fetch(`${service.url}/run`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    const answer = (await response.json()) as { wall_ms?: number };
    if (response.status !== 408 || answer.wall_ms === undefined) {
      throw new Error(`no time-out but HTTP ${response.status}: ${JSON.stringify(answer)}`);
    }
    wall_ms = answer.wall_ms;
  });
  return { killed: wall_ms - LIMIT_MS, answered: took_ms - LIMIT_MS };
}
