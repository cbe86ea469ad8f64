import { createHash, type Hash } from "node:crypto";
import { type FileHandle, mkdir, open, rename } from "node:fs/promises";
import { join } from "node:path";
import { BoxerError } from "../../core/errors.ts";
import { type Digest, splitDigest } from "../digest.ts";
import { createBreather } from "../unpack/breather.ts";
import { decompress } from "../unpack/decompress.ts";
import type { LayerEntry } from "../unpack/layer-entry.ts";
import { tarBlocks } from "../unpack/tar-blocks.ts";
import { type TarToken, TarTokenizer } from "../unpack/tar-tokenizer.ts";
import { untilAborted } from "../unpack/until-aborted.ts";
import { ArchiveParts, invalidPart, isPart, promisedDigest } from "./archive-parts.ts";
import { detectCompression, MAGIC_BYTES } from "./detect-compression.ts";

export interface ArchiveLimits {
  /** Most bytes of the archive without its compression. */
  readonly max_image_bytes: number;
  /** Most entries of it. */
  readonly max_image_entries: number;
}

/**
 * Receives an image archive: a tar archive, plain or compressed with gzip or zstd. Files that can be part of an image
 * are written below `directory`, under their digest (`blobs/sha256/…`) and never under a name of the archive's choice;
 * other files are passed over, and anything that is neither file nor directory is refused, but for links among layers.
 * @param directory empty; when it fails, the caller removes it
 * @throws BoxerError `image_invalid` with the bare reason; system errors; errors of `stream`; the signal's reason
 */
export async function receiveArchive(
  stream: AsyncIterable<Uint8Array>,
  directory: string,
  limits: ArchiveLimits,
  signal: AbortSignal,
): Promise<ArchiveParts> {
  for (const algorithm of ["sha256", "sha512"]) {
    await mkdir(join(directory, "blobs", algorithm), { recursive: true, mode: 0o700 });
  }
  const receiver = new Receiver(directory, limits);
  try {
    await receive(stream, receiver, signal);
    return receiver.parts;
  } catch (error) {
    throw aboutArchive(error);
  } finally {
    await receiver.close();
  }
}

async function receive(
  stream: AsyncIterable<Uint8Array>,
  receiver: Receiver,
  signal: AbortSignal,
): Promise<void> {
  const packed = await detectCompression(untilAborted(stream, signal));
  const tokenizer = new TarTokenizer();
  const breathe = createBreather();
  for await (const blocks of tarBlocks(decompress(packed.stream, packed.compression))) {
    receiver.countBytes(blocks.length);
    for (const token of tokenizer.feed(blocks)) {
      const pending = receiver.apply(token) ?? breathe();
      if (pending) await pending;
    }
    signal.throwIfAborted();
  }
  tokenizer.end();
}

/** A file on its way in. */
interface Incoming {
  readonly name: string;
  readonly file: FileHandle;
  readonly hash: Hash;
  size_bytes: number;
  head: Uint8Array;
}

class Receiver {
  readonly parts = new ArchiveParts();
  readonly #directory: string;
  readonly #limits: ArchiveLimits;
  #bytes = 0;
  #entries = 0;
  #incoming: Incoming | undefined;

  constructor(directory: string, limits: ArchiveLimits) {
    this.#directory = directory;
    this.#limits = limits;
  }

  countBytes(count: number): void {
    this.#bytes += count;
    const { max_image_bytes } = this.#limits;
    if (this.#bytes <= max_image_bytes) return;
    throw new BoxerError("image_invalid", `the archive has more than the allowed ${max_image_bytes} bytes`);
  }

  /** Takes the next step of the archive; settles, where there is anything to wait for, before the next may come. */
  apply(token: TarToken): Promise<void> | undefined {
    if (token.type === "entry") return this.#begin(token.entry);
    if (!this.#incoming) return undefined;
    return token.type === "data" ? write(this.#incoming, token.bytes) : this.#finish(this.#incoming);
  }

  async close(): Promise<void> {
    await this.#incoming?.file.close();
  }

  #begin(entry: LayerEntry): Promise<void> | undefined {
    const { max_image_entries } = this.#limits;
    this.#entries += 1;
    if (this.#entries > max_image_entries) {
      throw new BoxerError(
        "image_invalid",
        `the archive has more than the allowed ${max_image_entries} entries`,
      );
    }
    const name = entry.names.join("/");
    switch (entry.kind) {
      case "directory":
        return undefined;
      case "symlink":
        this.parts.addLink(name, entry.target);
        return undefined;
      case "file":
        return isPart(name) ? this.#create(name) : undefined;
      default:
        throw invalidPart(entry.name, "it is neither a file nor a directory");
    }
  }

  async #create(name: string): Promise<void> {
    const promised = promisedDigest(name);
    const hash = createHash(promised ? splitDigest(promised).algorithm : "sha256");
    const file = await open(join(this.#directory, "incoming"), "wx", 0o600);
    this.#incoming = { name, file, hash, size_bytes: 0, head: new Uint8Array() };
  }

  async #finish({ name, file, hash, size_bytes, head }: Incoming): Promise<void> {
    this.#incoming = undefined;
    await file.close();
    const promised = promisedDigest(name);
    const digest: Digest = `${promised ? splitDigest(promised).algorithm : "sha256"}:${hash.digest("hex")}`;
    if (promised && digest !== promised) throw invalidPart(name, `its content is of another, ${digest}`);
    this.parts.add(name, { digest, size_bytes, head });
    const { algorithm, hex } = splitDigest(digest);
    await rename(join(this.#directory, "incoming"), join(this.#directory, "blobs", algorithm, hex));
  }
}

async function write(incoming: Incoming, bytes: Uint8Array): Promise<void> {
  incoming.hash.update(bytes);
  // Content begins at a block, so that its first piece has as much as matters.
  if (incoming.size_bytes === 0) incoming.head = Uint8Array.from(bytes.subarray(0, MAGIC_BYTES));
  incoming.size_bytes += bytes.length;
  await incoming.file.writeFile(bytes);
}

const ABOUT_LAYER = /^Cannot unpack layer: /;

/** The readers of tar and of compressed streams take every archive for a layer. */
function aboutArchive(error: unknown): unknown {
  if (!(error instanceof BoxerError) || !ABOUT_LAYER.test(error.message)) return error;
  return new BoxerError(error.code, `the archive is damaged: ${error.message.replace(ABOUT_LAYER, "")}`, {
    cause: error,
  });
}
