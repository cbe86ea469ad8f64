/** Fields of a tar header as they go into it; what is left out is that of an empty regular file of root's. */
export interface TarFields {
  readonly type?: string;
  /** Text, or the very bytes of the field. */
  readonly link?: string | Uint8Array;
  readonly mode?: number;
  /** A number, or the very bytes of the field. */
  readonly uid?: number | Uint8Array;
  readonly gid?: number;
  /** The size that the header says, whatever the content's. */
  readonly size?: number | Uint8Array;
  /** Whole seconds since 1970. */
  readonly mtime?: number | Uint8Array;
  /** Path prefix of the ustar format. */
  readonly prefix?: string;
  /** The eight bytes of magic and version. */
  readonly magic?: string;
  /** Added to the right checksum. */
  readonly checksumError?: number;
}

const BLOCK = 512;

/** The two zero blocks that end an archive. */
export const END: Buffer = Buffer.alloc(2 * BLOCK);

/** An archive of the given pieces, with its end. */
export function tar(...pieces: readonly Uint8Array[]): Buffer {
  return Buffer.concat([...pieces, END]);
}

/** One header block. */
export function header(name: string | Uint8Array, fields: TarFields = {}): Buffer {
  const block = Buffer.alloc(BLOCK);
  const put = (value: string | Uint8Array, at: number, length: number): void => {
    Buffer.from(value as string).copy(block, at, 0, length);
  };
  const putNumber = (value: number | Uint8Array, at: number, length: number): void => {
    put(typeof value === "number" ? `${value.toString(8).padStart(length - 1, "0")}\0` : value, at, length);
  };
  put(name, 0, 100);
  putNumber(fields.mode ?? 0o644, 100, 8);
  putNumber(fields.uid ?? 0, 108, 8);
  putNumber(fields.gid ?? 0, 116, 8);
  putNumber(fields.size ?? 0, 124, 12);
  putNumber(fields.mtime ?? 0, 136, 12);
  put(fields.type ?? "0", 156, 1);
  put(fields.link ?? "", 157, 100);
  put(fields.magic ?? "ustar\x0000", 257, 8);
  put(fields.prefix ?? "", 345, 155);
  block.fill(" ", 148, 156);
  const sum = block.reduce((total, byte) => total + byte, fields.checksumError ?? 0);
  put(`${sum.toString(8).padStart(6, "0")}\0 `, 148, 8);
  return block;
}

export function file(
  name: string | Uint8Array,
  content: string | Uint8Array = "",
  fields: TarFields = {},
): Buffer {
  const bytes = Buffer.from(content as string);
  return Buffer.concat([header(name, { size: bytes.length, ...fields }), padded(bytes)]);
}

export function directory(name: string, fields: TarFields = {}): Buffer {
  return header(name, { type: "5", mode: 0o755, ...fields });
}

export function symlink(name: string, link: string | Uint8Array, fields: TarFields = {}): Buffer {
  return header(name, { type: "2", mode: 0o777, link, ...fields });
}

export function hardLink(name: string, link: string, fields: TarFields = {}): Buffer {
  return header(name, { type: "1", link, ...fields });
}

/** A whiteout marker, or any other empty file. */
export function whiteout(name: string): Buffer {
  return header(name);
}

/** A pax extended header, for the next entry or (type `g`) for all. */
export function pax(records: Readonly<Record<string, string | Uint8Array>>, type: "x" | "g" = "x"): Buffer {
  return file(
    "PaxHeaders/x",
    Buffer.concat(Object.entries(records).map(([keyword, value]) => paxRecord(keyword, value))),
    { type },
  );
}

/** A GNU header with the name (`L`) or link target (`K`) of the next entry. */
export function gnuLong(type: "L" | "K", text: string): Buffer {
  return file("././@LongLink", `${text}\0`, { type });
}

/** A number in base 256, as GNU tar writes what octal digits cannot say. */
export function base256(value: bigint, length: number): Buffer {
  const field = Buffer.alloc(length);
  let rest = BigInt.asUintN(8 * length, value);
  for (let at = length - 1; at >= 0; at--, rest >>= 8n) field[at] = Number(rest & 0xffn);
  field[0] = (field[0] ?? 0) | 0x80;
  return field;
}

/** One record of a pax header. */
export function paxRecord(keyword: string, value: string | Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(` ${keyword}=`), Buffer.from(value as string), Buffer.from("\n")]);
  let length = body.length + 1;
  while (String(length).length + body.length !== length) length = String(length).length + body.length;
  return Buffer.concat([Buffer.from(String(length)), body]);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)]);
}
