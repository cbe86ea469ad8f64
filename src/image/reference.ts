import { isIPv6 } from "node:net";
import { BoxerError } from "../core/errors.ts";
import { type Digest, isDigest } from "./digest.ts";
import { printable } from "./printable.ts";

/** What an image is called, taken apart. Written and read as by other containers' tools. */
export interface Reference {
  /** Registry as written, with its port: `docker.io`, `localhost:5000`, `[::1]:5000`. */
  readonly registry: string;
  /** Repository within the registry: `library/python`. */
  readonly repository: string;
  /** `latest` where neither a tag nor a digest is written; undefined beside a digest alone. */
  readonly tag: string | undefined;
  /** Goes before the tag where both are written. */
  readonly digest: Digest | undefined;
  /** Normalised text, equal for all spellings of the same reference; parses to the same reference again. */
  readonly text: string;
  /** A name of this machine's own: made by import, never looked up in a registry. */
  readonly local: boolean;
}

const DEFAULT_REGISTRY = "docker.io";
const LOCAL_NAMESPACE = "local/";
const MAX_TEXT_LENGTH = 1024;
const MAX_REGISTRY_LENGTH = 255;
const MAX_REPOSITORY_LENGTH = 255;
const DOMAIN = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*$/;
const PATH_COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}$/;
const IMAGE_ID = /^[0-9a-f]{64}$/;

/**
 * Parses an image reference by the grammar of https://github.com/distribution/reference, as `docker pull` reads
 * it: `python` is `docker.io/library/python:latest`. Names under `local/` are this machine's own. Pure.
 * @throws BoxerError `invalid_image_reference` with the reason, field `image`
 */
export function parseReference(text: string): Reference {
  const reason = complaintAboutText(text);
  if (reason) throw invalid(text, reason);
  const [name = "", ...digests] = text.split("@");
  const { registry, rest } = splitRegistry(name);
  const colon = rest.indexOf(":");
  const path = colon < 0 ? rest : rest.slice(0, colon);
  const parts: Parts = {
    registry,
    repository: registry === DEFAULT_REGISTRY && !path.includes("/") ? `library/${path}` : path,
    tag: colon < 0 ? undefined : rest.slice(colon + 1),
    digests,
  };
  const complaint = complaintAboutParts(path, parts);
  if (complaint) throw invalid(text, complaint);
  return build(parts);
}

interface Parts {
  registry: string;
  repository: string;
  tag: string | undefined;
  digests: string[];
}

function build({ registry, repository, tag, digests }: Parts): Reference {
  const digest = digests[0] as Digest | undefined;
  const effectiveTag = tag ?? (digest ? undefined : "latest");
  const local = registry === DEFAULT_REGISTRY && repository.startsWith(LOCAL_NAMESPACE);
  const name = local ? repository : `${registry}/${repository}`;
  return {
    registry,
    repository,
    tag: effectiveTag,
    digest,
    text: `${name}${effectiveTag ? `:${effectiveTag}` : ""}${digest ? `@${digest}` : ""}`,
    local,
  };
}

/** The first component is a registry only if it looks like a host; otherwise all of it is on the default one. */
function splitRegistry(name: string): { registry: string; rest: string } {
  const slash = name.indexOf("/");
  const first = name.slice(0, Math.max(slash, 0));
  const isHost = first === "localhost" || /[.:]/.test(first) || first.toLowerCase() !== first;
  if (!isHost) return { registry: DEFAULT_REGISTRY, rest: name };
  const registry = first === "index.docker.io" ? DEFAULT_REGISTRY : first;
  return { registry, rest: name.slice(slash + 1) };
}

function complaintAboutText(text: string): string | undefined {
  if (text === "") return "it is empty";
  if (text.length > MAX_TEXT_LENGTH) return `it is longer than ${MAX_TEXT_LENGTH} characters`;
  if (text.includes("://")) return "it has a scheme; write registry/name:tag";
  if (IMAGE_ID.test(text)) return "it is a bare image id; write name@sha256:…";
  return undefined;
}

function complaintAboutParts(path: string, parts: Parts): string | undefined {
  const [digest, ...more] = parts.digests;
  if (more.length > 0) return "it has more than one @";
  if (digest !== undefined && !isDigest(digest)) {
    return "the digest must be sha256: and 64, or sha512: and 128, lower-case hexadecimal digits";
  }
  return (
    complaintAboutRegistry(parts.registry) ??
    complaintAboutRepository(path, parts.repository) ??
    (parts.tag !== undefined && !TAG.test(parts.tag)
      ? "the tag must be 1 to 128 letters, digits, _, . and -, and not begin with . or -"
      : undefined)
  );
}

function complaintAboutRegistry(registry: string): string | undefined {
  if (registry.length > MAX_REGISTRY_LENGTH) {
    return `the registry is longer than ${MAX_REGISTRY_LENGTH} characters`;
  }
  const [, ipv6, host = "", port] = /^(?:\[(.*)\]|([^:]*))(?::(\d+))?$/.exec(registry) ?? [];
  const knownHost = ipv6 === undefined ? DOMAIN.test(host) : isIPv6(ipv6) && !ipv6.includes("%");
  if (!knownHost) return "the registry is not a host name or address";
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return "the port is out of range";
  // `1.2.3.4.5` fits the grammar and is no address that a URL may have.
  return URL.canParse(`https://${registry}`) ? undefined : "the registry is not a host name or address";
}

function complaintAboutRepository(path: string, repository: string): string | undefined {
  if (path === "") return "it has no name";
  if (repository.length > MAX_REPOSITORY_LENGTH) {
    return `the name is longer than ${MAX_REPOSITORY_LENGTH} characters`;
  }
  if (path.toLowerCase() !== path) return "the name must be in lower case";
  if (path.split("/").every((component) => PATH_COMPONENT.test(component))) return undefined;
  return "each part of the name must be letters and digits, with single . or _, __ or dashes only in between";
}

function invalid(text: string, reason: string): BoxerError {
  const shown = printable(text, 100);
  return new BoxerError("invalid_image_reference", `Cannot parse image reference "${shown}": ${reason}`, {
    field: "image",
  });
}
