import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Browser, Locator } from "playwright-core";
import { addRecords } from "../../scripts/bench/grow-records.ts";
import { launchBrowser, openWatched } from "../support/browser.ts";
import { noChromium } from "../support/fixtures.ts";
import { until } from "../support/leftovers.ts";
import { type RunAnswer, startTestService, type TestService } from "../support/service.ts";

const RUNS = 200;
const RECORDS = 10_000;
/** As many as a page of runs has. */
const PAGE = 50;

describe(`the dashboard of ${RUNS} runs and ${RECORDS} records in a browser`, { skip: noChromium }, () => {
  let service: TestService;
  let browser: Browser;
  const runs: Promise<RunAnswer>[] = [];
  const submit = () =>
    runs.push(service.run({ cmd: ["sleep", "3600"], limits: { wall_clock_secs: 3_600, memory_mb: 64 } }));
  before(async () => {
    const config = { max_concurrent_runs: 2, run_records_max: 2 * RECORDS };
    service = await startTestService(config, (home) => addRecords(home, RECORDS));
    browser = await launchBrowser();
    await service.run({ cmd: ["sh", "-c", "exit 3"] });
    for (let number = 0; number < RUNS; number += 1) submit();
    await until(() => service.runner.active().length === RUNS);
  });
  after(async () => {
    await browser.close();
    service.runner.stopAll();
    await Promise.all(runs);
    await service.stop();
  });

  const open = (path: string) => openWatched(browser, service.url + path);
  const becomes = (rows: Locator, count: number) => until(async () => (await rows.count()) === count);

  it("shows every run, stops one that waits and one that runs, and shows one that comes", async () => {
    const { page, complaints, foreign } = await open("/dashboard");
    await page.locator("#live.is-live").waitFor();
    const rows = page.locator("#active tbody tr");
    await becomes(rows, RUNS);
    for (const [phase, left] of [
      ["queued", RUNS - 1],
      ["running", RUNS - 2],
    ] as const) {
      const row = rows.filter({ has: page.locator(".badge", { hasText: phase }) }).last();
      const id = await row.getAttribute("id");
      await row.locator("button").click();
      await becomes(rows, left);
      assert.equal(await page.locator(`[id="${id}"]`).count(), 0);
    }
    await page.locator("#runs tbody tr", { hasText: "canceled" }).nth(1).waitFor();
    submit();
    await becomes(rows, RUNS - 1);
    assert.deepEqual([complaints, foreign], [[], []]);
    await page.close();
  });

  it("leaves alone what somebody types while the rows change", async () => {
    const { page, complaints } = await open("/dashboard");
    await page.locator("#live.is-live").waitFor();
    const rows = page.locator("#active tbody tr");
    await page.locator("#filter-image").pressSequentially("local/busy");
    const last = await rows.last().getAttribute("id");
    assert.ok(service.runner.stop(last?.replace("run-", "") ?? ""));
    await page.locator(`[id="${last}"]`).waitFor({ state: "detached" });
    await page.locator(`[id="${last?.replace("run-", "record-")}"]`).waitFor();
    await page.keyboard.type("box:1");
    assert.equal(await page.inputValue("#filter-image"), "local/busybox:1");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/dashboard\/runs\?.*image=local%2Fbusybox%3A1/);
    await becomes(page.locator("#runs tbody tr"), PAGE);
    assert.deepEqual(complaints, []);
    await page.close();
  });

  it("filters, and turns the pages of the records", async () => {
    const { page, complaints } = await open("/dashboard/runs");
    await page.locator("#live.is-live").waitFor();
    const rows = page.locator("#runs tbody tr");
    await page.selectOption("#filter-status", "nonzero_exit");
    await page.click("text=Filter");
    await page.waitForURL(/status=nonzero_exit/);
    assert.equal(await rows.count(), 1);
    await page.click("text=Clear");
    await page.waitForURL(/\/dashboard\/runs$/);
    const seen = new Set<string | null>();
    for (let turn = 1; turn <= 3; turn += 1) {
      await becomes(rows, PAGE);
      for (const row of await rows.all()) seen.add(await row.getAttribute("id"));
      assert.equal(seen.size, turn * PAGE);
      await page.click("text=Older runs");
      await page.waitForURL(/before=/);
      await page.waitForFunction((id) => !document.getElementById(id ?? ""), [...seen].at(-1));
    }
    assert.deepEqual(complaints, []);
    await page.close();
  });
});
