import { ARM64_CODE, X64_CODE } from "./machine-code.ts";
import { MAX_TAPE_BYTES, TAPE_ADDRESS } from "./tape.ts";

/** Processors that there is machine code for, by their names in `process.arch`. */
export type GuestArch = "x64" | "arm64";

const TARGETS = {
  x64: { machine: 62, code: X64_CODE },
  arm64: { machine: 183, code: ARM64_CODE },
} as const;

/** Where the linkers of both put a program. */
const CODE_ADDRESS = 0x400000n;
const ELF_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
/** The largest page that either processor has. */
const ALIGNMENT = 0x10000n;
const PT_LOAD = 1;
const [PF_X, PF_W, PF_R] = [1, 2, 4];

/** One PT_LOAD segment; from the start of the file on. */
interface Segment {
  readonly flags: number;
  readonly address: bigint;
  readonly file_bytes: number;
  readonly memory_bytes: number;
}

/**
 * The first program of a sandbox that is booted before there is a request: a static ELF executable (elf(5)) of some 400
 * bytes. It waits for a tape (see `buildTape`) on its standard input, and does the system calls on it. Not one byte
 * behind the tape is read. Pure.
 *
 * It ends with 0 when the input ends before there is a tape, and with 125 for what is not a tape.
 */
export function guestInit(arch: GuestArch): Uint8Array {
  const { machine, code } = TARGETS[arch];
  const entry = ELF_HEADER_BYTES + 2 * PROGRAM_HEADER_BYTES;
  const bytes = entry + code.length / 2;
  const text = { flags: PF_R | PF_X, address: CODE_ADDRESS, file_bytes: bytes, memory_bytes: bytes };
  const tape = {
    flags: PF_R | PF_W,
    address: BigInt(TAPE_ADDRESS),
    file_bytes: 0,
    memory_bytes: MAX_TAPE_BYTES + Number(ALIGNMENT),
  };
  return Buffer.concat([
    elfHeader(machine, CODE_ADDRESS + BigInt(entry)),
    programHeader(text),
    programHeader(tape),
    Buffer.from(code, "hex"),
  ]);
}

function elfHeader(machine: number, entry: bigint): Buffer {
  const header = Buffer.alloc(ELF_HEADER_BYTES);
  // ELFCLASS64, ELFDATA2LSB, EV_CURRENT; the rest of e_ident is 0.
  header.write("\x7fELF\x02\x01\x01", "latin1");
  const ET_EXEC = 2;
  header.writeUInt16LE(ET_EXEC, 16);
  header.writeUInt16LE(machine, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(entry, 24);
  header.writeBigUInt64LE(BigInt(ELF_HEADER_BYTES), 32);
  header.writeUInt16LE(ELF_HEADER_BYTES, 52);
  header.writeUInt16LE(PROGRAM_HEADER_BYTES, 54);
  header.writeUInt16LE(2, 56);
  return header;
}

function programHeader({ flags, address, file_bytes, memory_bytes }: Segment): Buffer {
  const header = Buffer.alloc(PROGRAM_HEADER_BYTES);
  header.writeUInt32LE(PT_LOAD, 0);
  header.writeUInt32LE(flags, 4);
  header.writeBigUInt64LE(address, 16);
  header.writeBigUInt64LE(address, 24);
  header.writeBigUInt64LE(BigInt(file_bytes), 32);
  header.writeBigUInt64LE(BigInt(memory_bytes), 40);
  header.writeBigUInt64LE(ALIGNMENT, 48);
  return header;
}
