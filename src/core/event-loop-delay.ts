import { clearInterval, setInterval } from "node:timers";
import { type DelaySummary, DelayWindow } from "./delay-window.ts";
import { listenToPulse, PULSE_MS } from "./pulse.ts";

/** Between two looks while something goes on: what blocks for less may go unseen. */
const BUSY_INTERVAL_MS = PULSE_MS;
/** Between two looks while nothing does: five a second cost a tenth of a per cent of a core, or so. */
const IDLE_INTERVAL_MS = 200;
/** The looks are close for so long after the last sign of work. */
const AWAKE_MS = 1_000;
/** A process that uses so much of a core is at work, whether or not a request has come. */
const BUSY_SHARE = 0.1;

/** How late the event loop came to what was due. */
export interface EventLoopDelays {
  readonly late: DelaySummary;
  /** What this process computed in the meantime, at most as much; the rest is others' use of the processors. */
  readonly computing: DelaySummary;
}

/** What the time is measured by. */
export interface DelayClock {
  now_ms(): number;
  /** Processor time that this process has used. */
  cpu_ms(): number;
  /** Calls each time that so long has passed, without keeping the process alive. @returns what ends that */
  every(interval_ms: number, action: () => void): () => void;
}

const SYSTEM_CLOCK: DelayClock = {
  now_ms: () => performance.now(),
  cpu_ms() {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
  every(interval_ms, action) {
    if (interval_ms === PULSE_MS) return listenToPulse(action);
    const timer = setInterval(action, interval_ms).unref();
    return () => clearInterval(timer);
  },
};

/**
 * Measures how long the event loop is kept from what is due, by how late a timer fires. Not by `monitorEventLoopDelay` of
 * node:perf_hooks: it misses what blocks on one runtime, and ticks at one rate, also where nothing goes on, on the other.
 */
export class EventLoopDelay {
  readonly #clock: DelayClock;
  readonly #late = new DelayWindow();
  readonly #computing = new DelayWindow();
  #looked_at_ms = 0;
  #interval_ms = 0;
  #awake_until_ms: number;
  #cpu_ms: number;
  #cancel: () => void = () => {};

  /** Begins to measure; {@link close} ends it. */
  constructor(clock: DelayClock = SYSTEM_CLOCK) {
    this.#clock = clock;
    this.#cpu_ms = clock.cpu_ms();
    this.#awake_until_ms = clock.now_ms() + AWAKE_MS;
    this.#lookEvery(BUSY_INTERVAL_MS);
  }

  /** Says that there is work: looks closely from now on for a second. */
  wake(): void {
    this.#awake_until_ms = this.#clock.now_ms() + AWAKE_MS;
    this.#lookEvery(BUSY_INTERVAL_MS);
  }

  /** Tells the delays, and begins a new window. */
  take(): EventLoopDelays {
    return { late: this.#late.take(), computing: this.#computing.take() };
  }

  close(): void {
    this.#cancel();
  }

  #lookEvery(interval_ms: number): void {
    if (interval_ms === this.#interval_ms) return;
    this.#cancel();
    this.#interval_ms = interval_ms;
    this.#looked_at_ms = this.#clock.now_ms();
    this.#cancel = this.#clock.every(interval_ms, () => this.#look());
  }

  #look(): void {
    const now_ms = this.#clock.now_ms();
    // A runtime may round a timer down and fire it a little early.
    const late_ms = Math.max(0, now_ms - this.#looked_at_ms - this.#interval_ms);
    this.#looked_at_ms = now_ms;
    const cpu_ms = this.#clock.cpu_ms();
    const used_ms = cpu_ms - this.#cpu_ms;
    this.#cpu_ms = cpu_ms;
    this.#late.add(late_ms);
    this.#computing.add(Math.min(late_ms, used_ms));
    if (used_ms > BUSY_SHARE * (this.#interval_ms + late_ms)) this.#awake_until_ms = now_ms + AWAKE_MS;
    this.#lookEvery(now_ms < this.#awake_until_ms ? BUSY_INTERVAL_MS : IDLE_INTERVAL_MS);
  }
}
