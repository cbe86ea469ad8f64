import { type BootShape, keyOfShape } from "./boot-shape.ts";
import type { Candidate } from "./divide-slots.ts";

/** A request counts half after this time. */
export const HALF_LIFE_MS = 5 * 60_000;

/** Shapes remembered, those wanted by name not counted: limits are the client's to choose, so shapes are without number. */
export const MAX_SHAPES = 64;

/** What a request and another within the half-life add up to. Less is no reason to boot: most images are used once. */
const WORTH_ONE = 1.5;

/** What is not asked for any more; so far below {@link WORTH_ONE} that a shape does not come and go. */
const FORGOTTEN = 0.25;

interface Entry {
  readonly key: string;
  readonly shape: BootShape;
  /** Requests, each worth less with its age, as of `at_ms`. */
  score: number;
  at_ms: number;
  /** Whether it has been worth one, and has not been forgotten since. */
  repeated: boolean;
  /** How many are to be there in any case. */
  wanted: number;
}

/** Learns from requests which shapes are worth booting ahead. Its memory is bounded, whatever is asked for. */
export class Demand {
  readonly #entries = new Map<string, Entry>();

  /** How many shapes are remembered. */
  get size(): number {
    return this.#entries.size;
  }

  /** Counts one request. */
  note(shape: BootShape, now_ms: number): void {
    const entry = this.#entryOf(shape, now_ms);
    entry.score = scoreAt(entry, now_ms) + 1;
    entry.at_ms = now_ms;
    entry.repeated ||= entry.score >= WORTH_ONE;
  }

  /** Has so many be worth it whatever is asked for; 0 takes that back. */
  want(shape: BootShape, count: number, now_ms: number): void {
    this.#entryOf(shape, now_ms).wanted = count;
  }

  /** Forgets shapes, also what was wanted of them. */
  forget(matches: (shape: BootShape) => boolean): void {
    for (const { key, shape } of this.#entries.values()) if (matches(shape)) this.#entries.delete(key);
  }

  /** The shapes that are worth booting ahead, and how many of each at most, those wanted first. */
  candidates(now_ms: number): Candidate[] {
    this.#forgetFaded(now_ms);
    return [...this.#entries.values()]
      .filter(({ repeated, wanted }) => repeated || wanted > 0)
      .map((entry) => candidateOf(entry, scoreAt(entry, now_ms)));
  }

  #entryOf(shape: BootShape, now_ms: number): Entry {
    const key = keyOfShape(shape);
    const known = this.#entries.get(key);
    if (known) return known;
    this.#makeRoom(now_ms);
    const entry: Entry = { key, shape, score: 0, at_ms: now_ms, repeated: false, wanted: 0 };
    this.#entries.set(key, entry);
    return entry;
  }

  /** The least asked for goes: in a flood of shapes that come once each, these replace one another. */
  #makeRoom(now_ms: number): void {
    const learned = [...this.#entries.values()].filter(({ wanted }) => wanted === 0);
    const [first, ...others] = learned;
    if (!first || learned.length < MAX_SHAPES) return;
    const least = others.reduce((a, b) => (scoreAt(b, now_ms) < scoreAt(a, now_ms) ? b : a), first);
    this.#entries.delete(least.key);
  }

  #forgetFaded(now_ms: number): void {
    for (const entry of this.#entries.values()) {
      const isFaded = scoreAt(entry, now_ms) < FORGOTTEN;
      if (isFaded && entry.wanted === 0) this.#entries.delete(entry.key);
    }
  }
}

function scoreAt({ score, at_ms }: Entry, now_ms: number): number {
  return score * 2 ** ((at_ms - now_ms) / HALF_LIFE_MS);
}

function candidateOf({ key, shape, repeated, wanted }: Entry, score: number): Candidate {
  const learned = repeated ? Math.max(1, Math.floor(score / WORTH_ONE)) : 0;
  return { key, shape, score, wanted, most: Math.max(wanted, learned) };
}
