import assert from "node:assert/strict";
import { test } from "node:test";
import { compileSchema } from "../../src/core/schema.ts";
import {
  ImageResponse,
  PruneResponse,
  PullResponse,
  toImageResponse,
  toPruneResponse,
  toPullResponse,
} from "../../src/http/images-model.ts";
import { beginPull, reducePull } from "../../src/image/progress/reduce-pull.ts";
import { digestFor, summary } from "../image/support/summaries.ts";

const used = summary("a", {
  created_at_ms: 0,
  last_used_at_ms: 1500,
  uses: 3,
  in_use: 1,
  pulled_at_ms: 1000,
});

test("an image's times are ISO 8601, and null where there is none", () => {
  const { created, pulled_at, last_used_at, references } = toImageResponse(used);
  assert.deepEqual(
    [created, pulled_at, last_used_at, references[0]?.checked_at],
    [
      "1970-01-01T00:00:00.000Z",
      "1970-01-01T00:00:01.000Z",
      "1970-01-01T00:00:01.500Z",
      "1970-01-01T00:00:00.100Z",
    ],
  );
  const fresh = toImageResponse(summary("b"));
  assert.deepEqual([fresh.created, fresh.last_used_at, fresh.references[0]?.unreachable], [null, null, null]);
});

test("a pull shows its totals, and null for a digest that is not known", () => {
  const begun = beginPull("x", 1000);
  assert.deepEqual(toPullResponse(begun), {
    reference: "x",
    phase: "resolving",
    started_at: "1970-01-01T00:00:01.000Z",
    digest: null,
    downloaded_bytes: 0,
    size_bytes: 0,
    layers: [],
  });
});

test("what was pruned is summed up", () => {
  assert.deepEqual(toPruneResponse([summary("a"), summary("b", { size_bytes: 7 })]), {
    removed: [
      { digest: digestFor("a"), references: ["docker.io/library/a:latest"], size_bytes: 10 },
      { digest: digestFor("b"), references: ["docker.io/library/b:latest"], size_bytes: 7 },
    ],
    freed_bytes: 17,
  });
});

test("all is what its own schema says", () => {
  const layers = [{ digest: digestFor("l"), size_bytes: 5 }];
  const pull = reducePull(beginPull("x", 1), { type: "resolved", digest: digestFor("a"), layers });
  assert.equal(compileSchema(ImageResponse).complain(toImageResponse(used)), null);
  assert.equal(compileSchema(ImageResponse).complain(toImageResponse(summary("b"))), null);
  assert.equal(compileSchema(PullResponse).complain(toPullResponse(pull)), null);
  assert.equal(compileSchema(PruneResponse).complain(toPruneResponse([used])), null);
});
