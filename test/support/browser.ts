import { type Browser, chromium, type Page } from "playwright-core";
import { chromiumPath } from "./fixtures.ts";

/** For a machine that others keep busy. */
const PATIENCE_MS = 90_000;

/** What a page did that it should not have. */
export interface Watched {
  readonly page: Page;
  /** Console errors, page errors and violations of the content security policy. */
  readonly complaints: string[];
  /** Requests to any origin but the page's own. */
  readonly foreign: string[];
}

/** Debian's Chromium without a window, and without the talk to its maker that it does by itself. */
export function launchBrowser(...more: string[]): Promise<Browser> {
  return chromium.launch({
    timeout: PATIENCE_MS,
    executablePath: chromiumPath(),
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      ...more,
    ],
  });
}

/** Opens a page and watches it. */
export async function openWatched(browser: Browser, url: string, options: object = {}): Promise<Watched> {
  const page = await browser.newPage(options);
  page.setDefaultTimeout(PATIENCE_MS);
  const complaints: string[] = [];
  const foreign: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    const target = new URL(request.url());
    if (target.origin !== new URL(url).origin && target.protocol !== "data:") foreign.push(request.url());
  });
  await page.goto(url);
  return { page, complaints, foreign };
}
