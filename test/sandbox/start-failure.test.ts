import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseStartFailure, type StartFailure } from "../../src/sandbox/start-failure.ts";

const START = "running container: starting container: starting root container: starting sandbox";
const line = (msg: string, level = "error") =>
  `${JSON.stringify({ msg, level, time: "2025-01-01T00:00:00.000000Z" })}\n`;

describe("the kind of failure, by the words of runsc", () => {
  const cases: [StartFailure["kind"], string][] = [
    [
      "command_not_found",
      `${START}: error finding executable "nosuch" in PATH [/usr/bin /bin]: no such file or directory`,
    ],
    [
      "command_not_found",
      `${START}: error finding executable "${"x".repeat(300)}" in PATH [/bin]: file name too long`,
    ],
    [
      "not_executable",
      `${START}: error finding executable "data" in PATH [/usr/bin /bin]: permission denied`,
    ],
    ["not_executable", `${START}: creating process: failed to load /etc/passwd: permission denied`],
    ["not_executable", `${START}: creating process: failed to load /work/script: exec format error`],
    ["not_executable", `${START}: creating process: failed to load /usr: is a directory`],
    ["command_not_found", `${START}: creating process: failed to load /nosuch: no such file or directory`],
    ["command_not_found", `${START}: creating process: failed to load /etc/passwd/x: not a directory`],
    [
      "no_cwd",
      `${START}: creating process: failed to find initial working directory "/nowhere": no such file or directory`,
    ],
    ["other", `${START}: mounting submounts: failed to create mountpoint`],
    [
      "no_mount_point",
      `${START}: failed to setupFS: mounting submounts: mount submount "/lib/x": creating mount point "/lib/x": failed to create parent directory of mountpoint "/lib/x": not a directory`,
    ],
    [
      "other",
      "creating container: cannot create gofer process: fork/exec /proc/self/exe: resource temporarily unavailable",
    ],
  ];
  for (const [kind, message] of cases) {
    test(`${kind}: ${message.slice(START.length + 2, START.length + 70)}`, () => {
      assert.deepEqual(parseStartFailure(line(message)), { kind, message });
    });
  }
});

describe("words that a client chose do not change the kind", () => {
  const cases: [StartFailure["kind"], string][] = [
    [
      "command_not_found",
      `${START}: error finding executable "failed to find initial working directory" in PATH [/bin]: no such file or directory`,
    ],
    [
      "command_not_found",
      `${START}: error finding executable "creating process: failed to load x" in PATH [/bin]: no such file or directory`,
    ],
    [
      "no_cwd",
      `${START}: creating process: failed to find initial working directory "/error finding executable": no such file or directory`,
    ],
    [
      "command_not_found",
      `${START}: creating process: failed to load /x failed to find initial working directory: no such file or directory`,
    ],
    [
      "command_not_found",
      `${START}: creating process: failed to load /error finding executable permission denied: no such file or directory`,
    ],
  ];
  for (const [kind, message] of cases) {
    test(message.slice(START.length + 2), () => assert.equal(parseStartFailure(line(message))?.kind, kind));
  }
});

describe("the log", () => {
  test("without an error tells of no failure", () => {
    assert.equal(parseStartFailure(""), null);
    assert.equal(parseStartFailure("\n\n"), null);
    assert.equal(parseStartFailure(line("slow start", "warning") + line("done", "info")), null);
  });

  test("may hold lines that are no JSON, no object, or lack a message", () => {
    const noise =
      'panic: x\n"text"\nnull\n[]\n3\n{"level":"error"}\n{"level":"error","msg":3}\n{"msg":"x"}\n{"lev';
    assert.equal(parseStartFailure(noise), null);
    assert.equal(
      parseStartFailure(`${noise}\n${line("creating container: boom")}`)?.message,
      "creating container: boom",
    );
  });

  test("names the first error, which is the cause of the others", () => {
    assert.equal(parseStartFailure(line("w", "warning") + line("first") + line("second"))?.message, "first");
  });
});
