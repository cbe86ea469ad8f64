import type { RunnerStats } from "../../run/runner.ts";
import type { Activity, HostUsage, Percentiles, StoreUsage } from "../dashboard-data.ts";
import { formatBytes, formatCount, formatCounted, formatDuration, formatPercent } from "../format.ts";
import { type Html, type HtmlValue, html } from "../html.ts";
import { bar, sparkline } from "./charts.ts";
import { panel } from "./panel.ts";

const MIB = 1 << 20;

/** What the resources panel shows. */
export interface ResourcesView {
  readonly load: RunnerStats;
  readonly host: HostUsage;
  readonly activity: Activity;
  readonly images: StoreUsage;
  readonly files: StoreUsage;
}

/** What the service takes of the machine, and how fast it is. Pure. */
export function resourcesPanel({ load, host, activity, images, files }: ResourcesView): Html {
  const minutes = Math.round(activity.window_ms / 60_000);
  return panel(
    {
      id: "resources",
      topic: "resources",
      title: "Resources",
      source: "/dashboard/fragments/resources",
      aside: `speed and errors over the last ${minutes} minutes`,
    },
    html`<dl class="tiles">${cpuTile(host)}${memoryTile(host)}${reservedTile(load)}${queueTile(load)}${runsTile(activity)}${percentilesTile("Boot", activity.boot, activity.boot_history)}${percentilesTile("Wall clock", activity.wall, activity.wall_history)}${faultsTile(activity)}${storeTile("Images on disk", images)}${storeTile("Files on disk", files)}</dl>`,
  );
}

function tile(name: string, value: HtmlValue, note: HtmlValue, chart: HtmlValue): Html {
  return html`<div class="tile"><dt>${name}</dt><dd class="value num">${value}</dd><dd class="chart">${chart}</dd><dd class="note">${note}</dd></div>`;
}

function cpuTile({ cores, cpu_share, cpu_history }: HostUsage): Html {
  const chart = sparkline(cpu_history, "CPU of the host over time", 1);
  const value = cpu_share === null ? "–" : formatPercent(cpu_share);
  return tile("Host CPU", value, formatCounted(cores, "core"), chart);
}

function memoryTile({ memory_used_bytes, memory_total_bytes, memory_history }: HostUsage): Html {
  const chart = sparkline(memory_history, "Memory of the host over time", 1);
  const note = `of ${formatBytes(memory_total_bytes)}`;
  return tile("Host memory", formatBytes(memory_used_bytes), note, chart);
}

function reservedTile({ reserved_memory_mb, max_reserved_memory_mb }: RunnerStats): Html {
  const share = reserved_memory_mb / max_reserved_memory_mb;
  const note = `of ${formatBytes(max_reserved_memory_mb * MIB)}`;
  const chart = bar(share, `${Math.round(100 * share)} % of the memory for runs is reserved`);
  return tile("Reserved", formatBytes(reserved_memory_mb * MIB), note, chart);
}

function queueTile({ queued, max_queued_runs }: RunnerStats): Html {
  const share = max_queued_runs === 0 ? 0 : queued / max_queued_runs;
  const chart = bar(share, `${Math.round(100 * share)} % of the queue is full`);
  return tile("Queue", formatCount(queued), `of ${formatCount(max_queued_runs)}`, chart);
}

function runsTile({ runs_last_minute, runs, runs_history }: Activity): Html {
  const chart = sparkline(runs_history, "Runs over time");
  return tile("Runs a minute", formatCount(runs_last_minute), `${formatCount(runs)} in all`, chart);
}

function percentilesTile(name: string, times: Percentiles | null, history: readonly number[]): Html {
  const title = `${name}, median`;
  if (times === null) return tile(title, "–", "no runs yet", html`<span class="spark spark-empty"></span>`);
  const note = html`95 % within <span class="num">${formatDuration(times.p95_ms)}</span>`;
  return tile(title, formatDuration(times.p50_ms), note, sparkline(history, `${title}, over time`));
}

function faultsTile({ runs, faults, stopped, failed, faults_history }: Activity): Html {
  const rate = (count: number) => formatPercent(runs === 0 ? 0 : count / runs);
  const note = html`<span class="num">${rate(stopped)} stopped,</span> <span class="num">${rate(failed)} failed</span>`;
  return tile("Faults", rate(faults), note, sparkline(faults_history, "Faults over time"));
}

function storeTile(name: string, { size_bytes, quota_bytes }: StoreUsage): Html {
  if (!Number.isFinite(quota_bytes)) return tile(name, formatBytes(size_bytes), "no quota", null);
  const share = quota_bytes === 0 ? 0 : size_bytes / quota_bytes;
  const chart = bar(share, `${Math.round(100 * share)} % of the quota`);
  return tile(name, formatBytes(size_bytes), `of ${formatBytes(quota_bytes)}`, chart);
}
