import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compileSchema } from "../../src/core/schema.ts";
import { RunBody, RunResponse, toRunRequest, toRunResponse } from "../../src/http/run-model.ts";
import { RESULT } from "../support/ended-run.ts";

const result = { ...RESULT, stdout: Buffer.from([0xef, 0xbb, 0xbf, 0x61, 0xff]) };

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
      onOutputLimit: "fail",
      network: "none",
      egress: undefined,
      bandwidth_kbps: undefined,
    });
  });

  it("takes what becomes of too much output", () => {
    const { onOutputLimit } = toRunRequest({ image: "x", cmd: ["a"], on_output_limit: "truncate" });
    assert.equal(onOutputLimit, "truncate");
    assert.equal(
      compileSchema(RunBody).complain({ image: "x", cmd: ["a"], on_output_limit: "ignore" })?.field,
      "on_output_limit",
    );
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

  describe("an inline file that is not base64 is refused, not cut short", () => {
    for (const content of ["!!!!", "AP8", "AP8=\n", "AP9=", "_-8=", "AP8=AP8=", "é"]) {
      it(JSON.stringify(content), () => {
        const files = [
          { path: "a", content: "" },
          { path: "b", content, encoding: "base64" as const },
        ];
        assert.throws(() => toRunRequest({ image: "x", cmd: ["a"], inline_files: files }), {
          code: "invalid_request",
          field: "inline_files[1].content",
        });
      });
    }
  });

  it("decodes output with U+FFFD for what is not UTF-8, and keeps a byte order mark", () => {
    assert.equal(toRunResponse(result).stdout, "\uFEFFa\uFFFD");
  });

  describe("a character of which the limit has cut off the end is left out", () => {
    const text = Buffer.from("aé€😀");
    for (const [length, kept] of [
      [2, "a"],
      [3, "aé"],
      [4, "aé"],
      [5, "aé"],
      [6, "aé€"],
      [7, "aé€"],
      [9, "aé€"],
      [10, "aé€😀"],
    ] as const) {
      it(`cut after ${length} bytes`, () => {
        const stdout = text.subarray(0, length);
        assert.equal(toRunResponse({ ...result, stdout, stdout_truncated: true }).stdout, kept);
      });
    }

    it("but shows as U+FFFD where the program itself ended in it", () => {
      assert.equal(toRunResponse({ ...result, stdout: text.subarray(0, 2) }).stdout, "a\uFFFD");
    });
  });

  it("tells memory in MB, and nothing where nothing is known", () => {
    assert.equal(toRunResponse({ ...result, peak_memory_bytes: 33_000_000 }).peak_memory_mb, 31.5);
    const { cpu_ms, peak_memory_mb } = toRunResponse({ ...result, cpu_ms: null, peak_memory_bytes: null });
    assert.deepEqual([cpu_ms, peak_memory_mb], [null, null]);
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
