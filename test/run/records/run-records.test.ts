import assert from "node:assert/strict";
import { chmod, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { pino } from "pino";
import type { RunRecord } from "../../../src/run/records/run-record.ts";
import { RunRecords } from "../../../src/run/records/run-records.ts";
import { endedRun, execId, failedRun, RESULT } from "../../support/ended-run.ts";
import { until } from "../../support/leftovers.ts";
import { platform } from "../../support/platform.ts";
import { REQUEST } from "../../support/run-parts.ts";
import { type TestContext, tempDirectory } from "../../support/temp-directory.ts";

const DEFAULTS = { cpu_cores: 1, memory_mb: 256, wall_clock_secs: 30, pids_limit: 64, nofile: 256 };
const BOUNDS = { run_records_max: 100, run_records_days: 7 };
const DAY_MS = 86_400_000;

/** A place for records, and how to open them there. */
async function place(t: TestContext) {
  const directory = await tempDirectory(t);
  const path = join(directory, "records.sqlite");
  const lines: string[] = [];
  const log = pino({ base: null }, { write: (line: string) => void lines.push(line) });
  const open = (bounds: Partial<typeof BOUNDS> = {}) => {
    const records = new RunRecords({
      platform,
      path,
      log,
      config: { defaults: DEFAULTS, ...BOUNDS, ...bounds },
    });
    t.after(() => records.close());
    return records;
  };
  return { directory, path, lines, open };
}

const ids = (records: readonly RunRecord[]) => records.map(({ exec_id }) => exec_id);
const isWritten = (path: string, exec_id: string) => {
  const database = platform.openDatabase(path);
  try {
    return database.all("SELECT 1 FROM run WHERE exec_id = ?", exec_id).length === 1;
  } finally {
    database.close();
  }
};

test("a run can be found at once, and after a restart as it was", async (t) => {
  const { open } = await place(t);
  const first = open();
  first.ended(endedRun(1));
  const at_once = first.find(execId(1));
  assert.equal(at_once?.status, "ok");
  first.close();
  assert.deepEqual(open().find(execId(1)), at_once);
});

test("records are written soon, without anybody asking", async (t) => {
  const { open, path } = await place(t);
  open().ended(endedRun(1));
  await until(() => isWritten(path, execId(1)));
});

test("all that waits is written when the records are closed, however much it is", async (t) => {
  const { open } = await place(t);
  const first = open({ run_records_max: 5000 });
  for (let number = 0; number < 1000; number += 1) first.ended(endedRun(number));
  first.close();
  assert.equal(open({ run_records_max: 5000 }).list({ limit: 2000 }).length, 1000);
});

describe("a list", () => {
  test("has the newest first, those not yet written among them", async (t) => {
    const { open, path } = await place(t);
    const records = open();
    records.ended(endedRun(1));
    records.ended(endedRun(3));
    await until(() => isWritten(path, execId(3)));
    records.ended(endedRun(2));
    assert.deepEqual(ids(records.list({ limit: 10 })), [execId(3), execId(2), execId(1)]);
  });

  test("goes on where the last page ended, though runs were added meanwhile", async (t) => {
    const { open } = await place(t);
    const first = open();
    // Several in the same millisecond: the id decides.
    for (let number = 0; number < 10; number += 1) first.ended(endedRun(number, { submitted_at_ms: 1000 }));
    first.close();
    const records = open({ run_records_days: 36_500 });
    const seen: string[] = [];
    let before: { submitted_at_ms: number; exec_id: string } | undefined;
    for (let page = records.list({ limit: 3 }); page.length > 0; ) {
      seen.push(...ids(page));
      records.ended(endedRun(100 + seen.length));
      before = page.at(-1);
      page = records.list({ limit: 3, ...(before && { before }) });
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 10 }, (_, index) => execId(9 - index)),
    );
  });

  for (const written of [false, true]) {
    test(`can be of one status and of one image, ${written ? "on disk" : "in memory"}`, async (t) => {
      const { open } = await place(t);
      let records = open();
      records.ended(endedRun(1));
      records.ended(failedRun(2, "sandbox_crashed"));
      records.ended(endedRun(3, { request: { ...REQUEST, image: "python" } }));
      if (written) {
        records.close();
        records = open();
      }
      const image = "docker.io/library/python:latest";
      assert.deepEqual(ids(records.list({ limit: 9, status: "sandbox_error" })), [execId(2)]);
      assert.deepEqual(ids(records.list({ limit: 9, status: "ok" })), [execId(3), execId(1)]);
      assert.deepEqual(ids(records.list({ limit: 9, image })), [execId(3)]);
      assert.deepEqual(ids(records.list({ limit: 9, image, status: "canceled" })), []);
    });
  }
});

