import Type, { type Static } from "typebox";
import { compileSchema } from "../../core/schema.ts";
import { type Digest, digestOf, hasDigest, isDigest } from "../digest.ts";
import { parseImageConfig } from "../manifest/parse-image-config.ts";
import { parseManifest } from "../manifest/parse-manifest.ts";
import { parseReference } from "../reference.ts";
import type { ImageConfig, ImageUser, RootfsType } from "../types.ts";
import { MAX_ID, numericUser } from "../user/numeric-user.ts";

const id = Type.Integer({ minimum: 0, maximum: MAX_ID });

const ImageRecordSchema = Type.Object({
  version: Type.Literal(1),
  digest: Type.String(),
  /** Manifest and config as they came, so that they keep their digests. */
  manifest: Type.String(),
  config: Type.String(),
  rootfs_bytes: Type.Integer({ minimum: 0 }),
  /** Absent: an EROFS file. */
  rootfs_type: Type.Optional(Type.Literal("directory")),
  /** Absent in records of before users were looked up. */
  user: Type.Optional(
    Type.Union([
      Type.Object({ uid: id, gid: Type.Union([id, Type.Null()]) }),
      Type.Object({ unknown: Type.String() }),
    ]),
  ),
  pulled_at_ms: Type.Integer(),
});
const NameRecordSchema = Type.Object({
  version: Type.Literal(1),
  reference: Type.String(),
  /** What the registry's answer was: an index, or the manifest itself. */
  resolved: Type.String(),
  /** The manifest for our platform. */
  digest: Type.String(),
  imported: Type.Boolean(),
  /** The registry did not have it, and `resolved` is what the local Docker daemon says. */
  from_daemon: Type.Optional(Type.Literal(true)),
  checked_at_ms: Type.Integer(),
  /** For which platform it was looked up, such as `linux/arm64`; absent in older records, which mean the machine's. */
  platform: Type.Optional(Type.String()),
});

const UsageRecordSchema = Type.Object({
  version: Type.Literal(1),
  /** By digest. */
  images: Type.Record(
    Type.String(),
    Type.Object({ uses: Type.Integer({ minimum: 0 }), last_used_at_ms: Type.Integer() }),
  ),
});

/** What is written of an image, beside its root file system. */
export type ImageRecord = Static<typeof ImageRecordSchema> & { digest: Digest };
/** What is written of a name. */
export type NameRecord = Static<typeof NameRecordSchema> & { resolved: Digest; digest: Digest };

/** What is written now and then of how images were used. */
export type UsageRecord = Static<typeof UsageRecordSchema>;

const imageRecordSchema = compileSchema(ImageRecordSchema);
const nameRecordSchema = compileSchema(NameRecordSchema);
const usageRecordSchema = compileSchema(UsageRecordSchema);

const NOT_LOOKED_UP: ImageUser = {
  unknown: "it came before its users were looked up; remove it, and pull or import it again",
};

/** An image record, read. */
export interface ImageFacts {
  readonly digest: Digest;
  readonly config: ImageConfig;
  readonly layers: number;
  readonly size_bytes: number;
  readonly rootfs_type: RootfsType;
  readonly user: ImageUser;
  /** When the image says it was made; undefined where it does not say. */
  readonly created_at_ms: number | undefined;
  readonly pulled_at_ms: number;
}

/**
 * Reads what `JSON.stringify` made of an image record; verifies it by its own digests. Pure.
 * @throws Error when it is damaged
 */
export function parseImageRecord(text: string): ImageFacts {
  const record: unknown = JSON.parse(text);
  if (!imageRecordSchema.fits(record)) throw new Error(imageRecordSchema.complain(record)?.message);
  return readImageRecord(record);
}

/** As {@link parseImageRecord}, of a record in memory. */
export function readImageRecord(record: Static<typeof ImageRecordSchema>): ImageFacts {
  const manifest = parseManifest({ bytes: Buffer.from(record.manifest), media_type: "" });
  if (manifest.kind !== "image" || !hasDigest(record.config, manifest.config.digest)) {
    throw new Error("manifest and config do not belong together");
  }
  const digest = digestOf(record.manifest);
  if (digest !== record.digest) throw new Error("it is of another image");
  const { config, created_at_ms } = parseImageConfig(Buffer.from(record.config));
  return {
    digest,
    config,
    layers: manifest.layers.length,
    size_bytes: record.rootfs_bytes,
    rootfs_type: record.rootfs_type ?? "erofs",
    user: record.user ?? numericUser(config.user) ?? NOT_LOOKED_UP,
    created_at_ms,
    pulled_at_ms: record.pulled_at_ms,
  };
}

/**
 * Reads what `JSON.stringify` made of a name record. Pure.
 * @throws Error when it is damaged
 */
export function parseNameRecord(text: string): NameRecord {
  const record: unknown = JSON.parse(text);
  if (!nameRecordSchema.fits(record)) throw new Error(nameRecordSchema.complain(record)?.message);
  const { resolved, digest, reference } = record;
  if (!isDigest(resolved) || !isDigest(digest)) throw new Error("it has no digest");
  if (parseReference(reference).text !== reference) throw new Error("its reference is not normalised");
  return { ...record, resolved, digest };
}

/**
 * Reads what `JSON.stringify` made of a usage record. Pure.
 * @throws Error when it is damaged
 */
export function parseUsageRecord(text: string): UsageRecord {
  const record: unknown = JSON.parse(text);
  if (!usageRecordSchema.fits(record)) throw new Error(usageRecordSchema.complain(record)?.message);
  return record;
}
