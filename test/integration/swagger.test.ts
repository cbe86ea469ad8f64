import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Browser } from "playwright-core";
import { STATUS_OF } from "../../src/http/errors.ts";
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
    const { network_sandbox } = await (await service.fetch("/readyz")).json();
    for (const example of schema.examples) {
      const { status, body } = await service.run(example);
      if (example.network === "sandbox" && !network_sandbox.available) {
        assert.deepEqual([status, body.code], [400, "network_unavailable"]);
        continue;
      }
      assert.deepEqual([status, body.exit_code], [200, 0], JSON.stringify(body));
    }
  });

  it("documents every operation with a summary and every response with an example", async () => {
    const document = await (await service.fetch("/swagger/json")).json();
    assert.equal(document.openapi, "3.1.2");
    for (const { name, summary, responses } of operationsOf(document)) {
      assert.ok(summary, `${name} has no summary`);
      assert.ok(Object.keys(responses).length > 0, `${name} has no responses`);
      for (const [status, { content = {} }] of Object.entries(responses)) {
        for (const { examples = {} } of Object.values(content)) {
          assert.ok(Object.keys(examples).length > 0, `${name} has no example of ${status}`);
        }
      }
    }
  });

  it("documents every code under its status, and what pages of other sites are answered", async () => {
    const operations = operationsOf(await (await service.fetch("/swagger/json")).json());
    const documented = operations.flatMap((operation) => codesOf(operation));
    for (const [code, status] of Object.entries(STATUS_OF)) {
      assert.ok(documented.includes(`${status} ${code}`), `${status} ${code}`);
    }
    for (const operation of operations) {
      assert.ok(codesOf(operation).includes("403 cross_site"), operation.name);
    }
  });
});

interface Operation {
  readonly name: string;
  readonly summary?: string;
  readonly responses: Record<string, { content?: Record<string, { examples?: Record<string, Example> }> }>;
}

interface Example {
  readonly value: { readonly code?: string };
}

function operationsOf(document: {
  paths: Record<string, Record<string, Omit<Operation, "name">>>;
}): Operation[] {
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ ...operation, name: `${method} ${path}` })),
  );
}

/** Status and code of each example of an error. */
function codesOf({ responses }: Operation): string[] {
  return Object.entries(responses).flatMap(([status, { content = {} }]) =>
    Object.values(content)
      .flatMap(({ examples = {} }) => Object.values(examples))
      .map(({ value }) => `${status} ${value.code}`),
  );
}
