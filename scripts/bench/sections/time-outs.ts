import { PYTHON } from "../../../test/support/service.ts";
import type { BenchContext } from "../bench-context.ts";
import { type BenchService, COLD, startBenchService, WARM } from "../bench-service.ts";
import { summarize } from "../summarize.ts";
import { timed } from "../timed.ts";
import { ECHO } from "../workloads.ts";

const MOST_TIME_OUTS = 20;
const LIMIT_MS = 500;
const TARGET_MS = 50;

/** The body of a run, but for its limit of time. */
interface Endless {
  readonly image: string;
  readonly cmd: readonly [string, ...string[]];
  readonly on_output_limit?: "truncate";
}

/** Pages are touched again and again, within the default memory limit of 256 MB. */
const FILL = "x=bytearray(160<<20)\nwhile 1:\n for i in range(0,len(x),4096): x[i]=(x[i]+1)&255";
const FORK = "for i in $(seq 50); do sleep 60 & done; wait";
const PROGRAMS: Readonly<Record<string, Endless>> = {
  sleeps: { image: ECHO.image, cmd: ["sleep", "60"] },
  spins: { image: ECHO.image, cmd: ["sh", "-c", "while :; do :; done"] },
  "ignores SIGTERM": { image: ECHO.image, cmd: ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"] },
  "forks 50 processes": { image: ECHO.image, cmd: ["sh", "-c", FORK] },
  "fills 160 MB": { image: PYTHON, cmd: ["python3", "-c", FILL] },
  "prints endlessly": { image: ECHO.image, cmd: ["yes"], on_output_limit: "truncate" },
};

/** How long after its wall clock has run out a run is answered. */
export async function benchTimeOuts(context: BenchContext): Promise<void> {
  const services = {
    cold: await startBenchService(context, "cold", COLD),
    warm: await startBenchService(context, "warm", WARM),
  };
  const count = Math.min(context.options.runs, MOST_TIME_OUTS);
  const rows = [];
  for (const [program, endless] of Object.entries(PROGRAMS)) {
    for (const [mode, service] of Object.entries(services)) {
      const timeOuts: TimeOut[] = [];
      await service.takeLoopDelay();
      for (let index = 0; index < count; index += 1) {
        await service.settle();
        timeOuts.push(await timeOut(service, endless));
      }
      const loop = await service.takeLoopDelay();
      rows.push(...rowsOf(timeOuts).map((row) => ({ program, mode, ...row, ...loop })));
    }
  }
  context.report.add("timeouts", {
    title: `Past the wall clock limit in ms; ${count} time-outs of ${LIMIT_MS} ms each`,
    columns: [
      { key: "program", label: "program" },
      { key: "mode", label: "sandbox" },
      { key: "what", label: "until" },
      { key: "least", label: "least" },
      { key: "median", label: "median" },
      { key: "p95", label: "p95" },
      { key: "p99", label: "p99" },
      { key: "late", label: `over ${TARGET_MS} ms`, digits: 0 },
      { key: "warm", label: "of them warm", digits: 0 },
      { key: "late_ms", label: "loop late" },
      { key: "computing_ms", label: "of it computing" },
    ],
    rows,
  });
}

interface TimeOut {
  /** By the service's own clock, which starts with the program. */
  readonly killed_ms: number;
  /** What the client sees: with the preparation, the boot of a cold sandbox, and the answer on its way. */
  readonly answered_ms: number;
  readonly warm: boolean;
}

function rowsOf(timeOuts: readonly TimeOut[]) {
  const rowOf = (what: string, values: readonly number[]) => ({
    what,
    ...summarize(values),
    late: values.filter((value) => value > TARGET_MS).length,
    warm: timeOuts.filter(({ warm }) => warm).length,
  });
  return [
    rowOf(
      "sandbox gone",
      timeOuts.map(({ killed_ms }) => killed_ms),
    ),
    rowOf(
      "answer read by the client",
      timeOuts.map(({ answered_ms }) => answered_ms),
    ),
  ];
}

async function timeOut(service: BenchService, endless: Endless): Promise<TimeOut> {
  let [status, text] = [0, ""];
  const body = JSON.stringify({ ...endless, limits: { wall_clock_secs: LIMIT_MS / 1000 } });
  const took_ms = await timed(async () => {
    const response = await fetch(`${service.url}/run`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    status = response.status;
    text = await response.text();
  });
  const answer: { wall_ms?: number; warm?: boolean } = JSON.parse(text);
  if (status !== 408 || answer.wall_ms === undefined)
    throw new Error(`no time-out but HTTP ${status}: ${text.slice(0, 500)}`);
  const { wall_ms = Number.NaN, warm = false } = answer;
  return { killed_ms: wall_ms - LIMIT_MS, answered_ms: took_ms - LIMIT_MS, warm };
}
