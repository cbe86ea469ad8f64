import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EMPTY_FORM, toRunBody, toRunRequest } from "../../src/dashboard/try/try-form.ts";
import { activePanel, MAX_ACTIVE_ROWS } from "../../src/dashboard/views/active-panel.ts";
import { healthPanel } from "../../src/dashboard/views/health-panel.ts";
import { imagesPanel } from "../../src/dashboard/views/images-panel.ts";
import { page } from "../../src/dashboard/views/page.ts";
import { resourcesPanel } from "../../src/dashboard/views/resources-panel.ts";
import { activeDetails, runDetails } from "../../src/dashboard/views/run-page.ts";
import { formatCursor, parseFilter, runsPanel, toRecordQuery } from "../../src/dashboard/views/runs-panel.ts";
import { tryPage } from "../../src/dashboard/views/try-page.ts";
import { tryResult } from "../../src/dashboard/views/try-result.ts";
import {
  ACTIVITY,
  HEALTH,
  image,
  imagesData,
  LOAD,
  NOW_MS,
  outputOf,
  record,
  resultOf,
  sandbox,
} from "./made-up.ts";

const CORPUS = [
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  "</textarea><svg onload=alert(1)>",
  "</title></style></noscript><iframe src=javascript:alert(1)>",
  "javascript:alert(1)",
  "&#60;script&#62;",
  "\u001b]8;;javascript:alert(1)\u0007x\u001b[31m<b>",
  "\u202e\u2066<b>",
  "{{7*7}}",
];
const filter = { status: "", image: "", before: "" };
const now_ms = NOW_MS;
const csrf = "token";
const LIST = { isPaged: true, now_ms } as const;
const HOST = {
  cores: 2,
  cpu_share: null,
  memory_used_bytes: 1,
  memory_total_bytes: 2,
  cpu_history: [],
  memory_history: [],
};
const STORE = { size_bytes: 0, quota_bytes: Number.POSITIVE_INFINITY };
const REQUEST = toRunRequest(toRunBody(EMPTY_FORM, []));

/** Every view with a text in each place where one from outside can be. */
const VIEWS: Record<string, (text: string) => string> = {
  active: (text) =>
    activePanel({
      runs: [sandbox(0, { exec_id: text, image: text, cmd: [text], client: text, network: text })],
      load: LOAD,
      now_ms,
      csrf,
      alert: text,
    }).text,
  runs: (text) =>
    runsPanel({
      ...LIST,
      records: [record(0, { exec_id: text, image: text, cmd: ["sh", text], client: text })],
      filter: { ...filter, image: text },
      next: { submitted_at_ms: 1, exec_id: text },
    }).text,
  runNow: (text) =>
    activeDetails(
      sandbox(0, { exec_id: text, image: text, cmd: [text], client: text, network: text }),
      now_ms,
    ).text,
  run: (text) => {
    const { result } = record(0);
    return runDetails(
      record(0, {
        exec_id: text,
        image: text,
        cmd: [text],
        env_names: [text],
        cwd: text,
        user: text,
        files: [text],
        client: text,
        error: { code: text, message: text },
        result: result && {
          ...result,
          signal: text,
          warnings: [text],
          image_digest: text,
          outputs: [{ path: text, size_bytes: 1 }],
        },
      }),
      now_ms,
    ).text;
  },
  images: (text) =>
    imagesPanel({
      data: imagesData({
        images: [
          image(0, {
            references: [{ reference: text, imported: false, checked_at_ms: 0, unreachable: text }],
          }),
        ],
        pulls: imagesData().pulls.map((pull) => ({ ...pull, reference: text })),
        failures: [{ reference: text, reason: text, at_ms: 0 }],
      }),
      max_rows: 9,
      now_ms,
      csrf,
      alert: text,
    }).text,
  health: (text) =>
    healthPanel(
      { ...HEALTH, reasons: [text], warnings: [text], runsc_version: text, not_enforced: [text] },
      now_ms,
    ).text,
  form: (text) => {
    const form = Object.fromEntries(
      Object.keys(EMPTY_FORM).map((key) => [key, text]),
    ) as unknown as typeof EMPTY_FORM;
    return tryPage({ form, images: [text], csrf, alert: text, curl: text, result: null }).text;
  },
  output: (text) => {
    const outcome = {
      result: resultOf(text, text, {
        exec_id: text,
        warnings: [text],
        outputs: [{ path: text, size_bytes: 1 }],
      }),
    };
    return tryResult(
      {
        id: text,
        request: { ...REQUEST, persist: true },
        started_at_ms: 0,
        exec_id: text,
        output: outputOf(),
        outcome,
      },
      now_ms,
      csrf,
    ).text;
  },
  fault: (text) =>
    tryResult(
      {
        id: text,
        request: REQUEST,
        started_at_ms: 0,
        exec_id: null,
        output: outputOf(text, text),
        outcome: { error: { code: text, message: text } },
      },
      now_ms,
      csrf,
    ).text,
  goingOn: (text) =>
    tryResult(
      {
        id: text,
        request: REQUEST,
        started_at_ms: 0,
        exec_id: text,
        output: outputOf(text, text),
        outcome: null,
      },
      now_ms,
      csrf,
    ).text,
};

