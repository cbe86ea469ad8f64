import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import type { Browser } from "playwright-core";
import { launchBrowser } from "../support/browser.ts";
import { noChromium } from "../support/fixtures.ts";
import { BUSYBOX, startTestService, type TestService } from "../support/service.ts";

describe("a page of another origin", { skip: noChromium }, () => {
  let service: TestService;
  let browser: Browser;
  let evil: Server;
  before(async () => {
    service = await startTestService();
    // The machine has an address of ours and one of another site's.
    browser = await launchBrowser("--host-resolver-rules=MAP evil.example 127.0.0.1");
    evil = createServer((_, response) => {
      response.writeHead(200, { "content-type": "text/html" });
      response.end("<form method=post></form>");
    });
    evil.listen(0, "127.0.0.1");
    await once(evil, "listening");
  });
  after(async () => {
    await browser.close();
    evil.closeAllConnections();
    evil.close();
    await service.stop();
  });

  const forms = [
    ["/images/prune?all=true", {}],
    ["/images/pull", { image: "127.0.0.1:1/evil:1" }],
    ["/files", { path: "workspace/x", file: "x" }],
    ["/run", { [`{"image":"${BUSYBOX}","cmd":["true"],"x":"`]: `"}` }],
    ["/dashboard/images/prune", {}],
    ["/dashboard/try", { image: BUSYBOX, command: "true" }],
  ] as const;
  for (const host of ["127.0.0.1", "localhost", "evil.example"]) {
    for (const [path, fields] of forms) {
      it(`of ${host} cannot send a form to ${path}`, async () => {
        const page = await browser.newPage();
        await page.goto(`http://${host}:${(evil.address() as AddressInfo).port}/`);
        const [response] = await Promise.all([
          page.waitForResponse((each) => each.url() === service.url + path),
          page.evaluate(
            ({ action, fields, enctype }) => {
              const form = document.querySelector("form") as HTMLFormElement;
              Object.assign(form, { action, enctype });
              for (const [name, value] of Object.entries(fields)) {
                form.append(Object.assign(document.createElement("input"), { name, value }));
              }
              form.submit();
            },
            {
              action: service.url + path,
              fields: fields as Record<string, string>,
              enctype: path === "/run" ? "text/plain" : "multipart/form-data",
            },
          ),
        ]);
        assert.equal(response.status(), 403);
        await page.close();
      });
    }
  }

  it("has changed nothing by that", async () => {
    const images = JSON.stringify(await (await service.fetch("/images")).json());
    assert.ok(images.includes(BUSYBOX));
    assert.deepEqual((await (await service.fetch("/runs")).json()).runs, []);
  });
});
