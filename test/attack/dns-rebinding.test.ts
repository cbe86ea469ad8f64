import assert from "node:assert/strict";
import { once } from "node:events";
import { request as send } from "node:http";
import { after, before, describe, it } from "node:test";
import { launchBrowser } from "../support/browser.ts";
import { noChromium } from "../support/fixtures.ts";
import { BUSYBOX, startTestService, type TestService } from "../support/service.ts";

describe("a page whose name is pointed at this machine", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService();
  });
  after(() => service.stop());

  const hasImage = async () =>
    JSON.stringify(await (await service.fetch("/images")).json()).includes(BUSYBOX);

  it("gets its browser to change nothing: not by script, not by form", { skip: noChromium }, async () => {
    const browser = await launchBrowser("--host-resolver-rules=MAP evil.example 127.0.0.1");
    try {
      const page = await browser.newPage();
      const origin = service.url.replace("127.0.0.1", "evil.example");
      // Any document of that origin will do; Chromium would not let one through that came from another address.
      await page.goto(`${origin}/swagger/json`);
      const statuses = await page.evaluate(async (image) => {
        const headers = { "content-type": "application/json", "x-forwarded-host": "boxer.example" };
        const body = JSON.stringify({ image, cmd: ["true"] });
        const ask = async (path: string, init: object) => (await fetch(path, init)).status;
        return [
          await ask("/run", { method: "POST", headers, body }),
          await ask("/run", { method: "POST", headers, body, referrerPolicy: "no-referrer" }),
          await ask("/images/prune", { method: "POST" }),
          await ask(`/images?reference=${encodeURIComponent(image)}`, { method: "DELETE" }),
        ];
      }, BUSYBOX);
      assert.deepEqual(statuses, [403, 403, 403, 403]);
      const [response] = await Promise.all([
        page.waitForNavigation(),
        page.evaluate(() => {
          const form = document.createElement("form");
          Object.assign(form, { method: "post", action: "/images/prune?all=true" });
          document.body.append(form);
          form.submit();
        }),
      ]);
      assert.equal(response?.status(), 403);
      assert.equal((await page.goto(`${origin}/dashboard`))?.status(), 403);
    } finally {
      await browser.close();
    }
    assert.ok(await hasImage());
  });

  it("is not mistaken for a program that calls the server by a name of its own", async () => {
    const { port } = new URL(service.url);
    const body = JSON.stringify({ image: BUSYBOX, cmd: ["true"] });
    const headers = { host: `boxer.internal:${port}`, "content-type": "application/json" };
    const request = send({ host: "127.0.0.1", port, path: "/run", method: "POST", headers });
    request.end(body);
    const [response] = await once(request, "response");
    response.resume();
    assert.equal(response.statusCode, 200);
  });
});
