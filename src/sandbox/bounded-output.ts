/** What was taken from one stream of a guest. */
export interface BoundedOutput {
  readonly bytes: Uint8Array;
  /** Whether the guest wrote more than was kept. */
  readonly truncated: boolean;
}

const SMALLEST_BUFFER_BYTES = 4096;
/** Memory that nothing was written to is no memory yet: growing in great steps costs less than copying often. */
const GROWTH = 64;

/** Keeps the first bytes of a stream, in memory, up to a limit. */
export class OutputCollector {
  readonly #limit: number;
  #buffer = Buffer.alloc(0);
  #length = 0;
  #truncated = false;

  /** @param limit most bytes kept */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Reads a stream to its end; what passes the limit is thrown away, so that the guest sees no broken pipe before it is
   * stopped. Never throws: a pipe that breaks ends the output.
   * @param onOverflow called once, at once, when the guest has written more than the limit
   * @param onKept called with each part that was kept, which it has to copy; must not throw
   */
  async collect(
    stream: AsyncIterable<Uint8Array>,
    onOverflow: () => void,
    onKept: (part: Uint8Array) => void = () => {},
  ): Promise<void> {
    try {
      for await (const chunk of stream) {
        if (this.#truncated) continue;
        const kept = this.add(chunk);
        if (kept.byteLength > 0) onKept(kept);
        if (this.#truncated) onOverflow();
      }
    } catch {
      // A pipe torn down by a kill; what was read before it counts.
    }
  }

  /** What was read so far. */
  get output(): BoundedOutput {
    return { bytes: this.#buffer.subarray(0, this.#length), truncated: this.#truncated };
  }

  /** Keeps what still fits of a chunk. @returns that part of it */
  add(chunk: Uint8Array): Uint8Array {
    const kept = chunk.subarray(0, this.#limit - this.#length);
    this.#reserve(this.#length + kept.byteLength);
    this.#buffer.set(kept, this.#length);
    this.#length += kept.byteLength;
    this.#truncated ||= kept.byteLength < chunk.byteLength;
    return kept;
  }

  /** One buffer that grows: a guest that writes byte by byte must not cost an object for each. */
  #reserve(length: number): void {
    if (length <= this.#buffer.byteLength) return;
    const size = Math.min(
      this.#limit,
      Math.max(length, GROWTH * this.#buffer.byteLength, SMALLEST_BUFFER_BYTES),
    );
    const grown = Buffer.allocUnsafe(size);
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}
