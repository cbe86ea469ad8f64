import type { DelaySummary } from "../core/delay-window.ts";

const MS_PER_S = 1000;

/**
 * A metric in the text format of Prometheus, version 0.0.4. Pure.
 * @param value one value, or for each value of one label, neither of which needs an escape, its own
 */
export function metric(
  name: string,
  type: "gauge" | "counter",
  help: string,
  value: number | Readonly<Record<string, ReadonlyMap<string, number>>>,
): string[] {
  const samples =
    typeof value === "number"
      ? [`${name} ${value}`]
      : Object.entries(value).flatMap(([label, values]) =>
          [...values].map(([each, count]) => `${name}{${label}="${each}"} ${count}`),
        );
  return [...head(name, type, help), ...samples];
}

/** A summary without quantiles, for averages over any window. Pure. */
export function timeSummary(name: string, help: string, sum_ms: number, count: number): string[] {
  return [...head(name, "summary", help), ...totals(name, sum_ms, count)];
}

/** A summary with the quantiles since the last scrape. Pure. */
export function delaySummary(name: string, help: string, delays: DelaySummary): string[] {
  const { p50_ms, p99_ms, max_ms, sum_ms, count } = delays;
  const quantiles = [
    [0.5, p50_ms],
    [0.99, p99_ms],
    [1, max_ms],
  ] as const;
  return [
    ...head(name, "summary", `${help} Quantiles since the last scrape; 1 is the worst.`),
    ...quantiles.map(([share, ms]) => `${name}{quantile="${share}"} ${seconds(ms)}`),
    ...totals(name, sum_ms, count),
  ];
}

function head(name: string, type: string, help: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

function totals(name: string, sum_ms: number, count: number): string[] {
  return [`${name}_sum ${seconds(sum_ms)}`, `${name}_count ${count}`];
}

/** To a microsecond, which is finer than the clock of a timer. */
function seconds(ms: number): string {
  return `${Number((ms / MS_PER_S).toFixed(6))}`;
}
