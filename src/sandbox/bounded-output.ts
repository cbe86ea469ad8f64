/** What was taken from one stream of a guest. */
export interface BoundedOutput {
  readonly bytes: Uint8Array;
  /** Whether the guest wrote more than was kept. */
  readonly truncated: boolean;
}

/** Keeps the first bytes of a stream, in memory, up to a limit. */
export class OutputCollector {
  readonly #chunks: Uint8Array[] = [];
  readonly #limit: number;
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
   */
  async collect(stream: AsyncIterable<Uint8Array>, onOverflow: () => void): Promise<void> {
    try {
      for await (const chunk of stream) {
        if (this.#truncated) continue;
        this.#keep(chunk);
        if (this.#truncated) onOverflow();
      }
    } catch {
      // A pipe torn down by a kill; what was read before it counts.
    }
  }

  /** What was read so far. */
  get output(): BoundedOutput {
    return { bytes: Buffer.concat(this.#chunks, this.#length), truncated: this.#truncated };
  }

  #keep(chunk: Uint8Array): void {
    const kept = chunk.subarray(0, this.#limit - this.#length);
    this.#chunks.push(kept);
    this.#length += kept.byteLength;
    this.#truncated = kept.byteLength < chunk.byteLength;
  }
}