describe("what is kept is bounded", () => {
  test("in number: the runs that ended first go", async (t) => {
    const { open } = await place(t);
    const first = open({ run_records_max: 3 });
    for (let number = 0; number < 10; number += 1) first.ended(endedRun(number));
    first.close();
    assert.deepEqual(ids(open({ run_records_max: 3 }).list({ limit: 10 })), [
      execId(9),
      execId(8),
      execId(7),
    ]);
  });

  test("in age", async (t) => {
    const { open } = await place(t);
    const first = open();
    const old_ms = Date.now() - 8 * DAY_MS;
    first.ended(endedRun(1, { submitted_at_ms: old_ms, ended_at_ms: old_ms }));
    first.ended(endedRun(2));
    first.close();
    assert.deepEqual(ids(open().list({ limit: 10 })), [execId(2)]);
  });

  test("a bound that was lowered takes effect at the next start", async (t) => {
    const { open } = await place(t);
    const first = open();
    for (let number = 0; number < 50; number += 1) first.ended(endedRun(number));
    first.close();
    assert.equal(open({ run_records_max: 5 }).list({ limit: 100 }).length, 5);
  });

  test("0 keeps nothing and makes no file", async (t) => {
    const { open, directory } = await place(t);
    const records = open({ run_records_max: 0 });
    records.ended(endedRun(1));
    assert.deepEqual([records.find(execId(1)), records.list({ limit: 9 })], [null, []]);
    records.close();
    assert.deepEqual(await readdir(directory), []);
  });
});

describe("a file that is damaged is set aside, and the records begin anew", () => {
  const damages: Record<string, (path: string) => Promise<unknown>> = {
    "text in its place": (path) =>
      writeFile(path, "this is no database, and long enough to be told so\n".repeat(99)),
    "a page overwritten": async (path) => {
      const bytes = await readFile(path);
      bytes.fill(0x5a, 4096, 8192);
      await writeFile(path, bytes);
    },
    "its end missing": (path) => truncate(path, 6000),
    "the file of another version": async (path) => {
      const database = platform.openDatabase(path);
      database.exec("PRAGMA user_version = 99");
      database.close();
    },
  };
  for (const [name, damage] of Object.entries(damages)) {
    test(name, async (t) => {
      const { open, path, lines } = await place(t);
      const first = open({ run_records_max: 1000 });
      for (let number = 0; number < 200; number += 1) first.ended(endedRun(number));
      first.close();
      await damage(path);
      const records = open();
      assert.deepEqual(records.list({ limit: 10 }), []);
      assert.match(lines.join(""), /damaged/);
      assert.ok((await stat(`${path}.damaged`)).size > 0);
      records.ended(endedRun(1));
      records.close();
      assert.deepEqual(ids(open().list({ limit: 10 })), [execId(1)]);
    });
  }

  test("while it is in use", async (t) => {
    const { open, path, lines } = await place(t);
    const records = open();
    const database = platform.openDatabase(path);
    database.run("INSERT INTO run VALUES (1, 'x', 1, 1, 'ok', 'x', '{}')");
    database.all("PRAGMA wal_checkpoint(TRUNCATE)");
    database.close();
    const bytes = await readFile(path);
    await writeFile(path, bytes.fill(0x5a, 4096));
    records.ended(endedRun(1));
    await until(() => lines.some((line) => line.includes("damaged")));
    records.close();
    assert.deepEqual(ids(open().list({ limit: 10 })), [execId(1)]);
  });
});

test("a file that cannot be written loses no run that waits, and is tried again", async (t) => {
  const { open, directory, path, lines } = await place(t);
  await rm(directory, { recursive: true });
  const records = open();
  records.ended(endedRun(1));
  assert.match(lines.join(""), /cannot write run records/);
  assert.equal(records.find(execId(1))?.status, "ok");
  await mkdir(directory);
  await until(() => lines.some((line) => line.includes("written again")));
  assert.ok(isWritten(path, execId(1)));
  assert.equal(lines.length, 2, "each is told once");
});

test("what cannot be written for long is bounded in memory", async (t) => {
  const { open, directory } = await place(t);
  await rm(directory, { recursive: true });
  const records = open();
  for (let number = 0; number < 2500; number += 1) records.ended(endedRun(number));
  assert.equal(records.list({ limit: 9999 }).length, 2000);
  assert.equal(records.find(execId(0)), null);
  assert.ok(records.find(execId(2499)));
  records.close();
});

test("a database that somebody else has locked delays no run, and nothing is lost", async (t) => {
  const { open, path } = await place(t);
  const records = open();
  const other = platform.openDatabase(path);
  other.exec("BEGIN IMMEDIATE");
  records.ended(endedRun(1, { outcome: { result: { ...RESULT, exec_id: execId(1) } } }));
  assert.deepEqual(ids(records.list({ limit: 10 })), [execId(1)]);
  other.exec("ROLLBACK");
  other.close();
  await until(() => isWritten(path, execId(1)));
});

test("nobody but the server's user can read the records", async (t) => {
  const { open, path, directory } = await place(t);
  await chmod(directory, 0o755);
  const records = open();
  records.ended(endedRun(1));
  await until(() => isWritten(path, execId(1)));
  for (const name of await readdir(directory)) {
    assert.equal((await stat(join(directory, name))).mode & 0o077, 0, name);
  }
});
