import assert from "node:assert/strict";
import { test } from "node:test";
import { complainOfDashboard, completeDashboard, hideSecrets } from "../../src/config/dashboard-access.ts";
import { parseConfig } from "../../src/config/load-config.ts";

const TOKEN = "a-long-random-secret";

test("without a word of it nobody is asked, which is no choice of none", () => {
  assert.equal(completeDashboard(undefined).auth, undefined);
  assert.equal(completeDashboard({ auth: "none" }).auth, "none");
});

test("a secret alone says how it is meant", () => {
  assert.equal(completeDashboard({ token: TOKEN }).auth, "token");
  assert.equal(completeDashboard({ user: "op", password: "12345678" }).auth, "basic");
});

test("an auth without its secret is complained of by the key that is missing", () => {
  const complaint = (dashboard: object) => complainOfDashboard(completeDashboard(dashboard)) ?? "";
  assert.match(complaint({ auth: "token" }), /^dashboard\.token /);
  assert.match(complaint({ auth: "basic", password: "12345678" }), /^dashboard\.user /);
  assert.match(complaint({ auth: "basic", user: "op" }), /^dashboard\.password /);
  assert.equal(complaint({ auth: "basic", user: "op", password: "12345678" }), "");
  assert.equal(complaint({}), "");
});

test("a configuration that asks for a token and has none stops the start", () => {
  assert.throws(
    () => parseConfig('{"dashboard":{"auth":"token"}}', "x.json", "/root"),
    /x\.json: dashboard\.token/,
  );
});

test("a configuration that is shown does not show its secrets", () => {
  const shown = JSON.stringify(
    parseConfig(JSON.stringify({ dashboard: { token: TOKEN } }), "x.json", "/root"),
    hideSecrets,
  );
  assert.ok(!shown.includes(TOKEN));
  assert.ok(shown.includes('"token":"(hidden)"'));
});
