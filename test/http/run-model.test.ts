import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compileSchema } from "../../src/core/schema.ts";
import { RunBody, RunResponse, toRunRequest, toRunResponse } from "../../src/http/run-model.ts";
import type { RunResult } from "../../src/run/types.ts";

const result: RunResult = {
  exec_id: "boxer-1",
  status: "ok",
  exit_code: 0,
  signal: null,
  stdout: Buffer.from([0xef, 0xbb, 0xbf, 0x61, 0xff]),
  stderr: new Uint8Array(),
  stdout_truncated: false,
  stderr_truncated: false,
  wall_ms: 3,
  queue_ms: 1,
  boot_ms: 2,
  image_digest: "sha256:00",
  outputs: [],
  outputs_skipped: [],
};

describe("the wire model of a run", () => {
  it("turns absent and null fields into the same request", () => {
    const bare = toRunRequest({ image: "x", cmd: ["a"] });
    assert.deepEqual(
      toRunRequest({
        image: "x",
        cmd: ["a"],
        env: null,
        cwd: null,
        limits: null,
        files: null,
        persist: null,
        stdin: null,
      }),
      bare,
    );
    assert.deepEqual(bare, {
      image: "x",
      cmd: ["a"],
      env: [],
      cwd: undefined,
      useEntrypoint: false,
      user: undefined,
      pull: "missing",
      limits: {},
      files: [],
      inlineFiles: [],
      stdin: undefined,
      persist: false,
    });
  });

  it("decodes inline files and stdin", () => {
    const { inlineFiles, stdin } = toRunRequest({
      image: "x",
      cmd: ["a"],
      stdin: "é",
      inline_files: [
        { path: "a", content: "é" },
        { path: "b", content: "AP8=", encoding: "base64" },
      ],
    });
    assert.deepEqual(
      inlineFiles.map(({ content }) => [...content]),
      [
        [0xc3, 0xa9],
        [0x00, 0xff],
      ],
    );
    assert.deepEqual([...(stdin ?? [])], [0xc3, 0xa9]);
  });

  it("decodes output with U+FFFD for what is not UTF-8, and keeps a byte order mark", () => {
    assert.equal(toRunResponse(result).stdout, "\uFEFFa\uFFFD");
  });

  it("answers what its own schema says", () => {
    assert.equal(compileSchema(RunResponse).complain(toRunResponse(result)), null);
  });

  it("refuses numbers that JSON cannot mean", () => {
    const checker = compileSchema(RunBody);
    for (const limit of [Number.NaN, Number.POSITIVE_INFINITY, -0.5]) {
      const complaint = checker.complain({ image: "x", cmd: ["a"], limits: { cpu_cores: limit } });
      assert.equal(complaint?.field, "limits.cpu_cores");
    }
  });
});
