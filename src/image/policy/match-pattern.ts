/**
 * Whether a text fits a pattern: `*` stands for anything but `/`, `**` for anything. Pure. Takes time in proportion to
 * the lengths of both, whatever the pattern: the text is a stranger's.
 */
export function matchPattern(pattern: string, text: string): boolean {
  /** Where in the text the pattern up to here may end. */
  let ends = new Set([0]);
  for (const token of pattern.match(/\*\*|\*|[^*]+/g) ?? []) {
    if (token === "**") ends = reach(ends, text.length, () => true);
    else if (token === "*") ends = reach(ends, text.length, (index) => text[index] !== "/");
    else
      ends = new Set([...ends].filter((end) => text.startsWith(token, end)).map((end) => end + token.length));
  }
  return ends.has(text.length);
}

/** All ends that these grow to by characters that may be passed. */
function reach(ends: ReadonlySet<number>, length: number, mayPass: (index: number) => boolean): Set<number> {
  const reached = new Set<number>();
  for (let index = 0, isIn = false; index <= length; index++) {
    isIn = ends.has(index) || (isIn && mayPass(index - 1));
    if (isIn) reached.add(index);
  }
  return reached;
}