/** The tags of a text with the names of their attributes: what of it is markup. */
function markupOf(text: string): string[] {
  return [...text.matchAll(/<(\/?[a-z!][^\s>]*)((?:\s+[^\s=>"]+(?:="[^"]*")?)*)\s*\/?>/gi)].map(
    ([, tag, attributes = ""]) =>
      `${tag} ${attributes
        .replace(/="[^"]*"/g, "")
        .trim()
        .replace(/\s+/g, " ")}`,
  );
}

describe("what comes from outside never becomes markup", () => {
  for (const [name, view] of Object.entries(VIEWS)) {
    test(name, () => {
      const harmless = markupOf(view("x"));
      assert.ok(harmless.length > 3);
      for (const text of CORPUS) {
        const shown = view(text);
        const markup = markupOf(shown).filter((tag) => !/^\/?(span|li|code|ol|time|b) ?(class)?$/.test(tag));
        assert.deepEqual(
          markup,
          harmless.filter((tag) => !/^\/?(span|li|code|ol|time|b) ?(class)?$/.test(tag)),
          text,
        );
        assert.doesNotMatch(shown, /<(script|img|iframe|b)\b/i);
        assert.equal((shown.match(/</g) ?? []).length, markupOf(shown).length, `a stray < of ${text}`);
        assert.doesNotMatch(shown, /(?:href|action|src|hx-get|hx-post)="(?!\/|#)/, text);
        if (name !== "form")
          for (const unseen of ["\u001b", "\u202e", "\u2066"]) assert.ok(!shown.includes(unseen));
      }
    });
  }
});

test("no view has a style or a script in it, nor an attribute that runs one", () => {
  const pages = Object.values(VIEWS).map((view) => view("x"));
  for (const text of [...pages, page({ title: "x", section: "", isLive: true })]) {
    assert.doesNotMatch(text, /\sstyle=|<style|\son[a-z]+=|hx-on|<script(?! src="\/dashboard\/assets\/)/);
  }
});

describe("what is empty says so, and what to do", () => {
  test("no sandboxes", () =>
    assert.match(activePanel({ runs: [], load: LOAD, now_ms, csrf }).text, /Nothing runs/));
  test("no images", () => {
    const data = imagesData({ images: [], pulls: [] });
    assert.match(imagesPanel({ data, max_rows: 9, now_ms, csrf }).text, /No image is here/);
  });
  test("no runs yet, or none that fit", () => {
    assert.match(runsPanel({ ...LIST, records: [], filter, next: null }).text, /No run has ended yet/);
    assert.match(
      runsPanel({ ...LIST, records: [], filter: { ...filter, status: "ok" }, next: null }).text,
      /No run fits/,
    );
  });
  test("no numbers yet", () => {
    const activity = { ...ACTIVITY, runs: 0, faults: 0, boot: null, wall: null };
    const { text } = resourcesPanel({ load: LOAD, host: HOST, activity, images: STORE, files: STORE });
    assert.match(text, /no runs yet/);
    assert.doesNotMatch(text, /NaN|Infinity|undefined/);
  });
});

describe("the filter and the cursor", () => {
  const key = (name: string) => `docker.io/library/${name}:latest`;
  test("are read from the address; what makes no sense is left out", () => {
    const parse = (query: string) => parseFilter(new URLSearchParams(query));
    assert.deepEqual(parse("status=ok&image=%20python%20&before=12.boxer-1"), {
      status: "ok",
      image: "python",
      before: "12.boxer-1",
    });
    assert.deepEqual(parse("status=constructor&before=x"), filter);
    assert.deepEqual(parse("before=1.a';DROP"), filter);
  });
  test("become the query of the records", () => {
    assert.deepEqual(toRecordQuery({ status: "ok", image: "python", before: "12.boxer-1" }, key, 5), {
      limit: 5,
      status: "ok",
      image: "docker.io/library/python:latest",
      before: { submitted_at_ms: 12, exec_id: "boxer-1" },
    });
    assert.deepEqual(toRecordQuery(filter, key, 5), { limit: 5 });
  });
  test("lead on: the next page keeps the filter and begins after the last row", () => {
    const next = record(7);
    const { text } = runsPanel({ ...LIST, records: [next], filter: { ...filter, status: "ok" }, next });
    assert.ok(text.includes(`href="/dashboard/runs?status=ok&amp;before=${formatCursor(next)}"`), text);
    assert.match(text, /hx-get="\/dashboard\/fragments\/runs\?status=ok&amp;paged=1"/);
  });
  test("a page that is not the first does not change under the reader", () => {
    const { text } = runsPanel({
      ...LIST,
      records: [record(1)],
      filter: { ...filter, before: "1.a" },
      next: null,
    });
    assert.doesNotMatch(text, /hx-get/);
    assert.match(text, />Newest</);
  });
});

test("a page of very many sandboxes stays small, and tells of those it does not show", () => {
  const runs = Array.from({ length: 1_000 }, (_, number) =>
    sandbox(number, { cmd: ["sh", "-c", "x".repeat(100_000)] }),
  );
  const { text } = activePanel({ runs, load: LOAD, now_ms, csrf });
  assert.ok(text.length < 2_500 * MAX_ACTIVE_ROWS, `${text.length}`);
  assert.match(text, /750 more are not shown/);
});

test("what the host does not tell is a dash and not a zero", () => {
  const { text } = activePanel({ runs: [sandbox(0, { usage: null })], load: LOAD, now_ms, csrf });
  assert.equal((text.match(/not known on this host/g) ?? []).length, 3);
});

test("a run tells its network and its sandbox, one that is recorded without them does not", () => {
  const { text } = runDetails({ ...record(0), network: "sandbox" }, now_ms);
  assert.match(text, /<dt>Network<\/dt><dd>sandbox</);
  assert.doesNotMatch(runDetails(record(0), now_ms).text, /Network/);
  const shown = [true, false].map((warm) => {
    const { result } = record(0);
    return runDetails(record(0, { result: result && { ...result, warm } }), now_ms).text;
  });
  assert.match(shown[0] ?? "", /booted before the request came/);
  assert.match(shown[1] ?? "", /booted for this run/);
});

test("what a run did with its network is told, look-ups only where they were counted", () => {
  const { result } = record(0);
  const counts = { allowed_connections: 1, refused_connections: 2, bytes_in: 1024, bytes_out: 10 };
  const shown = [null, 3].map((count) => {
    const network_usage = { ...counts, dns_allowed: count, dns_refused: count && 4 };
    return runDetails(record(0, { result: result && { ...result, network_usage } }), now_ms).text;
  });
  assert.match(shown[0] ?? "", /1\u00a0connection, 2 refused · [^·]+ in, [^·]+ out</);
  assert.match(shown[1] ?? "", / out · 3\u00a0look-ups, 4 refused</);
});

test("limits are told as one or many, and as none", () => {
  const limits = { cpu_cores: 1, memory_mb: 64, wall_clock_secs: null, pids_limit: 1, nofile: 2 };
  const { text } = runDetails(record(0, { limits }), now_ms);
  assert.match(text, /1\u00a0core · 64\u00a0MB · unlimited time · 1\u00a0process · 2\u00a0open files/);
});
