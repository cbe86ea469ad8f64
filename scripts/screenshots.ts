/**
 * `npm run screenshots`: makes `docs/*.png` anew. Starts a service of its own with real sandboxes on loopback, gives it
 * something to show, and takes the pictures with Chromium.
 */
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "../test/support/browser.ts";
import { noCgroups } from "../test/support/no-cgroups.ts";
import { PYTHON, startTestService, type TestService } from "../test/support/service.ts";

const DOCS = join(import.meta.dirname, "..", "docs");
const WIDE = { width: 1440, height: 900 };
const NARROW = { width: 390, height: 844 };

const SIEVE = `import sys
sieve = bytearray([1]) * 2_000_000
for n in range(2, 1_415):
    if sieve[n]:
        sieve[n * n :: n] = bytes(len(sieve[n * n :: n]))
print(sum(sieve) - 2)`;

const COLOURS = `import time

tests = ["parses numbers", "rejects letters", "rounds half to even", "keeps the sign"]
for number, name in enumerate(tests, 1):
    time.sleep(0.15)
    print(f"\\x1b[32m✓\\x1b[0m {name}", flush=True)
time.sleep(0.3)
print("\\n\\x1b[1;32m4 passed\\x1b[0m, waiting for the slow ones…", flush=True)
time.sleep(20)
`;

/** Runs that have ended, of several kinds. */
async function makeHistory(service: TestService): Promise<void> {
  const python = (code: string, more: object = {}) =>
    service.run({ image: PYTHON, cmd: ["python3", "-c", code], ...more });
  const kinds = [
    () => python("print(6 * 7)"),
    () => python(SIEVE),
    () => service.run({ cmd: ["sh", "-c", "for i in $(seq 100); do echo $i; done"] }),
    () =>
      python("import json, sys; json.dump({'score': 0.93}, open('/output/score.json', 'w'))", {
        persist: true,
      }),
    () => python("raise SystemExit(3)"),
    () => service.run({ cmd: ["sleep", "9"], limits: { wall_clock_secs: 1 } }),
    () => python("x = bytearray(900 << 20); print(len(x))", { limits: { memory_mb: 64 } }),
  ];
  for (let round = 0; round < 3; round += 1) {
    for (const [index, run] of kinds.entries()) if (index < 5 || round === 0) await run();
  }
}

/** Runs that go on while pictures are taken. */
function startRuns(service: TestService): Promise<unknown>[] {
  const limits = { wall_clock_secs: 300, cpu_cores: 0.3 };
  const python = (code: string, memory_mb: number) =>
    service.run({ image: PYTHON, cmd: ["python3", "-c", code], limits: { ...limits, memory_mb } });
  return [
    python("while True: pass", 128),
    python("import time\nkept = b'x' * (150 << 20)\nwhile True: time.sleep(1)", 256),
    service.run({ cmd: ["sh", "-c", "while true; do date; sleep 1; done"], limits }),
    python("import time\ntime.sleep(250)", 512),
  ];
}

async function open(browser: Browser, url: string, options: object): Promise<Page> {
  const page = await browser.newPage({ deviceScaleFactor: 1, ...options });
  await page.goto(url);
  return page;
}

async function take(page: Page, name: string, fullPage = true): Promise<void> {
  await page.screenshot({ path: join(DOCS, `${name}.png`), fullPage });
  console.log(`docs/${name}.png`);
  await page.close();
}

async function takeAll(service: TestService, browser: Browser): Promise<void> {
  await makeHistory(service);
  const runs = startRuns(service);
  const watching = await open(browser, `${service.url}/dashboard`, { viewport: WIDE });
  await watching.locator("#active .badge", { hasText: "running" }).nth(3).waitFor();
  // Until there are lines to draw, and the sandboxes have been measured more than once.
  await watching.waitForTimeout(30_000);
  await watching.close();
  for (const colorScheme of ["light", "dark"] as const) {
    const suffix = colorScheme === "dark" ? "-dark" : "";
    const wide = await open(browser, `${service.url}/dashboard`, { viewport: WIDE, colorScheme });
    await wide.locator("#live.is-live").waitFor();
    await take(wide, `dashboard-${colorScheme}`);
    const narrow = await open(browser, `${service.url}/dashboard`, { viewport: NARROW, colorScheme });
    await narrow.locator("#live.is-live").waitFor();
    await take(narrow, `dashboard-narrow${suffix}`, false);
  }
  const ended = await service.fetch(`/runs?status=ok&image=${encodeURIComponent(PYTHON)}`);
  const [{ exec_id }] = (await ended.json()).runs;
  await take(
    await open(browser, `${service.url}/dashboard/runs/${exec_id}`, { viewport: WIDE }),
    "dashboard-run",
  );
  const form = await open(browser, `${service.url}/dashboard/try`, { viewport: WIDE });
  await form.locator("#live.is-live").waitFor();
  await form.fill("#try-image", PYTHON);
  await form.fill("#try-code", COLOURS);
  await form.click("text=Show as curl");
  await form.click("button.primary");
  await form.locator("#try-stdout", { hasText: "4 passed" }).waitFor();
  await take(form, "dashboard-try");
  service.runner.stopAll();
  await Promise.all(runs);
}

const service = await startTestService({
  ignore_cgroups: noCgroups() !== false,
  max_concurrent_runs: 8,
});
try {
  const browser = await launchBrowser();
  try {
    await takeAll(service, browser);
  } finally {
    await browser.close();
  }
} finally {
  await service.stop();
}
