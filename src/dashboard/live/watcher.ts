import type { Topic } from "../dashboard-data.ts";

/** How often what the page shows is looked at while somebody looks at the page. */
const TICK_MS = 250;

/** Something that changes. */
export interface Watched {
  readonly topic: Topic;
  /** Least time between two looks; a signal is not told more often either. */
  readonly every_ms: () => number;
  /** Tells one state from another; equal texts are the same state. May measure something first. */
  readonly look: () => string;
}

interface Listener {
  readonly changed: (topics: ReadonlySet<Topic>) => void;
  readonly ended: () => void;
}

/** Looks at what may change, and tells those who listen. While nobody listens there is no timer, and nothing is looked at. */
export class Watcher {
  readonly #watched: readonly Watched[];
  readonly #listeners = new Set<Listener>();
  readonly #seen = new Map<Topic, { state: string; at_ms: number }>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(watched: readonly Watched[]) {
    this.#watched = watched;
  }

  /** How many listen. */
  get listeners(): number {
    return this.#listeners.size;
  }

  /** @returns ends it; `ended` is not told then */
  subscribe(changed: Listener["changed"], ended: Listener["ended"] = () => {}): () => void {
    const listener = { changed, ended };
    // What changes from now on has to be told: the state now is looked at before the listener looks.
    if (this.#timer === undefined) {
      this.#tick();
      this.#timer = setInterval(() => this.#tick(), TICK_MS);
    }
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#stop();
    };
  }

  /** Ends all subscriptions, and tells so. */
  close(): void {
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    this.#stop();
    for (const { ended } of listeners) ended();
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#seen.clear();
  }

  #tick(): void {
    const now_ms = performance.now();
    const changed = new Set<Topic>();
    for (const { topic, every_ms, look } of this.#watched) {
      const seen = this.#seen.get(topic);
      if (seen && now_ms - seen.at_ms < every_ms() - TICK_MS / 2) continue;
      const state = look();
      if (seen && seen.state !== state) changed.add(topic);
      this.#seen.set(topic, { state, at_ms: now_ms });
    }
    if (changed.size > 0) for (const listener of this.#listeners) listener.changed(changed);
  }
}
