import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Browser } from "playwright-core";
import { launchBrowser, openWatched } from "../support/browser.ts";
import { noChromium } from "../support/fixtures.ts";
import { startTestService, type TestService } from "../support/service.ts";

describe("Swagger UI in a browser", { skip: noChromium }, () => {
  let service: TestService;
  let browser: Browser;
  before(async () => {
    service = await startTestService();
    browser = await launchBrowser();
  });
  after(async () => {
    await browser.close();
    await service.stop();
  });

  it("works offline under the strict policy: no complaint, no request elsewhere", async () => {
    const { page, complaints, foreign } = await openWatched(browser, `${service.url}/swagger`);
    await page.locator(".opblock").first().waitFor();
    const { paths } = await (await service.fetch("/swagger/json")).json();
    const operations = Object.values<object>(paths).flatMap((path) => Object.keys(path));
    assert.ok(operations.length > 0);
    assert.equal(await page.locator(".opblock").count(), operations.length);
    assert.deepEqual([complaints, foreign], [[], []]);
    await page.close();
  });

  it("runs the example of POST /run by Try it out, as it stands", async () => {
    const { page, complaints } = await openWatched(browser, `${service.url}/swagger`);
    await page.locator("#operations-run-postRun .opblock-summary-control").click();
    await page.locator("#operations-run-postRun .execute").click();
    const answer = page
      .locator("#operations-run-postRun .live-responses-table .response-col_description pre")
      .first();
    await answer.waitFor();
    assert.match((await answer.textContent()) ?? "", /"stdout": "42\\n"/);
    assert.equal(
      await page
        .locator("#operations-run-postRun .live-responses-table .response-col_status")
        .last()
        .textContent(),
      "200",
    );
    assert.deepEqual(complaints, []);
    await page.close();
  });
});

describe("the OpenAPI document", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService();
  });
  after(() => service.stop());

  it("has request examples that run as they stand", async () => {
    const document = await (await service.fetch("/swagger/json")).json();
    const schema = document.paths["/run"].post.requestBody.content["application/json"].schema;
    assert.ok(schema.examples.length > 0);
    for (const example of schema.examples) {
      const { status, body } = await service.run(example);
      assert.deepEqual([status, body.exit_code], [200, 0], JSON.stringify(body));
    }
  });

  it("documents every operation with a summary and every response with an example", async () => {
    const document = await (await service.fetch("/swagger/json")).json();
    assert.equal(document.openapi, "3.1.2");
    for (const [path, operations] of Object.entries<Record<string, never>>(document.paths)) {
      for (const [method, operation] of Object.entries<{ summary?: string; responses: object }>(operations)) {
        assert.ok(operation.summary, `${method} ${path} has no summary`);
        assert.ok(Object.keys(operation.responses).length > 0, `${method} ${path} has no responses`);
      }
    }
  });
});
