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

  it("reads nothing: not runs, not files, however its script asks", { skip: noChromium }, async () => {
    const { body: run } = await service.run({ cmd: ["sh", "-c", "echo secret >/output/x"], persist: true });
    const browser = await launchBrowser("--host-resolver-rules=MAP evil.example 127.0.0.1");
    try {
      const page = await browser.newPage();
      await page.goto(`${service.url.replace("127.0.0.1", "evil.example")}/healthz`);
      const paths = ["/runs", `/runs/${run.exec_id}`, `/files?path=output/${run.exec_id}/x`, "/files/list"];
      paths.push(
        "/files/archive?prefix=output",
        "/images",
        "/readyz",
        "/swagger/json",
        "/dashboard/events",
        "/",
      );
      const statuses = await page.evaluate(async (paths) => {
        // What a script can do to look like a program.
        const headers = {
          "accept-language": "",
          accept: "",
          "user-agent": "curl/8",
          via: "1.1 x",
          "x-forwarded-for": "10.0.0.1",
        };
        const asked = paths.flatMap((path) => [
          fetch(path),
          fetch(path, { headers, referrerPolicy: "no-referrer" }),
          fetch(path, { method: "HEAD" }),
        ]);
        return (await Promise.all(asked)).map(({ status }) => status);
      }, paths);
      assert.deepEqual(new Set(statuses), new Set([403]));
      // The same browser may by the machine's own name.
      const own = await page.goto(`${service.url}/files?path=output/${run.exec_id}/x`).catch(String);
      assert.match(String(own), /Download is starting/);
      assert.equal((await page.goto(`${service.url}/runs`))?.status(), 200);
    } finally {
      await browser.close();
    }
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
    const reading = send({ host: "127.0.0.1", port, path: "/runs", headers: { host: headers.host } });
    reading.end();
    const [answer] = await once(reading, "response");
    answer.resume();
    assert.equal(answer.statusCode, 200);
  });
});
