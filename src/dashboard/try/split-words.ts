import { BoxerError } from "../../core/errors.ts";

/**
 * Splits a command line into words as a POSIX shell does (Shell Command Language, 2.2 Quoting): quotes and backslashes
 * are taken away, nothing is expanded, and no character but these has a meaning. Pure.
 * @throws BoxerError `invalid_request` (field `cmd`) when a quote is not closed
 */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  for (let index = 0; index < line.length; index += 1) {
    const character = line[index] as string;
    if (/\s/.test(character)) {
      if (word !== null) words.push(word);
      word = null;
    } else if (character === "'" || character === '"') {
      const quoted = readQuoted(line, index);
      word = (word ?? "") + quoted.text;
      index = quoted.end;
    } else if (character === "\\" && index + 1 < line.length) {
      index += 1;
      word = (word ?? "") + line[index];
    } else word = (word ?? "") + character;
  }
  if (word !== null) words.push(word);
  return words;
}

function readQuoted(line: string, start: number): { text: string; end: number } {
  const quote = line[start];
  let text = "";
  for (let index = start + 1; index < line.length; index += 1) {
    const character = line[index] as string;
    if (character === quote) return { text, end: index };
    const next = line[index + 1] ?? "";
    if (quote === '"' && character === "\\" && /["\\$`]/.test(next)) {
      text += next;
      index += 1;
    } else text += character;
  }
  throw new BoxerError("invalid_request", `Cannot read the command: a ${quote} is not closed`, {
    field: "cmd",
  });
}
