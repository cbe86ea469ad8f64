import { type Html, html } from "./html.ts";

const KIB = 1024;
const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** `512 B`, `1.2 MB`; units of powers of 1024. Pure. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB", "PB"];
  let [value, unit] = [bytes, 0];
  while (value >= KIB && unit < units.length - 1) {
    value /= KIB;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** `84 ms`, `1.24 s`, `2m 05s`, `3h 12m`, `4d 2h`. Pure. */
export function formatDuration(duration_ms: number): string {
  const ms = Math.max(0, duration_ms);
  if (ms < SECOND_MS) return `${Math.round(ms)} ms`;
  if (ms < 10 * SECOND_MS) return `${(ms / SECOND_MS).toFixed(2)} s`;
  if (ms < MINUTE_MS) return `${(ms / SECOND_MS).toFixed(1)} s`;
  const pad = (value: number) => String(Math.floor(value)).padStart(2, "0");
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)}m ${pad((ms % MINUTE_MS) / SECOND_MS)}s`;
  if (ms < DAY_MS) return `${Math.floor(ms / HOUR_MS)}h ${pad((ms % HOUR_MS) / MINUTE_MS)}m`;
  return `${Math.floor(ms / DAY_MS)}d ${Math.floor((ms % DAY_MS) / HOUR_MS)}h`;
}

/** `12 345`, with narrow spaces that do not break. Pure. */
export function formatCount(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** A number and what it counts: `1 core`, `1.5 cores`; {@link formatCount} for large ones. Pure. */
export function formatCounted(count: number, noun: string, nouns = `${noun}s`): string {
  return `${Number.isInteger(count) ? formatCount(count) : count}\u00a0${count === 1 ? noun : nouns}`;
}

/** `42 %`, whole; of little a tenth, and of less than that `<0.1 %`: something is not nothing. Pure. */
export function formatPercent(share: number): string {
  const percent = 100 * share;
  if (percent > 0 && percent < 0.1) return "<0.1\u202f%";
  return `${percent > 0 && percent < 9.95 ? percent.toFixed(1).replace(/\.0$/, "") : Math.round(percent)}\u202f%`;
}

/** How long ago, in whole words of one unit: `now`, `12 s ago`, `3 min ago`, `5 h ago`, `2 d ago`. Pure. */
export function formatAgo(at_ms: number, now_ms: number): string {
  const ms = now_ms - at_ms;
  if (ms < 2 * SECOND_MS) return "now";
  if (ms < MINUTE_MS) return `${Math.floor(ms / SECOND_MS)} s ago`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min ago`;
  if (ms < DAY_MS) return `${Math.floor(ms / HOUR_MS)} h ago`;
  return `${Math.floor(ms / DAY_MS)} d ago`;
}

/** A point in time, relative to now; the exact one on hover. The page's script keeps it true. Pure. */
export function timeAgo(at_ms: number, now_ms: number): Html {
  const exact = new Date(at_ms).toISOString();
  return html`<time datetime="${exact}" title="${exact}" data-ago>${formatAgo(at_ms, now_ms)}</time>`;
}

/** How long something goes on already. The page's script keeps it true. Pure. */
export function timeSince(since_ms: number, now_ms: number): Html {
  const exact = new Date(since_ms).toISOString();
  const age = formatDuration(Math.floor(Math.max(0, now_ms - since_ms) / 100) * 100);
  return html`<time datetime="${exact}" title="since ${exact}" data-since>${age}</time>`;
}

/** The first letters of a digest that tell it from others. Pure. */
export function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, "").slice(0, 12);
}

/** The first part of the random one of an exec id. Pure. */
export function shortId(exec_id: string): string {
  return exec_id.replace(/^boxer-/, "").slice(0, 8);
}

/** An argv as one would type it, cut to a length. Pure. */
export function commandLine(argv: readonly string[], max_chars = 160): string {
  let line = "";
  for (const word of argv) {
    line += (line ? " " : "") + (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
    if (line.length > max_chars) return `${line.slice(0, max_chars - 1)}…`;
  }
  return line;
}
