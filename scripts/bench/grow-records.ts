import { homeAt } from "../../src/core/home.ts";
import { RecordFile } from "../../src/run/records/record-file.ts";
import type { RunRecord } from "../../src/run/records/run-record.ts";
import { platform } from "../../test/support/platform.ts";
import { BUSYBOX } from "../../test/support/service.ts";

const BATCH = 1000;
const UNBOUNDED = { max_records: Number.MAX_SAFE_INTEGER, max_age_ms: Number.MAX_SAFE_INTEGER };

/** Gives a home, whose service is not up, so many records of runs that have ended: one a second, until now. */
export async function addRecords(home: string, count: number): Promise<void> {
  if (count === 0) return;
  const file = RecordFile.open(platform, homeAt(home).runRecords);
  try {
    const now = Date.now();
    for (let done = 0; done < count; done += BATCH) {
      const batch = Array.from({ length: Math.min(BATCH, count - done) }, (_, index) =>
        recordAt(now - 1000 * (count - done - index)),
      );
      file.add(batch, UNBOUNDED);
    }
  } finally {
    file.close();
  }
}

function recordAt(submitted_at_ms: number): RunRecord {
  return {
    exec_id: `boxer-${crypto.randomUUID()}`,
    client: "127.0.0.1",
    submitted_at_ms,
    started_at_ms: submitted_at_ms + 2,
    ended_at_ms: submitted_at_ms + 120,
    image: BUSYBOX,
    cmd: ["echo", "hello"],
    env_names: [],
    cwd: null,
    user: null,
    files: [],
    limits: { cpu_cores: 1, memory_mb: 256, wall_clock_secs: 30, pids_limit: 64, nofile: 256 },
    persist: false,
    on_output_limit: "fail",
    shortened: [],
    status: "ok",
    error: null,
    result: {
      exit_code: 0,
      signal: null,
      wall_ms: 118,
      queue_ms: 0,
      boot_ms: 2,
      warm: false,
      cpu_ms: { user: 40, system: 40 },
      peak_memory_bytes: 20 << 20,
      image_digest: `sha256:${"0".repeat(64)}`,
      stdout_truncated: false,
      stderr_truncated: false,
      warnings: [],
      stdout_bytes: 6,
      stderr_bytes: 0,
      outputs: [],
      outputs_count: 0,
    },
  };
}
