import { BoxerError } from "../../core/errors.ts";
import type { Reference } from "../reference.ts";
import { matchPattern } from "./match-pattern.ts";

/** Which references may be used; see {@link checkRules}. */
export interface ImageRules {
  /** Empty: all that are not denied. */
  readonly image_allow: readonly string[];
  readonly image_deny: readonly string[];
}

/**
 * Refuses a reference that the operator does not want. Patterns are of normalised references
 * (`docker.io/library/python:3`): `*` within a component, `**` across; one that names neither tag nor digest is for all
 * of them. What is denied is denied, whatever is allowed. Names under `local/` are treated like all others. Pure.
 *
 * A digest says what comes, and the tag beside it nothing: so a reference with a digest is allowed by its name or its
 * digest, never by its tag, but denied by either.
 * @throws BoxerError `image_not_allowed` naming the rule, field `image`
 */
export function checkRules(reference: Reference, { image_allow, image_deny }: ImageRules): void {
  const { text, tag, digest } = reference;
  const [beforeDigest = text] = text.split("@");
  const name = tag === undefined ? beforeDigest : beforeDigest.slice(0, -(tag.length + 1));
  const byDigest = digest === undefined ? [] : [`${name}@${digest}`];
  const denied = [name, beforeDigest, ...byDigest, text];
  const allowed = digest === undefined ? [name, text] : [name, ...byDigest];
  const against = image_deny.find((pattern) => denied.some((form) => matchPattern(pattern, form)));
  if (against !== undefined) throw refusal(text, `image_deny has "${against}"`);
  if (image_allow.length === 0) return;
  if (image_allow.some((pattern) => allowed.some((form) => matchPattern(pattern, form)))) return;
  throw refusal(text, "nothing in image_allow fits it");
}

function refusal(text: string, why: string): BoxerError {
  return new BoxerError("image_not_allowed", `Image ${text} is not allowed by this server: ${why}`, {
    field: "image",
  });
}
