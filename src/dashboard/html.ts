/** Markup that is safe to be sent: made by {@link html}, or vouched for with {@link raw}. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand in a template. Strings are escaped; null, undefined and false leave nothing behind. */
export type HtmlValue = string | number | Html | null | undefined | false | readonly HtmlValue[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** C0 controls but tab and line feed, DEL, C1 controls, and what changes the direction of the text around it. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that must not reach the page
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;
const CONTROL_PICTURES = 0x2400;
const LAST_C0 = 0x1f;

/**
 * A template of HTML (`html\`<p>${text}</p>\``). Every value is escaped for text and for attributes in double quotes, and
 * shown with its invisible characters made visible, so that what a guest writes neither becomes markup nor reorders the
 * page. Attributes have to be quoted; values never stand in scripts, styles or unquoted attributes.
 */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let text = strings[0] ?? "";
  for (const [index, value] of values.entries()) text += render(value) + (strings[index + 1] ?? "");
  return new Html(text);
}

/** Markup as it stands. For constants and what {@link escapeMarkup} has made; never for a value from outside. */
export function raw(text: string): Html {
  return new Html(text);
}

/** Escapes what HTML gives a meaning, and nothing else: for values that must come back as they were, as in a form. */
export function escapeMarkup(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

/** Shows characters that are invisible or that reorder text: controls by their pictures, the others as U+FFFD. */
export function makeVisible(text: string): string {
  return text.replace(UNSEEN, (character) => {
    const code = character.charCodeAt(0);
    return code <= LAST_C0 ? String.fromCharCode(CONTROL_PICTURES + code) : "\ufffd";
  });
}

function render(value: HtmlValue): string {
  if (value === null || value === undefined || value === false) return "";
  if (value instanceof Html) return value.text;
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return escapeMarkup(makeVisible(value));
  return value.map(render).join("");
}
