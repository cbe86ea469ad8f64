import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, link, mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Service, startService } from "../../src/compose.ts";
import { imageStoreOptions } from "../../src/compose-images.ts";
import { parseConfig } from "../../src/config/load-config.ts";
import { homeAt } from "../../src/core/home.ts";
import { silentLog } from "../../src/core/log.ts";
import { openImageStore } from "../../src/image/image-store.ts";
import type { Runner } from "../../src/run/runner.ts";
import { busyboxLayout, mkfsPath, pythonLayout, runscPath } from "./fixtures.ts";
import { platform } from "./platform.ts";
import { SLOWNESS } from "./slowness.ts";
import { tellWaiting, WARM_MODE, WarmTally } from "./warm-mode.ts";

/** The images that integration tests run, by their names. */
export const PYTHON = "local/python:3";
export const BUSYBOX = "local/busybox:1";

/** Long enough for any boot; spent in vain where other runs are under way. */
const SETTLE_MS = 5_000;

/** A whole service on loopback with a home of its own. */
export interface TestService {
  readonly url: string;
  readonly home: string;
  readonly runner: Runner;
  readonly sandboxes: Service["sandboxes"];
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** `POST /run`; the body's image defaults to busybox. */
  run(body: Record<string, unknown>, init?: RequestInit): Promise<RunAnswer>;
  upload(path: string, content: string | Uint8Array<ArrayBuffer>): Promise<Response>;
  stop(): Promise<void>;
}

export interface RunAnswer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at what came over the wire, whatever it is
  readonly body: any;
}

/**
 * Starts the service with real runsc. The caller stops it.
 * @param prepare what is to be in its home before it starts
 */
export async function startTestService(
  config: Record<string, unknown> = {},
  prepare: (home: string) => Promise<void> = async () => {},
): Promise<TestService> {
  const home = await mkdtemp(join(tmpdir(), "boxer-test-"));
  await provideImages(home);
  await prepare(home);
  const service = await startService(testConfig(home, config), platform, silentLog);
  if (WARM_MODE) tellWaiting(home, () => service.sandboxes.ready());
  const url = `http://127.0.0.1:${service.server.port}`;
  const tally = new WarmTally();
  let asking = 0;
  return {
    url,
    home,
    runner: service.runner,
    sandboxes: service.sandboxes,
    fetch: (path, init) => fetch(url + path, init),
    async run(body, init) {
      const request = { image: BUSYBOX, ...body };
      const isCounted = WARM_MODE && asking === 0 && (await settle(service)) && hasUsualShape(request);
      asking += 1;
      try {
        const response = await fetch(`${url}/run`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(request),
          ...init,
        });
        const answer = { status: response.status, body: await response.json() };
        if (isCounted) tally.count(answer.body.warm);
        return answer;
      } finally {
        asking -= 1;
      }
    },
    upload(path, content) {
      const form = new FormData();
      form.set("path", path);
      form.set("file", new File([content], "upload"));
      return fetch(`${url}/files`, { method: "POST", body: form });
    },
    async stop() {
      await service.stop();
      await rm(home, { recursive: true, force: true });
      tally.check();
    },
  };
}

/**
 * Waits until the last run has given back what it had, and what is to be ready is: else a run would have its own sandbox
 * booted, which other tests see to.
 * @returns whether no run is under way: then one that could be warm is to be
 */
async function settle({ runner, sandboxes: { pool } }: Service): Promise<boolean> {
  const deadline = performance.now() + SETTLE_MS;
  const isReady = () => runner.stats().active === 0 && pool.stats().booting === 0 && pool.stats().ready > 0;
  while (!isReady() && performance.now() < deadline) await sleep(20);
  return runner.stats().active === 0;
}

/** Whether a request needs no sandbox but the usual one of an image that one is kept ready for. */
function hasUsualShape({ image, limits }: Record<string, unknown>): boolean {
  const { memory_mb, cpu_cores } = (limits ?? {}) as Record<string, unknown>;
  return (image === PYTHON || image === BUSYBOX) && !memory_mb && !cpu_cores;
}

/** A configuration for tests: loopback, any port, the tools that set-up found. */
export function testConfig(home: string, config: Record<string, unknown> = {}) {
  const file = {
    home,
    listen_addr: "127.0.0.1:0",
    ignore_cgroups: true,
    runsc_path: runscPath(),
    mkfs_erofs_path: mkfsPath(),
    shutdown_grace_secs: 5,
    prepared_runs: WARM_MODE ? 2 : 0,
    warm_pool: WARM_MODE ? { max: 4, max_memory_mb: 512, images: [PYTHON, BUSYBOX] } : { max: 0 },
    defaults: { wall_clock_secs: 60 * SLOWNESS },
    ...config,
  };
  return parseConfig(JSON.stringify(file), "test configuration", home);
}

/** Gives a home the test images, as hard links to a store that is made once. */
export async function provideImages(home: string): Promise<void> {
  const source = await imageTemplate();
  for (const entry of await readdir(source, { recursive: true, withFileTypes: true })) {
    const from = join(entry.parentPath, entry.name);
    const to = join(home, "images", relative(source, from));
    if (entry.isDirectory()) {
      await mkdir(to, { recursive: true });
    } else {
      await mkdir(dirname(to), { recursive: true });
      await link(from, to).catch(() => copyFile(from, to));
    }
  }
}

let template: Promise<string> | undefined;

/** A store with the test images, made by the store's own import and kept beside the layouts they come from. */
function imageTemplate(): Promise<string> {
  template ??= makeTemplate();
  return template;
}

async function makeTemplate(): Promise<string> {
  const layouts = [
    { directory: pythonLayout, reference: PYTHON },
    { directory: busyboxLayout, reference: BUSYBOX },
  ];
  const hash = createHash("sha256");
  for (const { directory } of layouts) hash.update(await readFile(join(directory, "index.json")));
  const finished = `${pythonLayout}-test-images-${hash.digest("hex").slice(0, 12)}`;
  if (existsSync(finished)) return finished;
  const work = await mkdtemp(`${finished}.`);
  const options = imageStoreOptions(testConfig(work), platform, homeAt(work), mkfsPath(), silentLog);
  const store = await openImageStore({ ...options, root: work });
  for (const { directory, reference } of layouts) await store.importLayout(directory, reference);
  await store.close();
  // Another test process may have been faster.
  await rename(work, finished).catch(() => rm(work, { recursive: true }));
  return finished;
}
