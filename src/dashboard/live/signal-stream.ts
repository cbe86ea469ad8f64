import type { Topic } from "../dashboard-data.ts";
import { TOPICS } from "../dashboard-data.ts";

const HEARTBEAT_MS = 10_000;
const RETRY_MS = 1_000;
const encoder = new TextEncoder();
const HEADERS = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store" };

/** How the stream learns of changes. */
export type Subscribe = (listener: (topics: ReadonlySet<Topic>) => void, ended: () => void) => () => void;

/**
 * Answers with a stream of signals as server-sent events: one event `boxer-TOPIC` without content for each topic that has
 * changed. Begins with all of them, so that a browser that comes back has missed nothing. Signals that a slow browser has
 * not taken yet fall into one.
 * @param signal aborts when the client goes away, where the stream is not canceled
 */
export function signalStream(
  subscribe: Subscribe,
  options: { signal: AbortSignal; heartbeat_ms?: number },
): Response {
  const { signal, heartbeat_ms = HEARTBEAT_MS } = options;
  const pending = new PendingSignals();
  const unsubscribe = subscribe(
    (topics) => pending.add(topics),
    () => end(),
  );
  const end = (): void => {
    if (pending.isOver) return;
    unsubscribe();
    pending.end();
  };
  signal.addEventListener("abort", end, { once: true });
  if (signal.aborted) end();
  let retry = `retry: ${RETRY_MS}\n`;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const topics = await pending.take(heartbeat_ms);
        if (topics === null) return controller.close();
        controller.enqueue(encoder.encode(retry + formatSignals(topics)));
        retry = "";
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers: HEADERS });
}

/** What a browser has not been told yet: at first everything. */
class PendingSignals {
  #topics = new Set<Topic>(TOPICS);
  #wake = (): void => {};
  isOver = false;

  add(topics: ReadonlySet<Topic>): void {
    for (const topic of topics) this.#topics.add(topic);
    this.#wake();
  }

  end(): void {
    this.isOver = true;
    this.#wake();
  }

  /** What there is, as soon as there is something; nothing after `patience_ms`; null at the end. */
  async take(patience_ms: number): Promise<ReadonlySet<Topic> | null> {
    if (this.#topics.size === 0 && !this.isOver) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, patience_ms);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    const topics = this.#topics;
    this.#topics = new Set();
    return this.isOver ? null : topics;
  }
}

/** Events in their wire format; a comment when there are none. Pure. */
export function formatSignals(topics: ReadonlySet<Topic>): string {
  if (topics.size === 0) return ":\n\n";
  return [...topics].map((topic) => `event: boxer-${topic}\ndata: 1\n\n`).join("");
}
