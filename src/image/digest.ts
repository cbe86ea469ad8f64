import { createHash, type Hash } from "node:crypto";

/** The algorithms that the OCI image specification registers and that registries use. */
export type DigestAlgorithm = "sha256" | "sha512";

/** A content address as of the OCI image specification, in lower-case hexadecimal. */
export type Digest = `${DigestAlgorithm}:${string}`;

const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** True for a well-formed digest of an algorithm we know; safe to use in a path or a URL. */
export function isDigest(text: string): text is Digest {
  return DIGEST.test(text);
}

/** The two parts of a digest. */
export function splitDigest(digest: Digest): { algorithm: DigestAlgorithm; hex: string } {
  const [algorithm, hex] = digest.split(":") as [DigestAlgorithm, string];
  return { algorithm, hex };
}

/** A running hash for content that shall have this digest. */
export function createDigester(expected: Digest): Hash {
  return createHash(splitDigest(expected).algorithm);
}

/** The digest of bytes in memory. */
export function digestOf(bytes: Uint8Array | string, algorithm: DigestAlgorithm = "sha256"): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
}

/** Whether bytes in memory have this digest, whatever its algorithm. */
export function hasDigest(bytes: Uint8Array | string, expected: Digest): boolean {
  return digestOf(bytes, splitDigest(expected).algorithm) === expected;
}
