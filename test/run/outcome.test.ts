import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BoxerError } from "../../src/core/errors.ts";
import { outcomeOf, statusAfterCapture } from "../../src/run/outcome.ts";
import type { SandboxExit } from "../../src/sandbox/inspect-exit.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** The end of a sandbox that said "out" and "err"; exits with 0 unless told otherwise. */
const exit = (changes: Partial<SandboxExit> = {}): SandboxExit => ({
  status: { code: 0, signal: null },
  stop: null,
  stdout: { bytes: bytes("out"), truncated: false },
  stderr: { bytes: bytes("err"), truncated: false },
  wall_ms: 1,
  started: true,
  startFailure: null,
  panic: null,
  oomKilled: false,
  usage: null,
  warm: false,
  ...changes,
});
const withCode = (code: number) => exit({ status: { code, signal: null } });
const startFailure = (kind: NonNullable<SandboxExit["startFailure"]>["kind"]) =>
  exit({ status: { code: 128, signal: null }, startFailure: { kind, message: `runsc said ${kind}` } });

const text = (value: Uint8Array) => Buffer.from(value).toString();

/** The outcome without its streams, which must be those of the program. */
function outcome(ended: SandboxExit) {
  const { stdout, stderr, ...rest } = outcomeOf(ended, "program");
  assert.deepEqual([text(stdout), text(stderr)], ["out", "err"]);
  return rest;
}

function assertFault(ended: SandboxExit, code: string, message: RegExp): void {
  assert.throws(
    () => outcomeOf(ended, "program"),
    (error) => {
      assert.ok(error instanceof BoxerError, String(error));
      assert.equal(error.code, code);
      assert.match(error.message, message);
      return true;
    },
  );
}

describe("a program that ended by itself", () => {
  test("with 0 is ok", () => {
    assert.deepEqual(outcome(exit()), { status: "ok", exit_code: 0, signal: null });
  });

  for (const code of [1, 2, 64, 126, 127, 128, 128 + 32, 192, 255]) {
    test(`with ${code} has a non-zero exit`, () => {
      assert.deepEqual(outcome(withCode(code)), { status: "nonzero_exit", exit_code: code, signal: null });
    });
  }

  const signals: [number, string][] = [
    [1, "SIGHUP"],
    [2, "SIGINT"],
    [3, "SIGQUIT"],
    [4, "SIGILL"],
    [6, "SIGABRT"],
    [7, "SIGBUS"],
    [8, "SIGFPE"],
    [9, "SIGKILL"],
    [11, "SIGSEGV"],
    [13, "SIGPIPE"],
    [15, "SIGTERM"],
    [29, "SIGIO"],
    [31, "SIGSYS"],
  ];
  for (const [number, signal] of signals) {
    test(`with ${128 + number} was ended by ${signal}`, () => {
      const expected = { status: "signaled", exit_code: 128 + number, signal };
      assert.deepEqual(outcome(withCode(128 + number)), expected);
    });
  }
});

describe("a program that was stopped", () => {
  const ends: [string, SandboxExit["status"]][] = [
    ["runsc ended by itself", { code: 128, signal: null }],
    ["runsc ended with 137", { code: 137, signal: null }],
    ["runsc was killed", { code: null, signal: "SIGKILL" }],
    ["the program ended in the same moment", { code: 0, signal: null }],
  ];
  for (const stop of ["timed_out", "output_limit", "canceled"] as const) {
    for (const [name, status] of ends) {
      test(`is ${stop} when ${name}, and keeps its output`, () => {
        const expected = { status: stop, exit_code: 137, signal: "SIGKILL" };
        assert.deepEqual(outcome(exit({ stop, status })), expected);
      });
    }
  }

  test("is told as stopped, whatever runsc and the sentry said while they died", () => {
    const noise = { startFailure: { kind: "other", message: "EOF" }, panic: "panic: x" } as const;
    assert.equal(outcome(exit({ stop: "timed_out", ...noise })).status, "timed_out");
  });
});

