import assert from "node:assert/strict";
import { test } from "node:test";
import type { ErrorCode } from "../../../src/core/errors.ts";
import { faultStatus } from "../../../src/run/records/fault-status.ts";

const CASES: [ErrorCode, string][] = [
  ["canceled", "canceled"],
  ["invalid_request", "refused"],
  ["unknown_file", "refused"],
  ["invalid_image_reference", "refused"],
  ["image_not_allowed", "refused"],
  ["user_not_allowed", "refused"],
  ["limit_unenforceable", "refused"],
  ["queue_full", "refused"],
  ["draining", "refused"],
  ["image_not_found", "sandbox_error"],
  ["image_pull_failed", "sandbox_error"],
  ["image_invalid", "sandbox_error"],
  ["sandbox_failed", "sandbox_error"],
  ["sandbox_crashed", "sandbox_error"],
  ["runsc_missing", "sandbox_error"],
  ["disk_full", "sandbox_error"],
  ["internal", "sandbox_error"],
];

for (const [code, status] of CASES) {
  test(`${code} reads ${status}`, () => assert.equal(faultStatus(code), status));
}
