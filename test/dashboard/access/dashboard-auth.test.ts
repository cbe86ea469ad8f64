import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { completeDashboard } from "../../../src/config/dashboard-access.ts";
import { DashboardAuth, isSame } from "../../../src/dashboard/access/dashboard-auth.ts";

const TOKEN = "a-long-random-secret";
const LOOPBACK = { hostname: "127.0.0.1", port: 8080 };
const EVERYWHERE = { hostname: undefined, port: 8080 };

function check(
  config: Parameters<typeof completeDashboard>[0],
  headers: Record<string, string>,
  listen = LOOPBACK as object,
) {
  return new DashboardAuth(completeDashboard(config), listen as typeof LOOPBACK).check(
    new Headers(headers),
    "10.0.0.1",
  );
}

describe("without a configuration only this machine is served", () => {
  const local = ["127.0.0.1:8080", "localhost", "LOCALHOST:1", "[::1]:8080", "127.1.2.3"];
  for (const host of local) test(`${host} is`, () => assert.equal(check(undefined, { host }), "granted"));
  const others = [
    "boxer.example",
    "127.0.0.1.evil.example:8080",
    "10.0.0.1",
    "127.example",
    "[::2]",
    "x@127.0.0.1",
    "",
  ];
  for (const host of others) {
    test(`${host || "an empty name"} is not`, () =>
      assert.equal(check(undefined, { host }), "not_configured"));
  }
  for (const header of ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"]) {
    test(`nor is what a proxy passes on (${header})`, () => {
      assert.equal(check(undefined, { host: "127.0.0.1:8080", [header]: "x" }), "not_configured");
    });
  }
  test("a server beyond loopback serves nobody", () => {
    assert.equal(check(undefined, { host: "127.0.0.1:8080" }, EVERYWHERE), "not_configured");
  });
});

test("none, when it is said, is for everybody", () => {
  assert.equal(
    check({ auth: "none" }, { host: "boxer.example", "x-forwarded-for": "1.2.3.4" }, EVERYWHERE),
    "granted",
  );
});

describe("a token", () => {
  const config = { auth: "token", token: TOKEN } as const;
  test("is asked for on loopback as well", () =>
    assert.equal(check(config, { host: "127.0.0.1" }), "log_in"));
  test("is taken as a bearer's", () =>
    assert.equal(check(config, { authorization: `Bearer ${TOKEN}` }), "granted"));
  for (const authorization of [
    "Bearer ",
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(0, -1)}`,
    `Basic ${btoa(TOKEN)}`,
  ]) {
    test(`${authorization} is none`, () => assert.equal(check(config, { authorization }), "log_in"));
  }
  test("begins a session, which ends with its time, and is of one process", () => {
    let now = 1_000;
    const auth = new DashboardAuth(completeDashboard(config), EVERYWHERE, () => now);
    const setCookie = auth.newSession(true);
    assert.match(setCookie, /; HttpOnly; SameSite=Strict; Secure$/);
    const cookie = setCookie.split(";")[0] ?? "";
    assert.equal(auth.check(new Headers({ cookie }), "a"), "granted");
    assert.equal(auth.check(new Headers({ cookie: `other=1; ${cookie}` }), "a"), "granted");
    assert.equal(
      new DashboardAuth(completeDashboard(config), EVERYWHERE, () => now).check(new Headers({ cookie }), "a"),
      "log_in",
    );
    const [, later = ""] = /=(\d+)\./.exec(cookie) ?? [];
    const forged = cookie.replace(later, String(Number(later) + 1));
    assert.equal(auth.check(new Headers({ cookie: forged }), "a"), "log_in");
    now += 13 * 3_600_000;
    assert.equal(auth.check(new Headers({ cookie }), "a"), "log_in");
  });
  test("is not an empty text when none is configured", () => {
    const auth = new DashboardAuth(
      { auth: "token", token: undefined, user: undefined, password: undefined },
      LOOPBACK,
    );
    assert.deepEqual([auth.logIn("", "a"), auth.logIn("undefined", "a")], ["log_in", "log_in"]);
  });
});

describe("user and password", () => {
  const config = { auth: "basic", user: "op", password: "pässword:1" } as const;
  const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString("base64")}` });
  test("are taken", () => assert.equal(check(config, basic("op:pässword:1")), "granted"));
  for (const text of ["op:x", "x:pässword:1", ":", "op", "undefined:undefined"]) {
    test(`${text} are none`, () => assert.equal(check(config, basic(text)), "challenge"));
  }
});

describe("who guesses", () => {
  const cases = [
    [{ auth: "token", token: TOKEN }, `Bearer ${TOKEN}`, "Bearer x", "log_in"],
    [
      { auth: "basic", user: "op", password: "password" },
      `Basic ${btoa("op:password")}`,
      "Basic eDp5",
      "challenge",
    ],
  ] as const;
  for (const [config, right, wrong, refused] of cases) {
    test(`a ${config.auth} has to wait, for what is right as well, while others and sessions do not`, () => {
      let now = 1_000_000;
      const auth = new DashboardAuth(completeDashboard(config), EVERYWHERE, () => now);
      const check = (authorization: string, client: string) =>
        auth.check(new Headers({ authorization }), client);
      for (let count = 0; count < 5; count += 1) assert.equal(check(wrong, "mallory"), refused);
      assert.deepEqual([check(right, "mallory"), check(right, "ada")], ["slow_down", "granted"]);
      const cookie = auth.newSession(false).split(";")[0] ?? "";
      if (config.auth === "token")
        assert.equal(auth.check(new Headers({ cookie, authorization: wrong }), "mallory"), "granted");
      now += auth.wait_ms("mallory");
      assert.equal(check(right, "mallory"), "granted");
      assert.equal(check(wrong, "mallory"), refused);
      assert.equal(check(right, "mallory"), "granted");
    });
  }
  test("a request without a secret is no guess", () => {
    const auth = new DashboardAuth(completeDashboard({ auth: "token", token: TOKEN }), EVERYWHERE);
    for (let count = 0; count < 20; count += 1) assert.equal(auth.check(new Headers(), "a"), "log_in");
    assert.equal(auth.logIn(TOKEN, "a"), "granted");
  });
});

test("texts of every length are compared", () => {
  assert.deepEqual(
    [isSame("", ""), isSame("a", "a"), isSame("a", ""), isSame("a", "ab")],
    [true, true, false, false],
  );
});
