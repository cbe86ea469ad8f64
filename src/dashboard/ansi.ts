import { Html, html } from "./html.ts";

/** Beyond so many changes of colour the rest is shown plain: each costs many times its bytes in markup. */
const MAX_SPANS = 4_000;

const ESC = "\u001b";
const BEL = "\u0007";
/**
 * Escape sequences of ECMA-48: SGR, the one that colours, with its parameters as group 1; other CSI; strings such as OSC
 * and DCS; single escapes.
 */
const SEQUENCE = new RegExp(
  [
    `${ESC}\\[([0-9;]*)m`,
    `${ESC}\\[[0-?]*[ -/]*[@-~]`,
    // One that is not complete: the rest of it may be on its way.
    `${ESC}\\[[0-?]*[ -/]*$`,
    `${ESC}[\\]PX^_][^${BEL}${ESC}]*(?:${BEL}|${ESC}\\\\)?`,
    `${ESC}[ -/]*[0-~]?`,
  ].join("|"),
  "g",
);

interface Style {
  foreground: number | null;
  background: number | null;
  readonly effects: Set<string>;
}

/** Effects of SGR, and what turns each off. */
const EFFECTS: Readonly<Record<number, string>> = { 1: "bold", 2: "dim", 3: "italic", 4: "underline" };
const EFFECTS_OFF: Readonly<Record<number, readonly string[]>> = {
  22: ["bold", "dim"],
  23: ["italic"],
  24: ["underline"],
};

/**
 * What a program has written, as a terminal colours it: the 16 colours and four effects become classes, every other
 * escape sequence is dropped. Pure.
 */
export function ansiToHtml(text: string): Html {
  const style: Style = { foreground: null, background: null, effects: new Set() };
  const parts: Html[] = [];
  let [from, spans] = [0, 0];
  const add = (until: number) => {
    if (until <= from) return;
    const classes = spans < MAX_SPANS ? classesOf(style) : "";
    if (classes) spans += 1;
    const piece = text.slice(from, until).replace(/\r\n?/g, "\n");
    parts.push(classes ? html`<span class="${classes}">${piece}</span>` : html`${piece}`);
  };
  for (const match of text.matchAll(SEQUENCE)) {
    add(match.index);
    from = match.index + match[0].length;
    if (match[1] !== undefined) applySgr(style, match[1]);
  }
  add(text.length);
  return new Html(parts.map((part) => part.text).join(""));
}

function classesOf({ foreground, background, effects }: Style): string {
  const classes = [...effects].map((effect) => `ansi-${effect}`);
  if (foreground !== null) classes.push(`ansi-f${foreground}`);
  if (background !== null) classes.push(`ansi-b${background}`);
  return classes.join(" ");
}

/** Applies the parameters of one SGR (ECMA-48, 8.3.117) and of its extensions for 256 and 2^24 colours. */
function applySgr(style: Style, parameters: string): void {
  const codes = parameters.split(";").map(Number);
  for (let index = 0; index < codes.length; index += 1) {
    const code = codes[index] ?? 0;
    if (code === 38 || code === 48) {
      const [, kind, colour] = codes.slice(index);
      if (kind === 5) setColour(style, code === 38, (colour ?? 16) < 16 ? (colour ?? null) : null);
      index += kind === 5 ? 2 : kind === 2 ? 4 : 0;
    } else applyCode(style, code);
  }
}

function applyCode(style: Style, code: number): void {
  const effect = EFFECTS[code];
  if (code === 0) {
    style.foreground = style.background = null;
    style.effects.clear();
  } else if (effect) style.effects.add(effect);
  else if (EFFECTS_OFF[code]) for (const off of EFFECTS_OFF[code]) style.effects.delete(off);
  else if (code >= 30 && code <= 37) style.foreground = code - 30;
  else if (code === 39) style.foreground = null;
  else if (code >= 40 && code <= 47) style.background = code - 40;
  else if (code === 49) style.background = null;
  else if (code >= 90 && code <= 97) style.foreground = code - 82;
  else if (code >= 100 && code <= 107) style.background = code - 92;
}

function setColour(style: Style, isForeground: boolean, colour: number | null): void {
  if (isForeground) style.foreground = colour;
  else style.background = colour;
}
