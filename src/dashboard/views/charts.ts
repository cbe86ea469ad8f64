import { type Html, html } from "../html.ts";

const WIDTH = 120;
const HEIGHT = 28;

/**
 * A line over time, drawn by the server. No style attribute: the policy of the page forbids them.
 * @param label what it shows, for those who cannot see it
 * @param top the value at the upper edge; default the greatest one
 */
export function sparkline(values: readonly number[], label: string, top?: number): Html {
  if (values.length < 2)
    return html`<span class="spark spark-empty"><span class="unseen">collecting…</span></span>`;
  const highest = Math.max(top ?? 0, ...values) || 1;
  const step = WIDTH / (values.length - 1);
  const points = values
    .map((value, index) => {
      const y = HEIGHT - 1 - (HEIGHT - 3) * Math.max(0, Math.min(1, value / highest));
      return `${(index * step).toFixed(1)},${y.toFixed(1)}`;
    })
    .join(" ");
  return html`<svg class="spark" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${label}"><polygon class="spark-area" points="0,${HEIGHT} ${points} ${WIDTH},${HEIGHT}"/><polyline class="spark-line" points="${points}"/></svg>`;
}

/** How the fill of a bar is coloured. */
export type Tone = "calm" | "warn" | "bad";

/** Warns from three quarters on, and is bad from nine tenths on. Pure. */
export function toneOf(share: number): Tone {
  return share >= 0.9 ? "bad" : share >= 0.75 ? "warn" : "calm";
}

/** A share of a whole as a bar, 0 to 1. */
export function bar(share: number, label: string, tone: Tone = toneOf(share)): Html {
  const percent = (100 * Math.max(0, Math.min(1, Number.isFinite(share) ? share : 0))).toFixed(1);
  return html`<svg class="bar" role="img" aria-label="${label}"><rect class="bar-track" width="100%" height="100%" rx="2"/><rect class="bar-fill ${tone}" width="${percent}%" height="100%" rx="2"/></svg>`;
}

/** One stretch of a {@link segmentedBar}. */
export interface Segment {
  readonly name: string;
  /** In any unit; the segments share the width by it. */
  readonly size: number;
}

/** Consecutive stretches of one whole; the class of each is `segment-` and its name. */
export function segmentedBar(segments: readonly Segment[], label: string): Html {
  const whole = segments.reduce((sum, { size }) => sum + size, 0) || 1;
  let left = 0;
  const rects = segments.map(({ name, size }) => {
    const x = (100 * left) / whole;
    left += size;
    return html`<rect class="segment-${name}" x="${x.toFixed(2)}%" width="${((100 * size) / whole).toFixed(2)}%" height="100%"/>`;
  });
  return html`<svg class="segments" role="img" aria-label="${label}">${rects}</svg>`;
}
