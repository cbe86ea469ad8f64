import { IF_ERRNO, LAST_FAILURE_BYTES, TAPE_ADDRESS } from "../../../src/sandbox/warm/tape.ts";

const HEADER_BYTES = 16;
const FIELDS = 10;
const MOST_RECORDS = 1000;

/** What is at an address of a tape. */
export class TapeMemory {
  readonly #bytes: Buffer;

  constructor(tape: Uint8Array) {
    this.#bytes = Buffer.from(tape);
  }

  bytes(address: number, length: number): Buffer {
    return this.#bytes.subarray(address - TAPE_ADDRESS).subarray(0, length);
  }

  text(address: number): string {
    const start = address - TAPE_ADDRESS;
    return this.#bytes.toString("utf8", start, this.#bytes.indexOf(0, start));
  }

  texts(address: number): string[] {
    const [pointer] = this.u64s(address, 1);
    return pointer ? [this.text(pointer), ...this.texts(address + 8)] : [];
  }

  u64s(address: number, count: number): number[] {
    const bytes = this.bytes(address, count * 8);
    return Array.from({ length: count }, (_, index) => Number(bytes.readBigInt64LE(index * 8)));
  }

  /** Keeps a failure where the program does. */
  fail(step: number, errno: number): void {
    this.bytes(TAPE_ADDRESS, LAST_FAILURE_BYTES).writeUInt32LE(step, 0);
    this.bytes(TAPE_ADDRESS, LAST_FAILURE_BYTES).writeUInt32LE(errno, 4);
  }
}

/**
 * Does with a tape what the machine code does, without the system calls.
 * @param answer gives the errno of a call, 0 for success, or `end` when it is the last
 */
export function playTape(
  tape: Uint8Array,
  answer: (call: number, args: number[], memory: TapeMemory) => number | "end",
): void {
  const memory = new TapeMemory(tape);
  let at = TAPE_ADDRESS + HEADER_BYTES;
  for (let count = 0; count < MOST_RECORDS; count++) {
    const [call = 0, ok = 0, fail = 0, step = 0, ...args] = memory.u64s(at, FIELDS);
    if (call === IF_ERRNO) {
      at = memory.bytes(TAPE_ADDRESS + 4, 4).readUInt32LE() === args[0] ? ok : fail;
      continue;
    }
    const errno = answer(call, args, memory);
    if (errno === "end") return;
    if (errno !== 0) memory.fail(step, errno);
    at = errno === 0 ? ok : fail;
  }
  throw new Error(`still not at an end after ${MOST_RECORDS} records`);
}
