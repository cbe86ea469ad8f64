import { DelayHistogram } from "./delay-histogram.ts";

/** What is told of delays. */
export interface DelaySummary {
  /** Since these were last asked for. */
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly max_ms: number;
  /** Since the start. */
  readonly count: number;
  readonly sum_ms: number;
}

/** Sums up delays: quantiles of a window that ends when they are told, and totals. */
export class DelayWindow {
  #window = new DelayHistogram();
  #count = 0;
  #sum_ms = 0;

  add(delay_ms: number): void {
    this.#window.add(delay_ms);
    this.#count += 1;
    this.#sum_ms += delay_ms;
  }

  take(): DelaySummary {
    const window = this.#window;
    this.#window = new DelayHistogram();
    const [p50_ms, p99_ms] = [window.quantile_ms(0.5), window.quantile_ms(0.99)];
    return { p50_ms, p99_ms, max_ms: window.max_ms, count: this.#count, sum_ms: this.#sum_ms };
  }
}
