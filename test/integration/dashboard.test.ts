import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import type { Browser, Page } from "playwright-core";
import { launchBrowser, openWatched } from "../support/browser.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";
import {
  busyboxLayout,
  noChromium,
  noRegistry,
  startRegistry,
  type TestRegistry,
} from "../support/fixtures.ts";
import { until } from "../support/leftovers.ts";
import { noCgroups } from "../support/no-cgroups.ts";
import { BUSYBOX, PYTHON, startTestService, type TestService } from "../support/service.ts";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const XSS = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`;

/** What axe-core finds that keeps people out. */
async function seriousIssues(page: Page): Promise<string[]> {
  // A tag would be refused by the page's policy; the debugger's way of adding code is not.
  const { readFile } = await import("node:fs/promises");
  await page.evaluate(await readFile(AXE, "utf8"));
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> };
    };
    const { violations } = await axe.run();
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ")}`);
  });
}

describe("the dashboard in a browser", { skip: noChromium }, () => {
  let service: TestService;
  let browser: Browser;
  before(async () => {
    service = await startTestService({ ignore_cgroups: noCgroups() !== false, max_concurrent_runs: 4 });
    browser = await launchBrowser();
  });
  after(async () => {
    await browser.close();
    await service.stop();
  });

  const open = (path: string, options: object = {}) => openWatched(browser, service.url + path, options);
  const sleeper = (secs: number) => service.run({ cmd: ["sleep", String(secs)] });

  it("is where the root leads to", async () => {
    const response = await service.fetch("/", { redirect: "manual" });
    assert.deepEqual([response.status, response.headers.get("location")], [303, "/dashboard"]);
  });

  it("shows sandboxes as they come, stops one of them, and then its record, without a reload", async () => {
    const { page, complaints, foreign } = await open("/dashboard");
    await page.locator("#live.is-live").waitFor();
    const runs = [
      sleeper(30),
      sleeper(30),
      service.run({ image: PYTHON, cmd: ["python3", "-c", "while True: pass"] }),
    ];
    await page.locator("#active tbody tr").nth(2).waitFor();
    await page.locator("#active .badge", { hasText: "running" }).nth(2).waitFor();
    if (noCgroups() === false) {
      await page
        .locator("#active tr", { hasText: "python3" })
        .locator("td", { hasText: /^(0\.[1-9]|[1-9]\.)\d/ })
        .waitFor();
    }
    for (const left of [2, 1, 0]) {
      await page.locator("#active tbody tr button").first().click();
      await until(async () => (await page.locator("#active tbody tr").count()) === left);
    }
    const answers = await Promise.all(runs);
    assert.deepEqual(
      answers.map(({ body }) => body.status),
      ["canceled", "canceled", "canceled"],
    );
    await page.locator("#runs .badge", { hasText: "canceled" }).nth(2).waitFor();
    assert.deepEqual([complaints, foreign], [[], []]);
    await page.close();
  });

  it("leads from a run in the list to its request, its result and where its time went", async () => {
    const { body } = await service.run({
      cmd: ["sh", "-c", "echo x >/output/made.txt; exit 3"],
      persist: true,
    });
    const { page, complaints, foreign } = await open(`/dashboard/runs?status=nonzero_exit`);
    await page.locator(`a[title="${body.exec_id}"]`).click();
    await page.locator(".segments .segment-run").waitFor();
    const text = (await page.locator("main").textContent()) ?? "";
    for (const expected of ["exit ≠ 0", "echo x >/output/made.txt", "made.txt"])
      assert.ok(text.includes(expected), text);
    const href = await page.locator("a[download]").getAttribute("href");
    assert.equal(await (await service.fetch(href ?? "")).text(), "x\n");
    assert.deepEqual([complaints, foreign], [[], []]);
    await page.close();
  });

  it("runs python from the form, shows colours as colours, and the same request as curl", async () => {
    const { page, complaints, foreign } = await open("/dashboard/try");
    await page.locator("#live.is-live").waitFor();
    await page.fill("#try-code", 'import os\nprint("\\x1b[31m6 * 7 =\\x1b[0m", 6 * 7, os.environ["WHO"])\n');
    await page.locator("summary").click();
    await page.fill("#try-env", "WHO=it's me");
    await page.click("text=Show as curl");
    await page.locator("#curl-text", { hasText: "WHO=it'\\''s me" }).waitFor();
    assert.equal(((await page.locator("#curl-text").textContent()) ?? "").split('"path"').length, 2);
    await page.click("button.primary");
    await page.locator("#try-result pre.output").waitFor();
    assert.equal(await page.locator("#try-result pre.output").textContent(), "6 * 7 = 42 it's me\n");
    assert.equal(await page.locator("#try-result pre .ansi-f1").textContent(), "6 * 7 =");
    assert.deepEqual([complaints, foreign], [[], []]);
    await page.close();
  });

  it("shows output as it comes: colours and characters whole, wherever they are cut", async () => {
    const { page, complaints, foreign } = await open("/dashboard/try");
    await page.locator("#live.is-live").waitFor();
    const parts = ["b'one \\x1b[3'", "b'1mr\\xc3'", "b'\\xa9d\\x1b[0m'", "b'<b>two</b>\\n'"];
    const code = [
      "import os, sys, time",
      `for part in [${parts.join(", ")}]:`,
      "    os.write(1, part); time.sleep(0.6)",
      "sys.stderr.write('waiting\\n'); sys.stderr.flush()",
      "time.sleep(60)",
    ];
    await page.fill("#try-code", code.join("\n"));
    await page.click("button.primary");
    const output = page.locator("#try-stdout");
    await page.locator("#try-stderr", { hasText: "waiting" }).waitFor();
    assert.equal(await page.locator("#try-result .running").count(), 1);
    assert.equal(await output.textContent(), "one réd<b>two</b>\n");
    assert.equal(await output.locator(".ansi-f1").textContent(), "réd");
    assert.equal(await output.locator("b").count(), 0);
    await page.click('#try-result button:text-is("Stop")');
    await page.locator("#try-result .badge", { hasText: "canceled" }).waitFor();
    assert.equal(await output.textContent(), "one réd<b>two</b>\n");
    assert.deepEqual([complaints, foreign], [[], []]);
    await page.close();
  });

  it("follows output that grows, and holds still for who has scrolled up", async () => {
    const { page } = await open("/dashboard/try");
    await page.locator("#live.is-live").waitFor();
    await page.fill(
      "#try-code",
      "import time\nfor n in range(600):\n    print('line', n, flush=True); time.sleep(0.02 if n > 60 else 0)\ntime.sleep(60)",
    );
    await page.click("button.primary");
    const output = page.locator("#try-stdout");
    const top = () => output.evaluate((element) => element.scrollTop);
    await until(async () => (await output.count()) === 1 && (await top()) > 0);
    await output.evaluate((element) => element.scrollTo(0, 0));
    const before = ((await output.textContent()) ?? "").length;
    await until(async () => ((await output.textContent()) ?? "").length > before + 100);
    assert.equal(await top(), 0);
    await page.click('#try-result button:text-is("Stop")');
    await page.locator("#try-result .badge", { hasText: "canceled" }).waitFor();
    await page.close();
  });

  it("shows output as it comes without JavaScript as well, on a page that is loaded again", async () => {
    const { page, complaints } = await open("/dashboard/try", { javaScriptEnabled: false });
    await page.fill("#try-code", "import time; print('so far', flush=True); time.sleep(60)");
    await page.click("button.primary");
    await page.waitForURL(/\/dashboard\/try\/[\w-]+$/);
    await page.locator("#try-stdout", { hasText: "so far" }).waitFor();
    // The page is loaded again by itself as well: only what somebody has clicked bears Sec-Fetch-User.
    const clicked = page.waitForRequest(
      async (request) => (await request.allHeaders())["sec-fetch-user"] === "?1",
    );
    await page.locator("#try-result a", { hasText: "Load it now" }).click();
    assert.equal((await clicked).url(), page.url());
    await page.locator("#try-stdout", { hasText: "so far" }).waitFor();
    await page.click('#try-result button:text-is("Stop")');
    await page.locator("#try-result .badge", { hasText: "canceled" }).waitFor();
    assert.deepEqual(complaints, []);
    await page.close();
  });

  it("shows what is wrong with a form, and what a guest that fails has said", async () => {
    const { page, complaints } = await open("/dashboard/try");
    await page.locator("#live.is-live").waitFor();
    await page.fill("#try-command", "echo 'open");
    await page.click("button.primary");
    await page.locator("#try-result .alert", { hasText: "is not closed" }).waitFor();
    await page.fill("#try-command", "python3 /work/main.py");
    await page.fill("#try-code", `print(${JSON.stringify(XSS)}); raise SystemExit(4)`);
    await page.click("button.primary");
    await page.locator("#try-result", { hasText: "exit code 4" }).waitFor();
    assert.equal(await page.locator("#try-result pre.output").first().textContent(), `${XSS}\n`);
    assert.notEqual(await page.title(), "owned");
    assert.deepEqual(complaints, []);
    await page.close();
  });

  it("stops a run of the form", async () => {
    const { page } = await open("/dashboard/try");
    await page.locator("#live.is-live").waitFor();
    await page.fill("#try-code", "import time; print('up', flush=True); time.sleep(60)");
    await page.click("button.primary");
    await page.locator("#try-result .running").waitFor();
    await page.goto(`${service.url}/dashboard`);
    await page.locator("#active tbody tr button").click();
    await page.locator("#active .empty").waitFor();
    await page.close();
  });

  it("works without JavaScript: forms post and come back, filters and links lead on", async () => {
    const { page, complaints } = await open("/dashboard/try", { javaScriptEnabled: false });
    await page.fill("#try-code", "print(6 * 7)");
    await page.click("button.primary");
    await page.waitForURL(/\/dashboard\/try\/[\w-]+$/);
    await until(async () => {
      await page.reload();
      return (await page.locator("pre.output").count()) > 0;
    });
    assert.equal(await page.locator("pre.output").textContent(), "42\n");
    const waiting = sleeper(60);
    await until(async () => {
      await page.goto(`${service.url}/dashboard`);
      return (await page.locator("#active tbody tr").count()) === 1;
    });
    await page.locator("#active tbody tr button").click();
    await page.waitForURL(/\/dashboard#active$/);
    assert.equal((await waiting).body.status, "canceled");
    await page.goto(`${service.url}/dashboard/runs`);
    await page.selectOption("#filter-status", "canceled");
    await page.click("text=Filter");
    await page.waitForURL(/status=canceled/);
    const badges = await page.locator("#runs tbody .badge").allTextContents();
    assert.ok(badges.length > 0 && badges.every((badge) => badge === "canceled"), badges.join());
    await page.locator("#runs tbody a").first().click();
    await page.waitForURL(/\/dashboard\/runs\/boxer-/);
    assert.deepEqual(complaints, []);
    await page.click('nav a:text-is("Images")');
    await page.fill("#pull-image", "No Image");
    await page.click('#images button:text-is("Pull")');
    await page.locator("#images .alert").waitFor();
    await page.close();
  });

  it("keeps what guests and clients write inert, wherever it shows", async () => {
    const command = service.run({ cmd: ["sh", "-c", "sleep 60", XSS], env: [`${XSS}=1`] });
    const { page, complaints, foreign } = await open("/dashboard");
    await page.locator("#active code", { hasText: "onerror" }).waitFor();
    for (const { exec_id } of service.runner.active()) service.runner.stop(exec_id);
    const { body } = await command;
    await page.locator("#runs code", { hasText: "onerror" }).waitFor();
    await service.run({ image: `local/${XSS}` });
    await page.goto(`${service.url}/dashboard/runs/${body.exec_id}`);
    await page.goto(`${service.url}/dashboard/runs?image=${encodeURIComponent(XSS)}`);
    assert.equal(await page.inputValue("#filter-image"), XSS);
    await page.goto(`${service.url}/dashboard/try`);
    assert.equal(await page.locator("img, main script").count(), 0);
    assert.deepEqual([complaints, foreign], [[], []]);
    await page.close();
  });

  it("has nothing that keeps people out, in light and dark, wide and narrow", async () => {
    const { body } = await service.run({ cmd: ["true"] });
    const running = service.run({ cmd: ["sleep", "600"], limits: { wall_clock_secs: 600 } });
    for (const colorScheme of ["light", "dark"]) {
      for (const width of [1400, 380]) {
        for (const path of [
          "/dashboard",
          "/dashboard/runs",
          "/dashboard/images",
          "/dashboard/try",
          `/dashboard/runs/${body.exec_id}`,
        ]) {
          const { page } = await open(path, { colorScheme, viewport: { width, height: 900 } });
          assert.deepEqual(await seriousIssues(page), [], `${path} ${colorScheme} ${width}`);
          const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          assert.ok(overflow <= 0, `${path} is ${overflow} px wider than ${width}`);
          await page.close();
        }
      }
    }
    const { page } = await open("/dashboard");
    for (const width of [1181, 1180, 941, 940, 600]) {
      await page.setViewportSize({ width, height: 900 });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `the overview is ${overflow} px wider than ${width}`);
    }
    await page.locator("#active tbody tr button").click();
    await page.close();
    assert.equal((await running).body.status, "canceled");
  });

  it("is reached by the keyboard alone: the first stop is the way past the navigation", async () => {
    const { page } = await open("/dashboard");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Skip to content");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    assert.ok(await page.evaluate(() => document.querySelector("main")?.contains(document.activeElement)));
    await page.close();
  });
});

