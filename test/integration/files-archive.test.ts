import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { until } from "../support/leftovers.ts";
import { removeHome, ServiceProcess, writeServiceConfig } from "../support/service-process.ts";

const run = promisify(execFile);
const FILES = 20;
const FILE_BYTES = 10_000_000;
/** Half of what is sent. What the runtimes take for themselves at this load is far below. */
const MAX_GROWTH_BYTES = (FILES * FILE_BYTES) / 2;

describe("GET /files/archive of 200 MB", () => {
  let home: string;
  let service: ServiceProcess | undefined;
  before(async () => {
    home = await mkdtemp(join(tmpdir(), "boxer-test-"));
    await mkdir(join(home, "files/big/dir"), { recursive: true });
    for (let index = 0; index < FILES; index += 1) {
      // Noise: compressed it is as large as before.
      await writeFile(join(home, `files/big/${index % 2 ? "" : "dir/"}${index}`), randomBytes(FILE_BYTES));
    }
    service = new ServiceProcess(await writeServiceConfig(home, { files_quota_bytes: null }));
  });
  after(async () => {
    await service?.end("SIGKILL");
    await removeHome(home);
  });

  it("keeps the service's memory flat, also for a client that takes nothing, and is correct", async () => {
    const url = await service?.url();
    const pid = service?.pid;
    await fetch(`${url}/files/list`);
    await writeFile(`/proc/${pid}/clear_refs`, "5");
    const before_bytes = await statusOf(pid, "VmRSS");
    const reader = (await fetch(`${url}/files/archive?prefix=big`)).body?.getReader() ?? assert.fail();
    const first = await reader.read();
    await untilIdle(pid);
    const out = join(home, "out");
    await mkdir(out);
    const tar = spawn("tar", ["-xzf", "-", "-C", out]);
    const closed = once(tar, "close");
    for (let next = first; !next.done; next = await reader.read()) {
      if (!tar.stdin.write(next.value)) await once(tar.stdin, "drain");
    }
    tar.stdin.end();
    assert.deepEqual(await closed, [0, null]);
    const growth_bytes = (await statusOf(pid, "VmHWM")) - before_bytes;
    assert.ok(growth_bytes < MAX_GROWTH_BYTES, `the service grew by ${growth_bytes} bytes`);
    await run("diff", ["-r", out, join(home, "files/big")]);
  });
});

/** A figure of proc_pid_status(5). VmHWM is the peak of VmRSS, from the last time that 5 was written to clear_refs. */
async function statusOf(pid: number | undefined, name: "VmRSS" | "VmHWM"): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return 1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]);
}

/** Waits until a process does nothing: it takes no CPU time (utime and stime of proc_pid_stat(5)). */
async function untilIdle(pid: number | undefined): Promise<void> {
  const ticks = async () => {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(fields[11]) + Number(fields[12]);
  };
  await until(async () => {
    const earlier = await ticks();
    await sleep(500);
    return (await ticks()) - earlier <= 3;
  });
}
