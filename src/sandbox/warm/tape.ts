/** Where the tape lies in the memory of the guest's first program, so that pointers on it are absolute. */
export const TAPE_ADDRESS = 0x10000000;
/** The longest tape. */
export const MAX_TAPE_BYTES = 1 << 22;

/** "TAPE". */
const MAGIC = 0x45504154;
const HEADER_BYTES = 16;
const RECORD_BYTES = 80;
const POINTER_BYTES = 8;
const MAX_ARGS = 6;

/** In place of a system call: whether the last failure had the error number in the first argument. */
export const IF_ERRNO = -1;

/** Where the program keeps its last failure: the step of the record and the error number, each an u32. */
export const LAST_FAILURE = Symbol("address of the last failure");
export const LAST_FAILURE_BYTES = 8;

/**
 * One argument of a system call: a number; text, which becomes the address of a string that ends with NUL; texts, which
 * become that of an array of such addresses that ends with 0, as argv; bytes, which become their address.
 */
export type TapeArgument = number | string | readonly string[] | Uint8Array | typeof LAST_FAILURE;

/** One system call, and what is next. */
export interface TapeRecord {
  /** Its number, or {@link IF_ERRNO}. */
  readonly call: number;
  /** At most six. */
  readonly args: readonly TapeArgument[];
  /** What the failure of this call is called in a report. */
  readonly step: number;
  /** Names the record for the jumps of others. */
  readonly label?: string;
  /**
   * Where to go when the call succeeds, or the error number is the one asked for: to a label, or so many records on.
   * Default: 1, the next record.
   */
  readonly ok?: string | number;
  /** Where to go when it fails. Default: to the record {@link FAILED}. */
  readonly fail?: string | number;
}

/** The label of where failures go that no record catches. */
export const FAILED = "failed";

/**
 * Lays out a tape: a header {magic u32, length u32, 8 bytes unused}, the records, and what they point to; all little
 * endian. A record is ten u64: call, address of the next record after success, and after failure, step, six arguments. Pure.
 * @returns null when it is longer than the guest has room for
 * @throws Error for a jump to nowhere, and for text with NUL in it
 */
export function buildTape(records: readonly TapeRecord[]): Uint8Array | null {
  const data = new TapeData(TAPE_ADDRESS + HEADER_BYTES + records.length * RECORD_BYTES);
  const addressOf = new Map<string, number>();
  for (const [index, { label }] of records.entries()) {
    if (label !== undefined) addressOf.set(label, recordAddress(index));
  }
  const jump = (from: number, to: string | number) => {
    const isThere = typeof to === "number" && from + to < records.length;
    const address = isThere ? recordAddress(from + to) : addressOf.get(String(to));
    if (address === undefined) throw new Error(`Cannot build tape: no record is called ${to}`);
    return address;
  };
  const laid = records.map(({ call, args, step, ok = 1, fail = FAILED }, index) => {
    const values = args.map((each) => data.valueOf(each));
    if (values.length > MAX_ARGS) throw new Error(`Cannot build tape: ${values.length} arguments`);
    return u64s([call, jump(index, ok), jump(index, fail), step, ...values], RECORD_BYTES);
  });
  const body = Buffer.concat([...laid, ...data.parts]);
  const length = HEADER_BYTES + body.length;
  if (length > MAX_TAPE_BYTES) return null;
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt32LE(length, 4);
  return Buffer.concat([header, body]);
}

function recordAddress(index: number): number {
  return TAPE_ADDRESS + HEADER_BYTES + index * RECORD_BYTES;
}

/** What the records point to. */
class TapeData {
  readonly parts: Buffer[] = [];
  readonly #texts = new Map<string, number>();
  #end: number;

  /** @param address where it begins */
  constructor(address: number) {
    this.#end = address;
  }

  /** An argument as it is on the tape. */
  valueOf(argument: TapeArgument): number {
    if (typeof argument === "number") return argument;
    if (argument === LAST_FAILURE) return TAPE_ADDRESS;
    if (typeof argument === "string") return this.#text(argument);
    if (argument instanceof Uint8Array) return this.#add(Buffer.from(argument));
    const pointers = [...argument.map((each) => this.#text(each)), 0];
    return this.#add(u64s(pointers, pointers.length * POINTER_BYTES));
  }

  /** Each text is there once. */
  #text(text: string): number {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    if (text.includes("\0")) throw new Error("Cannot build tape: text with NUL");
    const address = this.#add(Buffer.from(`${text}\0`));
    this.#texts.set(text, address);
    return address;
  }

  #add(bytes: Buffer): number {
    const address = this.#end;
    const padding = -bytes.length & (POINTER_BYTES - 1);
    this.parts.push(bytes, Buffer.alloc(padding));
    this.#end += bytes.length + padding;
    return address;
  }
}

function u64s(values: readonly number[], bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  for (const [index, value] of values.entries()) buffer.writeBigInt64LE(BigInt(value), index * POINTER_BYTES);
  return buffer;
}