describe("a program whose sandbox the kernel killed for want of memory", () => {
  const killed = { status: "oom_killed", exit_code: 137, signal: "SIGKILL" };
  const ends: [string, Partial<SandboxExit>][] = [
    ["runsc ended with 137", { status: { code: 137, signal: null } }],
    ["runsc ended with 128", { status: { code: 128, signal: null } }],
    ["runsc was killed", { status: { code: null, signal: "SIGKILL" } }],
    ["the sentry told of a crash meanwhile", { status: { code: 2, signal: null }, panic: "panic: x" }],
    [
      "runsc could not start the sandbox for that",
      { status: { code: 128, signal: null }, startFailure: { kind: "other", message: "EOF" } },
    ],
    ["the watch saw it first", { status: { code: 137, signal: null }, stop: "oom_killed" }],
  ];
  for (const [name, end] of ends) {
    test(`is told so when ${name}, and keeps its output`, () => {
      assert.deepEqual(outcome(exit({ oomKilled: true, ...end })), killed);
    });
  }

  test("is told from any other SIGKILL", () => {
    assert.equal(outcome(withCode(137)).status, "signaled");
  });

  for (const stop of ["timed_out", "output_limit", "output_files_limit", "canceled"] as const) {
    test(`is ${stop} when that came first`, () => {
      const status = { code: 137, signal: null };
      assert.equal(outcome(exit({ stop, status, oomKilled: true })).status, stop);
    });
  }

  test("is ok where it could still end with 0", () => {
    assert.equal(outcome(exit({ oomKilled: true })).status, "ok");
  });
});

describe("too much in /output", () => {
  const cases = [
    ["ok", "output_files_limit"],
    ["nonzero_exit", "output_files_limit"],
    ["signaled", "output_files_limit"],
    ["timed_out", "timed_out"],
    ["oom_killed", "oom_killed"],
    ["output_limit", "output_limit"],
    ["output_files_limit", "output_files_limit"],
    ["canceled", "canceled"],
  ] as const;
  for (const [status, told] of cases) {
    test(`after ${status} is told as ${told}`, () => {
      const ended = { ...outcomeOf(exit(), "program"), status };
      assert.equal(statusAfterCapture(ended, true), told);
      assert.equal(statusAfterCapture(ended, false), status);
    });
  }
});

describe("a program that could not be started is told as a shell tells it", () => {
  const cases = [
    ["command_not_found", 127, "program: command not found\n"],
    ["not_executable", 126, "program: cannot be executed\n"],
  ] as const;
  for (const [kind, exit_code, words] of cases) {
    test(kind, () => {
      const { stdout, stderr, ...rest } = outcomeOf(startFailure(kind), "program");
      assert.deepEqual(rest, { status: "nonzero_exit", exit_code, signal: null });
      assert.deepEqual([text(stdout), text(stderr)], ["", words]);
    });
  }
});

describe("a fault of the host or of gVisor is an error", () => {
  for (const kind of ["no_cwd", "other"] as const) {
    test(`a sandbox that did not start: ${kind}`, () => {
      assertFault(startFailure(kind), "sandbox_failed", new RegExp(`runsc said ${kind}$`));
    });
  }

  test("a crash of the sentry, told by the first line of its report", () => {
    const crashed = exit({
      status: { code: 2, signal: null },
      panic: "panic: boom\ngoroutine 1:\n\t/x.go:1",
    });
    assertFault(crashed, "sandbox_crashed", /panic: boom$/);
  });

  test("a crash that ended runsc by a signal", () => {
    const crashed = exit({ status: { code: null, signal: "SIGABRT" }, panic: "fatal error: x" });
    assertFault(crashed, "sandbox_crashed", /fatal error: x$/);
  });

  test("runsc killed by somebody else", () => {
    assertFault(exit({ status: { code: null, signal: "SIGKILL" } }), "sandbox_failed", /SIGKILL/);
    assertFault(exit({ status: { code: null, signal: null } }), "sandbox_failed", /a signal/);
  });
});

test("a runsc that ends without a sandbox is a fault of ours, whatever it says", () => {
  for (const code of [0, 1, 2, 137]) {
    assertFault({ ...withCode(code), started: false }, "sandbox_failed", /without a sandbox/);
  }
});

test("a runsc that hangs before there is a sandbox is a fault of ours", () => {
  assertFault({ ...withCode(137), started: false, stop: "not_started" }, "sandbox_not_started", /no sandbox/);
});
