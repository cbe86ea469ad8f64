/**
 * `npm run bench`: how long a cold `POST /run` takes against raw `runsc run` of the very same bundle, in turn, in one
 * run. Prints medians and their ratio; `--runs N` (default 40) of each. With `--images` the same of pulling an image
 * against skopeo and umoci (default 5).
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startService } from "../src/compose.ts";
import { parseConfig } from "../src/config/load-config.ts";
import { silentLog } from "../src/core/log.ts";
import { bunPlatform } from "../src/platform/bun.ts";
import { mergeEnvironment } from "../src/sandbox/environment.ts";
import { runDirectoryAt, runscRunArgv } from "../src/sandbox/runsc.ts";
import { buildSpec, NOBODY } from "../src/sandbox/spec.ts";
import { benchImages } from "./bench/bench-images.ts";
import { median } from "./bench/median.ts";

const IMAGE = "local/python:3";
const CASES: Record<string, [string, ...string[]]> = {
  echo: ["echo", "hello"],
  "python print(42)": ["python3", "-c", "print(42)"],
  "python with a dozen imports": [
    "python3",
    "-c",
    "import json,re,os,sys,math,random,datetime,collections,itertools,functools,decimal,typing;print(42)",
  ],
};

const { values } = parseArgs({ options: { runs: { type: "string" }, images: { type: "boolean" } } });
const runs = Number(values.runs ?? (values.images ? 5 : 40));
if (values.images) {
  await benchImages(runs);
  process.exit();
}
const home = await mkdtemp(join(tmpdir(), "boxer-bench-"));
const config = parseConfig(
  JSON.stringify({ home, listen_addr: "127.0.0.1:0", ignore_cgroups: true, runsc_path: await setUpRunsc() }),
  "benchmark",
  homedir(),
);
const service = await startService(config, bunPlatform, silentLog);
try {
  await service.images.importLayout(join(homedir(), ".boxer", "setup", "python"), IMAGE);
  console.log(`${runs} runs of each, in turn; medians in ms`);
  for (const [name, cmd] of Object.entries(CASES)) await compare(name, cmd);
} finally {
  await service.stop();
  await rm(home, { recursive: true, force: true });
}

async function compare(name: string, cmd: [string, ...string[]]): Promise<void> {
  const raw = await rawRunner(cmd);
  const times = { raw: [] as number[], boxer: [] as number[] };
  // The first of each warms the page cache and does not count.
  for (let run = -1; run < runs; run += 1) {
    const rawTime = await timed(raw);
    const boxerTime = await timed(() => boxerRun(cmd));
    if (run < 0) continue;
    times.raw.push(rawTime);
    times.boxer.push(boxerTime);
  }
  const ratio = median(times.boxer) / median(times.raw);
  console.log(
    `${name.padEnd(30)} raw ${median(times.raw).toFixed(1)}  POST /run ${median(times.boxer).toFixed(1)}  ratio ${ratio.toFixed(3)}`,
  );
}

async function boxerRun(cmd: readonly string[]): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${service.server.port}/run`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ image: IMAGE, cmd }),
  });
  const body = (await response.json()) as { exit_code?: number; error?: string };
  if (body.exit_code !== 0) throw new Error(`run failed: ${JSON.stringify(body)}`);
}

/** A function that runs the bundle which Boxer would make, with runsc alone. */
async function rawRunner(cmd: [string, ...string[]]): Promise<() => Promise<void>> {
  const lease = await service.images.acquire(IMAGE, { signal: new AbortController().signal });
  const directory = runDirectoryAt(await mkdtemp(join(home, "raw-")));
  await mkdir(directory.output);
  const spec = buildSpec({
    args: cmd,
    env: mergeEnvironment(lease.image.config.env, []),
    cwd: "/",
    user: NOBODY,
    limits: config.defaults,
    rootfs: lease.image.rootfs,
    rootfsType: lease.image.rootfs_type,
    emptyRoot: join(home, "empty"),
    outputDirectory: directory.output,
    inputs: [],
    makeCwd: false,
  });
  await writeFile(join(directory.bundle, "config.json"), JSON.stringify(spec));
  const runsc = {
    path: config.runsc_path ?? "runsc",
    platform: config.platform,
    rootless: false,
  };
  return async () => {
    const child = bunPlatform.spawn(runscRunArgv(runsc, directory, "raw"), {
      env: { PATH: process.env.PATH ?? "" },
    });
    const [status] = await Promise.all([child.exited, drain(child.stdout), drain(child.stderr)]);
    if (status.code !== 0) throw new Error(`runsc failed: ${JSON.stringify(status)}`);
  };
}

async function drain(stream: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of stream);
}

async function timed(action: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await action();
  return performance.now() - started;
}

async function setUpRunsc(): Promise<string> {
  const { findExecutable } = await import("../src/platform/find-executable.ts");
  const found = await findExecutable(
    "runsc",
    [join(homedir(), ".boxer", "bin", "runsc")],
    process.env.PATH ?? "",
  );
  if (!found) throw new Error("runsc not found: npm run setup");
  return found;
}
