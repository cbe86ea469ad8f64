import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { SetupError } from "./setup-error.ts";

/** Where gVisor publishes its releases; BOXER_RUNSC_RELEASES names a mirror laid out alike. */
export const RUNSC_RELEASES = "https://storage.googleapis.com/gvisor/releases/release/latest";

const LARGEST_BYTES = 512 * 1024 * 1024;
const TIMEOUT_MS = 300_000;

/**
 * Downloads the latest official `runsc` to `path` and checks it against the published SHA-512. Throws
 * {@link SetupError} when it cannot be had or is not what the checksum says; `path` may then hold a part of it.
 */
export async function downloadRelease(base: string, gvisorArch: string, path: string): Promise<void> {
  const url = `${base}/${gvisorArch}/runsc`;
  const expected = parseSha512(await (await get(`${url}.sha512`)).text());
  if (expected === undefined) throw new SetupError(`${url}.sha512 is not a SHA-512 checksum`);
  const body = (await get(url)).body;
  if (!body) throw new SetupError(`${url} is empty`);
  const hash = createHash("sha512");
  let size = 0;
  const measure = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      size += chunk.length;
      hash.update(chunk);
      done(
        size > LARGEST_BYTES ? new SetupError(`${url} is larger than ${LARGEST_BYTES} bytes`) : null,
        chunk,
      );
    },
  });
  await pipeline(Readable.fromWeb(body as never), measure, createWriteStream(path, { mode: 0o755 }));
  if (hash.digest("hex") !== expected) throw new SetupError(`${url} does not match its published SHA-512`);
}

/** The digest in a checksum file as sha512sum(1) writes it, or undefined. */
export function parseSha512(text: string): string | undefined {
  return /^\\?([0-9a-f]{128})(\s|$)/i.exec(text.trim())?.[1]?.toLowerCase();
}

async function get(url: string): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    throw new SetupError(`Cannot reach ${url}: ${(error as Error).message}`);
  }
  if (!response.ok) throw new SetupError(`Cannot get ${url}: HTTP status ${response.status}`);
  return response;
}
