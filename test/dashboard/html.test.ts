import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { escapeMarkup, html, makeVisible, raw } from "../../src/dashboard/html.ts";

describe("values are escaped in text and in quoted attributes", () => {
  const cases: [string, string][] = [
    ["<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"],
    ['" onload="x', "&quot; onload=&quot;x"],
    ["' onload='x", "&#39; onload=&#39;x"],
    ["&lt;", "&amp;lt;"],
  ];
  for (const [value, expected] of cases) {
    test(value, () =>
      assert.equal(html`<p title="${value}">${value}</p>`.text, `<p title="${expected}">${expected}</p>`),
    );
  }
});

test("null, undefined and false leave nothing, 0 and lists are shown", () => {
  assert.equal(html`${null}${undefined}${false}|${0}|${["a", html`<b>${"<"}</b>`]}`.text, "|0|a<b>&lt;</b>");
});

test("only what is vouched for is markup", () => {
  assert.equal(html`${raw("<hr>")}${"<hr>"}`.text, "<hr>&lt;hr&gt;");
});

test("characters that are invisible or reorder text are shown, tab and line feed stay", () => {
  assert.equal(makeVisible("a\u0000b\u001bc\td\ne"), "a\u2400b\u241bc\td\ne");
  assert.equal(makeVisible("evil\u202etxt.exe\u2066"), "evil\ufffdtxt.exe\ufffd");
  assert.equal(html`${"\u202e"}`.text, "\ufffd");
});

test("what comes back from a form is escaped and nothing else", () => {
  assert.equal(escapeMarkup("\u202e</textarea>"), "\u202e&lt;/textarea&gt;");
});