describe("images on the dashboard", { skip: noChromium || noRegistry }, () => {
  let service: TestService;
  let browser: Browser;
  let registry: TestRegistry;
  let proxy: FaultProxy;
  before(async () => {
    registry = await startRegistry();
    await registry.push(busyboxLayout, "some/busybox:1");
    proxy = await startFaultProxy(registry.host);
    service = await startTestService();
    browser = await launchBrowser();
  });
  after(async () => {
    await browser.close();
    await service.stop();
    await proxy.stop();
    await registry.stop();
  });

  it("pulls with a progress bar, shows the image, and removes it", async () => {
    const { page, complaints, foreign } = await openWatched(browser, `${service.url}/dashboard`);
    await page.locator("#live.is-live").waitFor();
    const name = `${proxy.host}/some/busybox:1`;
    proxy.faults.push(...Array.from({ length: 3 }, () => ({ kind: "delay" as const, duration_ms: 1_200 })));
    // An image of the same digest is here already, under a name of its own.
    await service.fetch(`/images?reference=${encodeURIComponent(BUSYBOX)}`, { method: "DELETE" });
    await page.locator("#images tbody tr").nth(0).waitFor();
    await page.fill("#pull-image", name);
    await page.click('#images button:text-is("Pull")');
    await page.locator("#images progress").waitFor();
    const row = page.locator("#images tbody tr", { hasText: name });
    await row.waitFor();
    page.on("dialog", (dialog) => void dialog.accept());
    await row.locator("button").click();
    await row.waitFor({ state: "detached" });
    assert.deepEqual([complaints, foreign], [[], []]);
    await page.close();
  });

  it("keeps what a registry says of an error inert", async () => {
    const { page, complaints, foreign } = await openWatched(browser, `${service.url}/dashboard/images`);
    await page.locator("#live.is-live").waitFor();
    const evil = createServer((request, response) => {
      const isPing = request.url === "/v2/";
      response.writeHead(isPing ? 200 : 403, { "content-type": "application/json" });
      response.end(JSON.stringify(isPing ? {} : { errors: [{ code: "DENIED", message: XSS }] }));
    });
    evil.listen(0, "127.0.0.1");
    await once(evil, "listening");
    await page.fill("#pull-image", `127.0.0.1:${(evil.address() as AddressInfo).port}/evil:1`);
    await page.click('#images button:text-is("Pull")');
    await page.locator("#images .pull-failed, #images .alert", { hasText: "onerror" }).first().waitFor();
    assert.equal(await page.locator("#images img, main script").count(), 0);
    assert.notEqual(await page.title(), "owned");
    assert.deepEqual([complaints, foreign], [[], []]);
    evil.closeAllConnections();
    evil.close();
    await page.close();
  });

  it("tells in the registry's own words why a pull has failed, and they stay words", async () => {
    const { page, complaints } = await openWatched(browser, `${service.url}/dashboard/images`);
    await page.locator("#live.is-live").waitFor();
    await page.fill("#pull-image", `${registry.host}/no/such:1`);
    await page.click('#images button:text-is("Pull")');
    await page.locator("#images .pull-failed, #images .alert").first().waitFor();
    await page.fill("#pull-image", "<script>alert(1)</script>");
    await page.click('#images button:text-is("Pull")');
    await page.locator("#images .alert", { hasText: "<script>" }).waitFor();
    assert.deepEqual(complaints, []);
    await page.close();
  });
});

describe("the stream of an open page", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService();
  });
  after(() => service.stop());

  it("begins with every topic, tells of a run, and lets the server stop at once", async () => {
    const gone = new AbortController();
    const response = await service.fetch("/dashboard/events", { signal: gone.signal });
    assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const next = async () => new TextDecoder().decode((await reader.read()).value);
    const snapshot = await next();
    for (const topic of ["active", "resources", "images", "runs", "health"])
      assert.ok(snapshot.includes(`event: boxer-${topic}\n`));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await service.run({ cmd: ["true"] });
    let text = "";
    while (!text.includes("event: boxer-runs\n")) text += await next();
    gone.abort();
    await assert.rejects(reader.read());
  });
});
