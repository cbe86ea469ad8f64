import assert from "node:assert/strict";
import { CleanupStack } from "../../src/core/cleanup-stack.ts";

/** A cleanup stack of which every undo must succeed. */
export function strictCleanup(): CleanupStack {
  return new CleanupStack((label, error) => assert.fail(`${label}: ${error}`));
}
