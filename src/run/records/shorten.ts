/** Bounds of what is kept of a text or a list of a request. */
export interface Bounds {
  readonly max_items: number;
  /** UTF-16 code units, of all items together. */
  readonly max_chars: number;
}

/** Cuts a text. Pure. */
export function shortenText(text: string, max_chars: number): string {
  return text.length <= max_chars ? text : wellFormed(text.slice(0, max_chars));
}

/** Keeps the first items that fit, the last of them cut. Pure. */
export function shortenList(items: readonly string[], { max_items, max_chars }: Bounds): string[] {
  const kept: string[] = [];
  let left = max_chars;
  for (const item of items.slice(0, max_items)) {
    if (item.length > left) {
      if (left > 0) kept.push(shortenText(item, left));
      break;
    }
    kept.push(item);
    left -= item.length;
  }
  return kept;
}

/** Without the first half of a surrogate pair at the end. */
function wellFormed(text: string): string {
  return text.replace(/[\uD800-\uDBFF]$/, "");
}
