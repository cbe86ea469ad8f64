/** How many tests of a run ended which way, and which failed. */
export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
  /** One line for each failure. */
  failures: string[];
}

interface TestCase {
  name: string;
  outcome: "passed" | "failed" | "skipped";
  /** The first line of the failure's message. */
  message: string;
}

/**
 * Counts the tests of one file in a JUnit report as `bun test` and `deno test` write it. A report without any test,
 * or without a failure where the runner was not content, counts as one failure.
 *
 * @param fault why the runner was not content, or undefined when it was
 */
export function tallyJunit(xml: string, file: string, fault: string | undefined): Tally {
  const cases = withoutGroups([...parseCases(xml)]);
  const count = (wanted: TestCase["outcome"]) => cases.filter(({ outcome }) => outcome === wanted).length;
  const failures = cases
    .filter(({ outcome }) => outcome === "failed")
    .map(({ name, message }) => `${name}: ${message}`);
  if (cases.length === 0) failures.push(`no test was run: ${fault ?? "there is none in it"}`);
  else if (failures.length === 0 && fault !== undefined)
    failures.push(`no test failed, but the runner did: ${fault}`);
  return {
    passed: count("passed"),
    failed: failures.length,
    skipped: count("skipped"),
    failures: failures.map((line) => `${file}: ${line}`),
  };
}

/** The sum of several tallies. */
export function addTallies(tallies: readonly Tally[]): Tally {
  return {
    passed: sum(tallies.map(({ passed }) => passed)),
    failed: sum(tallies.map(({ failed }) => failed)),
    skipped: sum(tallies.map(({ skipped }) => skipped)),
    failures: tallies.flatMap(({ failures }) => failures),
  };
}

/** `3 passed, 1 failed, 2 skipped`; skipped only if there are any. */
export function formatTally({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

function* parseCases(xml: string): Iterable<TestCase> {
  for (const [, attributes = "", , body = ""] of xml.matchAll(
    /<testcase\s([^>]*?)(\/>|>([\s\S]*?)<\/testcase>)/g,
  )) {
    const failure = /<(?:failure|error)\b([^>]*)/.exec(body);
    const [message = ""] = attribute(failure?.[1] ?? "", "message").split("\n");
    const outcome = failure ? "failed" : /<skipped\b/.test(body) ? "skipped" : "passed";
    yield { name: attribute(attributes, "name"), outcome, message };
  }
}

/**
 * Deno reports a group as a test beside the tests in it ("group" and "group > test"). It counts only when it
 * failed for a reason of its own.
 */
function withoutGroups(cases: readonly TestCase[]): TestCase[] {
  const groups = new Set(cases.flatMap(({ name }) => prefixes(name)));
  return cases.filter(({ name, outcome, message }) => {
    if (!groups.has(name)) return true;
    return outcome === "failed" && !/^\d+ test steps? failed/.test(message);
  });
}

function prefixes(name: string): string[] {
  const parts = name.split(" > ");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join(" > "));
}

/** The value of an XML attribute, with its entities decoded. Values may span lines and hold any other character. */
function attribute(attributes: string, name: string): string {
  const raw = new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes)?.[1] ?? "";
  const named: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return raw.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, word) => {
    if (word !== undefined) return named[word] ?? whole;
    return String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16));
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
