import { setTimeout as sleep } from "node:timers/promises";
import { BUSYBOX, PYTHON, provideImages } from "../../test/support/service.ts";
import { ServiceProcess, writeServiceConfig } from "../../test/support/service-process.ts";
import type { BenchContext } from "./bench-context.ts";
import { type LoopDelay, parseLoopDelay } from "./loop-delay.ts";
import type { Workload } from "./workloads.ts";

/** A service that is measured: a process of its own. */
export interface BenchService {
  readonly url: string;
  readonly pid: number;
  /**
   * `POST /run`, and a look at the answer.
   * @param more fields of the body, such as `limits`
   * @throws Error for an answer that is not what the workload must give
   */
  run(workload: Workload, more?: Readonly<Record<string, unknown>>): Promise<void>;
  /** The same up to the last byte of the answer; what is returned looks at it. */
  send(workload: Workload): Promise<() => void>;
  /** Waits until nothing is being booted ahead any more. */
  settle(): Promise<void>;
  /** How late its event loop was, at worst, since this was last asked for. */
  takeLoopDelay(): Promise<LoopDelay>;
  /** Ends it before the context does, and leaves its home. */
  end(): Promise<void>;
}

/**
 * As Boxer comes, where {@link writeServiceConfig} says otherwise for tests: JSON leaves out what is undefined. Cgroups are
 * used where the benchmark may make some.
 */
export const asItComes = ({ hasCgroups }: BenchContext) =>
  ({ prepared_runs: undefined, warm_pool: undefined, ignore_cgroups: !hasCgroups }) as const;
/** As Boxer comes, but without sandboxes that are booted ahead. */
export const COLD = { warm_pool: { max: 0 } } as const;
/** As Boxer comes, with some for each of the workloads' images from the start. */
export const WARM = warmWith([BUSYBOX, PYTHON]);

/** The same for other images. */
export function warmWith(images: readonly string[]) {
  return { warm_pool: { images } } as const;
}

/** What of an answer is looked at. */
interface Answer {
  readonly exit_code?: number;
  readonly stdout?: string;
  readonly outputs?: readonly unknown[];
}

/** Makes a home with the images of the workloads. @param prepare what else is to be in it */
export async function makeBenchHome(
  context: BenchContext,
  name: string,
  prepare: (home: string) => Promise<void> = async () => {},
): Promise<string> {
  const home = await context.directory(name);
  await provideImages(home);
  await prepare(home);
  return home;
}

/**
 * Starts a service as Boxer comes, in a home of its own, and uploads the workloads' files. It ends with the context.
 * @param config what is to be otherwise
 */
export async function startBenchService(
  context: BenchContext,
  name: string,
  config: Readonly<Record<string, unknown>> = {},
): Promise<BenchService> {
  return await startBenchServiceAt(context, await makeBenchHome(context, name), config);
}

/** The same in a home that is there, and in which no service is up. */
export async function startBenchServiceAt(
  context: BenchContext,
  home: string,
  config: Readonly<Record<string, unknown>> = {},
): Promise<BenchService> {
  const service = new ServiceProcess(await writeServiceConfig(home, { ...asItComes(context), ...config }));
  const end = async () => {
    await service.end("SIGTERM");
  };
  context.cleanup.defer(home, end);
  const url = await service.url();
  for (const [path, content] of Object.entries(context.inputs)) await upload(url, path, content);
  return {
    url,
    pid: service.pid ?? 0,
    run: async (workload, more = {}) => (await send(url, workload, more))(),
    send: (workload) => send(url, workload, {}),
    settle: () => settle(url),
    takeLoopDelay: async () => parseLoopDelay(await (await fetch(`${url}/metrics`)).text()),
    end,
  };
}

const LOOK_INTERVAL_MS = 30;
/** What a sandbox still does after it has been booted, and a directory that is being removed. */
const REST_MS = 50;

async function settle(url: string): Promise<void> {
  const isBooting = async () => {
    const { warm_pool } = (await (await fetch(`${url}/readyz`)).json()) as { warm_pool: { booting: number } };
    return warm_pool.booting > 0;
  };
  await sleep(REST_MS);
  while (await isBooting()) await sleep(LOOK_INTERVAL_MS);
  await sleep(REST_MS);
}

async function send(
  url: string,
  workload: Workload,
  more: Readonly<Record<string, unknown>>,
): Promise<() => void> {
  const { image, cmd, files } = workload;
  const paths = Object.keys(files);
  // Without persist the uploads would be gone with the first run.
  const body = { image, cmd, ...(paths.length > 0 ? { files: paths, persist: true } : {}), ...more };
  const response = await fetch(`${url}/run`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const bytes = await response.arrayBuffer();
  return () => check(workload, response.status, JSON.parse(Buffer.from(bytes).toString("utf8")) as Answer);
}

/** @throws Error for an answer that is not what the workload must give */
function check({ name, stdout_bytes, outputs }: Workload, status: number, answer: Answer): void {
  const isRight =
    answer.exit_code === 0 && answer.stdout?.length === stdout_bytes && answer.outputs?.length === outputs;
  if (isRight) return;
  const { stdout, ...rest } = answer;
  throw new Error(`${name}: HTTP ${status}, ${stdout?.length} characters, ${JSON.stringify(rest)}`);
}

async function upload(url: string, path: string, content: string): Promise<void> {
  const form = new FormData();
  form.set("path", path);
  form.set("file", new File([content], "upload"));
  const response = await fetch(`${url}/files`, { method: "POST", body: form });
  if (!response.ok) throw new Error(`Cannot upload ${path}: HTTP ${response.status}`);
}
