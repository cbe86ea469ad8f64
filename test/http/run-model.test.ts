import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compileSchema } from "../../src/core/schema.ts";
import { RunBody, RunResponse, toRunRequest, toRunResponse } from "../../src/http/run-model.ts";
import { RESULT } from "../support/ended-run.ts";

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

  it("tells memory in MB, and nothing where nothing is known", () => {
    assert.equal(toRunResponse({ ...RESULT, peak_memory_bytes: 33_000_000 }, "", "").peak_memory_mb, 31.5);
    const unknown = { ...RESULT, cpu_ms: null, peak_memory_bytes: null };
    const { cpu_ms, peak_memory_mb } = toRunResponse(unknown, "", "");
    assert.deepEqual([cpu_ms, peak_memory_mb], [null, null]);
  });

  it("answers what its own schema says", () => {
    assert.equal(compileSchema(RunResponse).complain(toRunResponse(RESULT, "out", "err")), null);
  });

  it("refuses numbers that JSON cannot mean", () => {
    const checker = compileSchema(RunBody);
    for (const limit of [Number.NaN, Number.POSITIVE_INFINITY, -0.5]) {
      const complaint = checker.complain({ image: "x", cmd: ["a"], limits: { cpu_cores: limit } });
      assert.equal(complaint?.field, "limits.cpu_cores");
    }
  });
});
