import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connectionOf } from "../../src/http/connections.ts";
import { guard } from "../../src/http/guard.ts";

const connection = { remoteAddress: "127.0.0.1", keepAlive() {} };
const EVERYWHERE = { listen: { hostname: undefined, port: 8080 }, dashboard: { auth: undefined } };
const handler = guard(() => Response.json({}), EVERYWHERE);
const from = (site: string | null, method = "POST") =>
  handler(
    new Request("http://localhost/", { method, headers: site === null ? {} : { "sec-fetch-site": site } }),
    connection,
  );

describe("the guard before all routes", () => {
  it("gives every answer the security headers", async () => {
    const { headers } = await from(null, "GET");
    assert.match(headers.get("content-security-policy") ?? "", /^default-src 'self';/);
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.equal(headers.get("referrer-policy"), "no-referrer");
  });

  it("refuses changes asked for by pages of another site, and of another origin of this site", async () => {
    for (const site of ["cross-site", "same-site"]) {
      for (const method of ["POST", "DELETE", "PUT"]) {
        const response = await from(site, method);
        assert.deepEqual([response.status, (await response.json()).code], [403, "cross_site"]);
        assert.ok(response.headers.has("content-security-policy"));
      }
    }
  });

  it("lets own pages, address bars and programs through, and all who only read", async () => {
    for (const site of ["same-origin", "none", null]) assert.equal((await from(site)).status, 200);
    assert.equal((await from("cross-site", "GET")).status, 200);
  });

  it("remembers the connection of a request", async () => {
    let seen: unknown;
    const handler = guard((request) => {
      seen = connectionOf(request);
      return new Response();
    }, EVERYWHERE);
    await handler(new Request("http://localhost/"), connection);
    assert.equal(seen, connection);
  });
});
