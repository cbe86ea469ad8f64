import { within } from "../core/within.ts";

/** A server-sent event. */
export interface ServerEvent {
  readonly event: string;
  /** One or more lines of text. */
  readonly data: string;
}

const HEARTBEAT_MS = 10_000;
const encoder = new TextEncoder();
const HEADERS = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store" };

/**
 * Answers with server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). The next event is
 * asked for when the client has taken the one before, and a comment keeps the connection alive while there is none.
 * @param events must not fail: what goes wrong is an event too
 * @param options.onGone told when the client goes away; `events` has to end then. Not told when they ended before.
 * @param options.signal aborts when the client goes away, where the stream is not canceled
 */
export function eventStream(
  events: AsyncIterable<ServerEvent>,
  options: { signal: AbortSignal; onGone: () => void; heartbeat_ms?: number },
): Response {
  const { signal, onGone, heartbeat_ms = HEARTBEAT_MS } = options;
  const iterator = events[Symbol.asyncIterator]();
  let next: Promise<IteratorResult<ServerEvent>> | undefined;
  signal.addEventListener("abort", onGone, { once: true });
  if (signal.aborted) onGone();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        next ??= iterator.next();
        const result = await within(next, heartbeat_ms);
        if (result === "late") return controller.enqueue(encoder.encode(":\n\n"));
        next = undefined;
        if (!result.done) return controller.enqueue(encoder.encode(format(result.value)));
        // Some runtimes abort the signal of a request that was answered.
        signal.removeEventListener("abort", onGone);
        controller.close();
      },
      cancel: () => onGone(),
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers: HEADERS });
}

/** An event in its wire format. Pure. */
function format({ event, data }: ServerEvent): string {
  const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
  return `event: ${event}\n${lines.join("")}\n`;
}
