import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EMPTY_FORM, readTryForm, toRunBody, toRunRequest } from "../../../src/dashboard/try/try-form.ts";

test("the form as it is at first means a request that names nothing but image, command and code", () => {
  assert.deepEqual(toRunBody(EMPTY_FORM, []), {
    image: "local/python:3",
    cmd: ["python3", "/work/main.py"],
    inline_files: [{ path: "work/main.py", content: EMPTY_FORM.code }],
  });
});

test("everything that is filled in is in the request", () => {
  const form = {
    ...EMPTY_FORM,
    code: "",
    env: "A=1\n\nB=x y\n",
    stdin: "in\n",
    files: " a/b \n",
    cpu_cores: "0.5",
    memory_mb: "128",
    network: "sandbox",
    persist: "1",
  };
  assert.deepEqual(toRunBody(form, []), {
    image: "local/python:3",
    cmd: ["python3", "/work/main.py"],
    env: ["A=1", "B=x y"],
    stdin: "in\n",
    files: ["a/b"],
    limits: { cpu_cores: 0.5, memory_mb: 128 },
    network: "sandbox",
    persist: true,
  });
});

test("line ends of browsers become those of Unix, and fields that are not there are empty", () => {
  const data = new FormData();
  data.set("code", "a\r\nb");
  assert.deepEqual([readTryForm(data).code, readTryForm(data).image], ["a\nb", ""]);
});

test("files that are no text are sent as base64, and reach the runner as they were", () => {
  const content = new Uint8Array([0xff, 0, 0x41]);
  const body = toRunBody({ ...EMPTY_FORM, code: "" }, [{ path: "work/x", content }]);
  assert.deepEqual(body.inline_files, [{ path: "work/x", content: "/wBB", encoding: "base64" }]);
  assert.deepEqual(new Uint8Array(toRunRequest(body).inlineFiles[0]?.content ?? []), content);
});

describe("what cannot be read is refused by its field", () => {
  const cases: [Partial<typeof EMPTY_FORM>, string][] = [
    [{ image: " " }, "image"],
    [{ command: "  " }, "cmd"],
    [{ memory_mb: "1.5" }, "limits.memory_mb"],
    [{ cpu_cores: "-1" }, "limits.cpu_cores"],
    [{ wall_clock_secs: "soon" }, "limits.wall_clock_secs"],
  ];
  for (const [changes, field] of cases) {
    test(field, () => assert.throws(() => toRunBody({ ...EMPTY_FORM, ...changes }, []), { field }));
  }
});

test("the network that was chosen is asked for, none otherwise", () => {
  for (const network of ["none", "sandbox", "host"]) {
    assert.equal(toRunRequest(toRunBody({ ...EMPTY_FORM, network }, [])).network, network);
  }
});
