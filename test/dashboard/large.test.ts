import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { completeDashboard } from "../../src/config/dashboard-access.ts";
import { silentLog } from "../../src/core/log.ts";
import { DashboardAuth } from "../../src/dashboard/access/dashboard-auth.ts";
import { createDashboard } from "../../src/dashboard/create-dashboard.ts";
import { RunRecords } from "../../src/run/records/run-records.ts";
import { endedRun } from "../support/ended-run.ts";
import { platform } from "../support/platform.ts";
import { madeUpSource, NOW_MS, sandbox } from "./made-up.ts";

const RECORDS = 10_000;
const ACTIVE = 200;
const MAX_PAGE_BYTES = 600_000;

describe(`a page of ${ACTIVE} sandboxes and ${RECORDS} records`, () => {
  let directory: string;
  let records: RunRecords;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "boxer-dashboard-"));
    const defaults = { cpu_cores: 1, memory_mb: 256, wall_clock_secs: 30, pids_limit: 64, nofile: 256 };
    const config = { defaults, run_records_max: RECORDS, run_records_days: 36_500 };
    records = new RunRecords({ platform, path: join(directory, "records.sqlite"), config, log: silentLog });
    for (let number = 0; number < RECORDS; number += 1) {
      records.ended(endedRun(number, {}, NOW_MS));
      // What waits to be written is bounded.
      if (number % 250 === 249) await pause();
    }
  });
  after(async () => {
    records.close();
    await rm(directory, { recursive: true });
  });

  const pause = () => new Promise((resolve) => setTimeout(resolve, 120));

  it("is small, whichever it is", async (context) => {
    const source = madeUpSource({
      activeRuns: () => Array.from({ length: ACTIVE }, (_, number) => sandbox(number)),
      records: (query) => records.list(query),
    });
    const auth = new DashboardAuth(completeDashboard({ auth: "none" }), { hostname: undefined, port: 0 });
    const handle = createDashboard({
      source,
      auth,
      request_limit_bytes: 1_000,
      clientOf: () => "",
      log: silentLog,
    });
    const last = records.list({ limit: RECORDS }).at(-50);
    assert.ok(last);
    const cursor = `${last.submitted_at_ms}.${last.exec_id}`;
    const paths = [
      "/dashboard",
      "/dashboard/fragments/active",
      "/dashboard/runs",
      `/dashboard/runs?before=${cursor}`,
      "/dashboard/runs?status=timed_out",
    ];
    for (const path of paths) {
      const begun = performance.now();
      const response = await handle(new Request(`http://x${path}`), { remoteAddress: "", keepAlive() {} });
      const text = (await response?.text()) ?? "";
      const ms = (performance.now() - begun).toFixed(1);
      context.diagnostic(`${path.replace(cursor, "…")}: ${text.length} bytes in ${ms} ms`);
      assert.equal(response?.status, 200);
      assert.ok(text.length < MAX_PAGE_BYTES, `${path}: ${text.length}`);
    }
  });
});
