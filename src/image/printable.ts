/** Control characters, line breaks, and the invisible ones that can turn the direction of text around. */
const UNPRINTABLE = /[\p{C}\u2028\u2029]+/gu;

/**
 * Text written by an attacker, made fit for a message or a log: one line without control characters.
 * @param limit most UTF-16 units of the result, an ellipsis included
 */
export function printable(text: string, limit = 200): string {
  const clean = text
    .slice(0, 4 * limit)
    .replace(UNPRINTABLE, " ")
    .trim();
  return clean.length > limit ? `${clean.slice(0, limit - 1)}…` : clean;
}
