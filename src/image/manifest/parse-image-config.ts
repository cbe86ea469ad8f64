import Type from "typebox";
import { BoxerError } from "../../core/errors.ts";
import { compileSchema } from "../../core/schema.ts";
import { type Digest, isDigest } from "../digest.ts";
import type { ImageConfig } from "../types.ts";
import { parseDocument } from "./parse-document.ts";

/** A config blob, as far as it concerns us. */
export interface ImageConfigDocument {
  readonly config: ImageConfig;
  /** Digests of the layers without compression, lowest first. */
  readonly diff_ids: readonly Digest[];
  /** When the image says it was made, in milliseconds since 1970; undefined where it does not say. */
  readonly created_at_ms: number | undefined;
  /** Empty where the image does not say. */
  readonly os: string;
  readonly architecture: string;
}

/** Absent, or null as Go writes an empty slice. */
const strings = Type.Optional(Type.Union([Type.Array(Type.String()), Type.Null()]));
const string = Type.Optional(Type.Union([Type.String(), Type.Null()]));

const configSchema = compileSchema(
  Type.Object({
    os: string,
    architecture: string,
    // Nothing depends on it: whatever is no time is none, and no reason to refuse the image.
    created: Type.Optional(Type.Unknown()),
    config: Type.Optional(
      Type.Union([
        Type.Object({ Env: strings, WorkingDir: string, Entrypoint: strings, Cmd: strings, User: string }),
        Type.Null(),
      ]),
    ),
    rootfs: Type.Object({ type: Type.Literal("layers"), diff_ids: strings }),
  }),
);

/**
 * Reads the config blob of an OCI or Docker image
 * (https://github.com/opencontainers/image-spec/blob/main/config.md). Pure.
 * @throws BoxerError `image_invalid` with the bare reason
 */
export function parseImageConfig(bytes: Uint8Array): ImageConfigDocument {
  const { content } = parseDocument("image config", bytes);
  if (!configSchema.fits(content)) throw invalid(configSchema.complain(content)?.message);
  const raw = content.config;
  return {
    config: {
      env: (raw?.Env ?? []).filter(isAssignment),
      working_dir: absolute(raw?.WorkingDir ?? ""),
      entrypoint: withoutNul(raw?.Entrypoint ?? []),
      cmd: withoutNul(raw?.Cmd ?? []),
      user: raw?.User ?? "",
    },
    diff_ids: (content.rootfs.diff_ids ?? []).map((digest) => {
      if (isDigest(digest)) return digest;
      throw invalid("rootfs.diff_ids has something that is not a digest");
    }),
    created_at_ms: timeOf(content.created),
    os: content.os ?? "",
    architecture: content.architecture ?? "",
  };
}

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;
/** What Go writes for a time that was never set: the year 1. */
const GO_ZERO_TIME_MS = Date.parse("0001-01-01T00:00:00Z");

function timeOf(text: unknown): number | undefined {
  const time_ms = typeof text === "string" && RFC_3339.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time_ms) || time_ms === GO_ZERO_TIME_MS ? undefined : time_ms;
}

/** A sandbox does not start with an environment that holds anything else. */
function isAssignment(entry: string): boolean {
  return /^[^=\0]+=[^\0]*$/.test(entry);
}

/** A relative WORKDIR is one below the root, as other tools take it. */
function absolute(path: string): string {
  if (path.includes("\0")) throw invalid("config.WorkingDir has a NUL");
  return path.startsWith("/") ? path : `/${path}`;
}

function withoutNul(words: readonly string[]): readonly string[] {
  if (words.some((word) => word.includes("\0"))) throw invalid("config has a command with a NUL");
  return words;
}

function invalid(reason: string | undefined): BoxerError {
  return new BoxerError("image_invalid", `the image config is not usable: ${reason}`);
}
