/** How a server wants to be authenticated with: one scheme of its WWW-Authenticate header. */
export interface Challenge {
  /** In lower case: `basic`, `bearer`. */
  readonly scheme: string;
  /** By name in lower case; of a name that is repeated, the first. */
  readonly parameters: ReadonlyMap<string, string>;
}

const MAX_HEADER_LENGTH = 8192;
/** A word alone is a scheme; a word with `=` and a token or quoted string is a parameter of the scheme before. */
const PART = /([\w!#$%&'*+.^`|~-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))?/g;

/** Reads a WWW-Authenticate header (RFC 9110, section 11.6.1). What makes no sense is passed over. Pure. */
export function parseChallenges(header: string | null): Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  if (header === null || header.length > MAX_HEADER_LENGTH) return challenges;
  for (const [, word = "", quoted, token] of header.matchAll(PART)) {
    const value = quoted?.replace(/\\(.)/g, "$1") ?? token;
    const name = word.toLowerCase();
    const parameters = challenges.at(-1)?.parameters;
    if (value === undefined) challenges.push({ scheme: name, parameters: new Map() });
    else if (parameters && !parameters.has(name)) parameters.set(name, value);
  }
  return challenges;
}
