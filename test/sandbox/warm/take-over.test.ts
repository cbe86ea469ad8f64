import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { runDirectoryAt } from "../../../src/sandbox/runsc.ts";
import type { Guest } from "../../../src/sandbox/sandbox.ts";
import type { BootedSandbox } from "../../../src/sandbox/warm/boot-sandbox.ts";
import { beganEntry, STEPS } from "../../../src/sandbox/warm/report.ts";
import { neverBegan, tapeOf, usageSince } from "../../../src/sandbox/warm/take-over.ts";
import { GUEST } from "../../support/guest.ts";
import { tempDirectory } from "../../support/temp-directory.ts";

const textOf = (guest: Partial<Guest>) =>
  Buffer.from(tapeOf("x64", { ...GUEST, ...guest }) ?? assert.fail("no tape")).toString("latin1");

test("inputs are found by their names on the host, whatever the directory is called there", () => {
  const inputs = [{ source: "/home/runs/boxer-1/in/inputs/in-0", destination: "/data/x" }];
  const tape = textOf({ inputs });
  assert.ok(tape.includes("/dev/.boxer/in/inputs/in-0\0") && tape.includes("/data/x\0"));
  assert.ok(!tape.includes("boxer-1"));
});

test("only without input is there one from /dev/null", () => {
  assert.ok(textOf({}).includes("/dev/null"));
  assert.ok(!textOf({ stdin: new Uint8Array() }).includes("/dev/null"));
});

test("a guest that needs its own sandbox has no tape", () => {
  assert.equal(tapeOf("x64", { ...GUEST, cwd: "/proc/1" }), null);
});

const failed = (step: (typeof STEPS)[number]) =>
  new Uint8Array(new Uint32Array([STEPS.indexOf(step), 2]).buffer);
for (const [what, report, expected] of [
  ["nothing was reported", new Uint8Array(), true],
  ["a step failed", failed("cwd"), true],
  ["the command began", beganEntry(), false],
  ["the command could not be started after all", Buffer.concat([beganEntry(), failed("command")]), true],
  ["the report is none of ours", Buffer.from("x"), true],
] as const) {
  test(`whether nothing of the guest has run: ${what}`, async (t) => {
    const directory = runDirectoryAt(await tempDirectory(t));
    const report_path = join(directory.path, "report");
    await writeFile(report_path, report);
    const pad = { directory: { ...directory, control: { ...directory.control, report: report_path } } };
    assert.equal(await neverBegan({ pad } as unknown as BootedSandbox), expected);
  });
}

test("a run is told what was used beyond the boot, and the peak of both", () => {
  const booting = { cpu_user_ms: 30, cpu_system_ms: null, peak_memory_bytes: 5, peak_pids: 6 };
  const now = { cpu_user_ms: 50, cpu_system_ms: 7, peak_memory_bytes: 9, peak_pids: 8 };
  assert.deepEqual(usageSince(booting, now), { ...now, cpu_user_ms: 20 });
  assert.equal(usageSince(booting, { ...now, cpu_user_ms: 29 }).cpu_user_ms, 0);
  assert.equal(usageSince(booting, { ...now, cpu_user_ms: null }).cpu_user_ms, null);
});
