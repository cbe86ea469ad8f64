import { parseArgs } from "node:util";

/** The parts of the benchmark, in their order. */
export const SECTIONS = [
  "latency",
  "throughput",
  "ttfc",
  "growth",
  "timeouts",
  "network",
  "cost",
  "dashboard",
] as const;
export type Section = (typeof SECTIONS)[number];

/** What the command line asks for. */
export interface BenchOptions {
  /** Measure pulls of images instead of runs. */
  readonly images: boolean;
  readonly sections: readonly Section[];
  /** How often each thing is measured. */
  readonly runs: number;
  /** Runs of one pattern in `ttfc`. */
  readonly first_commands: number;
  /** Length of one window of `throughput`. */
  readonly window_secs: number;
  readonly windows: number;
  readonly concurrency: readonly number[];
  /** Also an image of 2 GB. */
  readonly large: boolean;
  /** Where the JSON goes; undefined for nowhere. */
  readonly json: string | undefined;
}

const FULL = { runs: 40, first_commands: 100, window_secs: 3, windows: 3, concurrency: [1, 2, 4, 8, 16, 32] };
const QUICK = { runs: 8, first_commands: 20, window_secs: 2, windows: 1, concurrency: [1, 4, 16] };
const IMAGE_RUNS = 5;

/**
 * Reads the command line. Pure.
 * @throws Error for an unknown option or section, and for a number that is none
 */
export function parseBenchOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: "string" },
      only: { type: "string" },
      json: { type: "string" },
      quick: { type: "boolean", default: false },
      large: { type: "boolean", default: false },
      images: { type: "boolean", default: false },
    },
  });
  const base = values.quick ? QUICK : FULL;
  return {
    ...base,
    runs: values.runs === undefined ? (values.images ? IMAGE_RUNS : base.runs) : parseRuns(values.runs),
    sections: values.only === undefined ? SECTIONS : parseSections(values.only),
    images: values.images,
    large: values.large,
    json: values.json,
  };
}

function parseRuns(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`--runs must be a whole number above 0, not "${text}"`);
  return Number(text);
}

function parseSections(text: string): Section[] {
  const names = text.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !SECTIONS.some((section) => section === name));
  if (unknown !== undefined) {
    throw new Error(`--only knows no section "${unknown}"; there are ${SECTIONS.join(", ")}`);
  }
  return SECTIONS.filter((section) => names.includes(section));
}
