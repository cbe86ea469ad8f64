import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { complain, EX_DATAERR, EX_NOINPUT, EX_SOFTWARE, EX_UNAVAILABLE, EX_USAGE, say } from "./cli-exit.ts";
import { withImages } from "./compose-images.ts";
import type { Config } from "./config/config.ts";
import { loadConfig } from "./config/load-config.ts";
import { BoxerError, type ErrorCode, errnoOf, messageOf } from "./core/errors.ts";
import { createLog } from "./core/log.ts";
import type { Image, ImageStore } from "./image/types.ts";
import { HomeInUseError } from "./platform/home-lock.ts";
import type { Platform } from "./platform/platform.ts";

export const IMPORT_HELP = `Usage: boxer import FILE|DIRECTORY|- [--reference NAME] [--config FILE]

Takes an image into the store of the configured home, without any registry.

  FILE              archive as "docker save", "podman save" or "skopeo copy" write it; plain, gzip or zstd
  DIRECTORY         OCI image layout
  -                 archive on standard input
  --reference NAME  name that the image gets; default the one in the archive; always needed for a DIRECTORY
  --config FILE     configuration, as for the server
`;

interface ImportArguments {
  /** `-` for standard input. */
  readonly path: string;
  readonly reference: string | undefined;
  readonly config: string | undefined;
}

/** Where an image comes from: standard input, a file, or a directory. */
type Kind = "stdin" | "file" | "directory";

/** Faults of what was imported; others are ours or the host's. */
const DATA_FAULTS: ReadonlySet<ErrorCode> = new Set([
  "image_invalid",
  "image_not_found",
  "image_pull_failed",
]);
const USAGE_FAULTS: ReadonlySet<ErrorCode> = new Set(["invalid_request", "invalid_image_reference"]);

/**
 * `boxer import`: takes an image into the store of a home that no server uses.
 * @param args what follows `import`
 * @returns the exit code
 * @throws ConfigError
 */
export async function importCommand(args: readonly string[], platform: Platform): Promise<number> {
  const parsed = parse(args);
  if (parsed === "help") return say(IMPORT_HELP);
  if (typeof parsed === "string") return complain(`${parsed}\n\n${IMPORT_HELP}`, EX_USAGE);
  const { config } = await loadConfig(parsed.config, process.env);
  const kind = await kindOf(parsed.path);
  if (kind === undefined) return complain(`Cannot import ${parsed.path}: it is not there`, EX_NOINPUT);
  if (kind === "directory" && parsed.reference === undefined) {
    return complain(`Cannot import ${parsed.path}: a directory needs --reference NAME`, EX_USAGE);
  }
  try {
    const use = (images: ImageStore): Promise<Image> => takeImage(images, kind, parsed);
    const { reference, digest, size_bytes } = await withImages(config, platform, createLog(), use);
    return say(`${reference} ${digest} ${size_bytes} bytes\n`);
  } catch (error) {
    if (error instanceof HomeInUseError) return complain(adviseCurl(config, kind, parsed), EX_UNAVAILABLE);
    if (!(error instanceof BoxerError)) throw error;
    return complain(error.message, exitCodeOf(error));
  }
}

function takeImage(images: ImageStore, kind: Kind, { path, reference }: ImportArguments): Promise<Image> {
  if (kind === "directory" && reference !== undefined) return images.importLayout(resolve(path), reference);
  const stream: AsyncIterable<Uint8Array> = kind === "stdin" ? process.stdin : createReadStream(path);
  return images.importArchive(stream, reference, { signal: new AbortController().signal });
}

function parse(args: readonly string[]): ImportArguments | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        reference: { type: "string" },
        config: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) return "help";
    const [path, ...others] = positionals;
    if (path === undefined || path === "") return "Say what to import";
    if (others.length > 0) return "Only one image can be imported at a time";
    return { path, reference: values.reference, config: values.config };
  } catch (error) {
    return messageOf(error);
  }
}

async function kindOf(path: string): Promise<Kind | undefined> {
  if (path === "-") return "stdin";
  const found = await stat(path).catch((error) => {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return undefined;
    throw error;
  });
  return found && (found.isDirectory() ? "directory" : "file");
}

/** A server has its images in memory: only it can take another one. */
function adviseCurl(config: Config, kind: Kind, { path, reference }: ImportArguments): string {
  const { hostname = "127.0.0.1", port } = config.listen;
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  const query = reference === undefined ? "" : `?reference=${encodeURIComponent(reference)}`;
  const archive = { stdin: "… | ", file: "", directory: `tar -C ${quote(path)} -c . | ` }[kind];
  const upload = kind === "file" ? quote(path) : "-";
  return (
    `A Boxer server uses ${config.home}, and takes imports itself:\n\n` +
    `  ${archive}curl -X POST -T ${upload} ${quote(`http://${host}:${port}/images/import${query}`)}`
  );
}

/** For a POSIX shell. */
function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

function exitCodeOf({ code }: BoxerError): number {
  if (USAGE_FAULTS.has(code)) return EX_USAGE;
  return DATA_FAULTS.has(code) ? EX_DATAERR : EX_SOFTWARE;
}
