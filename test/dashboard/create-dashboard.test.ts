import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { completeDashboard } from "../../src/config/dashboard-access.ts";
import { BoxerError } from "../../src/core/errors.ts";
import { silentLog } from "../../src/core/log.ts";
import { DashboardAuth } from "../../src/dashboard/access/dashboard-auth.ts";
import { createDashboard } from "../../src/dashboard/create-dashboard.ts";
import type { DashboardSource } from "../../src/dashboard/dashboard-data.ts";
import { madeUpSource, record } from "./made-up.ts";

const HOST = "127.0.0.1:8080";
const TOKEN = "a-long-random-secret";

function dashboard(
  changes: Partial<DashboardSource> = {},
  config: Parameters<typeof completeDashboard>[0] = undefined,
) {
  const auth = new DashboardAuth(completeDashboard(config), { hostname: "127.0.0.1", port: 8080 });
  const handle = createDashboard({
    source: madeUpSource(changes),
    auth,
    request_limit_bytes: 10_000,
    clientOf: () => "10.0.0.1",
    log: silentLog,
  });
  const connection = { remoteAddress: "127.0.0.1", keepAlive() {} };
  const send = async (path: string, init: RequestInit = {}) => {
    const headers = { host: HOST, ...(init.headers as Record<string, string>) };
    return await handle(
      new Request(`http://${HOST}${path}`, { redirect: "manual", ...init, headers }),
      connection,
    );
  };
  const post = (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
    send(path, { method: "POST", body: new URLSearchParams({ csrf: auth.csrf, ...fields }), headers });
  return { auth, send, post };
}

test("what is not its own it leaves to others", async () => {
  const { send } = dashboard();
  for (const path of ["/run", "/swagger", "/dashboardx", "/files"]) assert.equal(await send(path), undefined);
});

test("every page and every part is there; others are not found", async () => {
  const { send } = dashboard();
  const there = [
    "",
    "/runs",
    "/images",
    "/try",
    `/runs/${record(3).exec_id}`,
    ...["active", "resources", "images", "runs", "health"].map((name) => `/fragments/${name}`),
  ];
  for (const path of there) {
    const response = await send(`/dashboard${path}`);
    assert.equal(response?.status, 200, path);
    assert.equal(response?.headers.get("cache-control"), "no-store");
  }
  for (const path of [
    "/x",
    "/runs/boxer-0",
    "/try/x",
    "/fragments/x",
    "/fragments/constructor",
    "/assets/x",
    "/assets/..%2fpackage.json",
    "/runs/%ff",
    "/login",
  ]) {
    assert.equal((await send(`/dashboard${path}`))?.status, 404, path);
  }
});

test("a part alone is the same as on its page", async () => {
  const { send } = dashboard();
  const page = (await (await send("/dashboard"))?.text()) ?? "";
  const withoutAges = (text: string) =>
    text.replace(/<time.*?<\/time>|aria-label="[^"]*its time"|width="[\d.]+%"|bar-fill \w+/g, "");
  for (const name of ["active", "resources", "images", "health"]) {
    const part = (await (await send(`/dashboard/fragments/${name}`))?.text()) ?? "-";
    assert.ok(withoutAges(page).includes(withoutAges(part)), name);
  }
});

test("a part that cannot be made shows why in its place, and the others are there", async () => {
  const { send } = dashboard({
    records: () => {
      throw new Error("database <locked>");
    },
  });
  const response = await send("/dashboard");
  const text = (await response?.text()) ?? "";
  assert.equal(response?.status, 200);
  assert.match(text, /Cannot show this: database &lt;locked&gt;/);
  assert.match(text, /Active sandboxes/);
});

describe("what changes something", () => {
  const stopped: string[] = [];
  const { send, post, auth } = dashboard({
    stopRun(exec_id) {
      stopped.push(exec_id);
      return exec_id === "boxer-1";
    },
    pullImage: async (reference) => {
      throw new BoxerError("image_not_allowed", `The image ${reference} is not allowed`);
    },
    removeImage: async () => "in_use",
  });
  const path = "/dashboard/runs/boxer-1/stop";

  test("is done for a form of ours, which comes back to its page", async () => {
    const response = await post(path, {}, { origin: `http://${HOST}`, "sec-fetch-site": "same-origin" });
    assert.deepEqual([response?.status, response?.headers.get("location")], [303, "/dashboard#active"]);
    assert.equal(stopped.pop(), "boxer-1");
  });
  test("is done for htmx, which gets the part only", async () => {
    const text = (await (await post(path, {}, { "hx-request": "true" }))?.text()) ?? "";
    assert.match(text, /^<section id="active"/);
    assert.equal(stopped.pop(), "boxer-1");
  });
  const refused: [string, RequestInit][] = [
    ["without the token", { body: new URLSearchParams() }],
    ["with a token of another process", { body: new URLSearchParams({ csrf: "x".repeat(32) }) }],
    [
      "from another origin",
      { body: new URLSearchParams({ csrf: auth.csrf }), headers: { origin: "http://evil.example" } },
    ],
    [
      "from another port of this machine",
      { body: new URLSearchParams({ csrf: auth.csrf }), headers: { "sec-fetch-site": "same-site" } },
    ],
  ];
  for (const [name, init] of refused) {
    test(`is refused ${name}`, async () => {
      assert.equal((await send(path, { method: "POST", ...init }))?.status, 403);
      assert.deepEqual(stopped, []);
    });
  }
  test("is never done by GET", async () => {
    assert.equal((await send(path))?.status, 404);
    assert.deepEqual(stopped, []);
  });
  test("says what is wrong, on the whole page without JavaScript", async () => {
    const response = await post("/dashboard/runs/boxer-2/stop", {});
    assert.equal(response?.status, 409);
    assert.match((await response?.text()) ?? "", /That run has ended already/);
    assert.equal(stopped.pop(), "boxer-2");
  });
  test("says why an image is not pulled or removed", async () => {
    const pulled = await post("/dashboard/images/pull", { image: "x<y" });
    assert.match((await pulled?.text()) ?? "", /The image x&lt;y is not allowed/);
    assert.equal(pulled?.status, 400);
    const removed = await post("/dashboard/images/remove", { digest: "sha256:0" }, { "hx-request": "true" });
    assert.match((await removed?.text()) ?? "", /The image is in use; it is kept/);
  });
  test("is bounded: a form that is too large is refused", async () => {
    assert.equal((await post("/dashboard/try", { code: "x".repeat(20_000) }))?.status, 413);
  });
});

describe("with a token", () => {
  const { send, post } = dashboard({}, { auth: "token", token: TOKEN });
  test("nothing is shown before it is given, styles excepted", async () => {
    for (const path of ["", "/runs", "/fragments/active", "/events", "/try", "/images"]) {
      const response = await send(`/dashboard${path}`);
      assert.equal(response?.status, 401, path);
      assert.doesNotMatch((await response?.text()) ?? "", /Active sandboxes|csrf/);
    }
    assert.equal((await post("/dashboard/images/prune", {}))?.status, 401);
    assert.equal((await send("/dashboard/assets/dashboard.css"))?.status, 200);
  });
  test("an open page loads itself again when its session has ended", async () => {
    const response = await send("/dashboard/fragments/active", { headers: { "hx-request": "true" } });
    assert.equal(response?.headers.get("hx-refresh"), "true");
  });
  test("the right one begins a session, a wrong one does not, and logging out ends it", async () => {
    const wrong = await post("/dashboard/login", { token: "wrong" });
    assert.deepEqual([wrong?.status, wrong?.headers.get("set-cookie")], [401, null]);
    assert.equal(
      (await post("/dashboard/login", { token: TOKEN }, { origin: "http://evil.example" }))?.status,
      403,
    );
    const right = await post("/dashboard/login", { token: TOKEN });
    const cookie = right?.headers.get("set-cookie")?.split(";")[0] ?? "";
    assert.equal((await send("/dashboard", { headers: { cookie } }))?.status, 200);
    const out = await post("/dashboard/logout", {}, { cookie });
    assert.match(out?.headers.get("set-cookie") ?? "", /=; Path=\/; Max-Age=0/);
  });
});

test("by another name than that of this machine it is not shown, and says how to change that", async () => {
  const { send } = dashboard();
  const response = await send("/dashboard", { headers: { host: "boxer.example" } });
  assert.equal(response?.status, 403);
  assert.match((await response?.text()) ?? "", /&quot;auth&quot;: &quot;token&quot;/);
  assert.equal(await send("/", { headers: { host: "boxer.example" } }), undefined);
});

test("user and password are asked for by the browser itself", async () => {
  const { send } = dashboard({}, { auth: "basic", user: "op", password: "12345678" });
  const response = await send("/dashboard");
  assert.equal(response?.status, 401);
  assert.match(response?.headers.get("www-authenticate") ?? "", /^Basic realm=/);
  assert.equal(
    (await send("/dashboard", { headers: { authorization: `Basic ${btoa("op:12345678")}` } }))?.status,
    200,
  );
});

test("tokens that are guessed at the form are answered with a wait", async () => {
  const { send, post } = dashboard({}, { auth: "token", token: TOKEN });
  const statuses = [];
  for (let count = 0; count < 6; count += 1) {
    statuses.push((await post("/dashboard/login", { token: "wrong" }))?.status);
  }
  assert.deepEqual(statuses, [401, 401, 401, 401, 401, 429]);
  const right = await post("/dashboard/login", { token: TOKEN });
  assert.deepEqual([right?.status, right?.headers.get("retry-after")], [429, "1"]);
  assert.equal((await send("/dashboard"))?.status, 401);
});
