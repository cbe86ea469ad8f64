/** One archive and suite from the machine's apt configuration, as sources.list(5) describes it. */
export interface AptSource {
  uri: string;
  suite: string;
  components: string[];
  /** Those of the entry's options that say how it is trusted; a key may be a block of its own, as deb822 allows. */
  trust: Partial<Record<TrustOption, string>>;
}

const TRUST_OPTIONS = ["signed-by", "trusted", "check-valid-until"] as const;
type TrustOption = (typeof TRUST_OPTIONS)[number];

/** Reads one-line style sources (`*.list`). Lines that are not binary archives are left out. */
export function parseOneLineSources(text: string): AptSource[] {
  return text.split("\n").flatMap((line) => {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s+([^#]+)/.exec(line);
    if (!match) return [];
    const [, options = "", uri = "", suite = "", components = ""] = match;
    const pairs = words(options).map((option) => option.split("=", 2) as [string, string?]);
    const values = new Map(pairs.map(([name, value]) => [name.toLowerCase(), value ?? ""]));
    return [{ uri, suite, components: words(components), trust: trustOf(values) }];
  });
}

/** Reads deb822 style sources (`*.sources`): stanzas are multiplied out, disabled ones are left out. */
export function parseDeb822Sources(text: string): AptSource[] {
  const withoutComments = text.replace(/^#.*\n?/gm, "");
  return withoutComments.split(/\n\s*\n/).flatMap((stanza) => {
    const fields = parseStanza(stanza);
    if (/^(no|false|without|off|disable)$/i.test(fields.get("enabled") ?? "yes")) return [];
    if (!words(fields.get("types") ?? "").includes("deb")) return [];
    const components = words(fields.get("components") ?? "");
    return words(fields.get("uris") ?? "").flatMap((uri) =>
      words(fields.get("suites") ?? "").map((suite) => ({ uri, suite, components, trust: trustOf(fields) })),
    );
  });
}

/**
 * Picks the entry that serves the main Debian archive of the machine's own release, so that its mirror and keys
 * can be used for another suite of the same archive. Vendors also publish under Debian's suite names: what looks
 * like a Debian mirror by its path, then by its keyring, goes first. Undefined when there is none.
 */
export function pickDebianArchive(sources: readonly AptSource[], codename: string): AptSource | undefined {
  const suites = new Set([codename, "stable", "oldstable", "oldoldstable", "testing", "unstable", "sid"]);
  const usable = sources.filter(
    ({ components, suite, uri }) =>
      components.includes("main") && suites.has(suite) && !uri.startsWith("cdrom:"),
  );
  return usable.toSorted((a, b) => likeness(b) - likeness(a))[0];
}

/** The text of a sources.list(5) file of our own that serves one suite of `archive` for one architecture. */
export function formatSource(archive: AptSource, suite: string, architecture: string): string {
  const trust = Object.entries(archive.trust).map(([name, value]) => `${name}=${value}`);
  const options = [`arch=${architecture}`, "target=Packages", ...trust].join(" ");
  return `deb [${options}] ${archive.uri} ${suite} main\n`;
}

/** The key block of a deb822 Signed-By field as a file's content, or undefined when the field names a file. */
export function embeddedKey(signedBy: string): string | undefined {
  if (!signedBy.includes("BEGIN PGP")) return undefined;
  const lines = signedBy.split("\n").map((line) => line.trim());
  return `${lines.map((line) => (line === "." ? "" : line)).join("\n")}\n`;
}

function likeness(source: AptSource): number {
  const byPath = /\/debian(\.list|\/\d{8}T\d{6}Z)?\/?$/.test(source.uri) ? 2 : 0;
  const key = source.trust["signed-by"];
  return byPath + (key === undefined || key.includes("debian-archive") ? 1 : 0);
}

function trustOf(values: ReadonlyMap<string, string>): AptSource["trust"] {
  const trust: AptSource["trust"] = {};
  for (const name of TRUST_OPTIONS) {
    const value = values.get(name);
    if (value) trust[name] = value;
  }
  return trust;
}

function parseStanza(stanza: string): Map<string, string> {
  const unfolded = stanza.matchAll(/^([A-Za-z-]+):([^\n]*(?:\n[ \t][^\n]*)*)/gm);
  return new Map(Array.from(unfolded, ([, name = "", value = ""]) => [name.toLowerCase(), value.trim()]));
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
