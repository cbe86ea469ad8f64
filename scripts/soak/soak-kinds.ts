import assert from "node:assert/strict";
import { BUSYBOX, PYTHON } from "../../test/support/service.ts";

/** One kind of request of the soak: `run` asks, checks every part of the answer, and gives the run's id if it has one. */
export interface SoakKind {
  readonly name: string;
  readonly needsCgroups?: true;
  run(url: string, index: number): Promise<string | undefined>;
}

// biome-ignore lint/suspicious/noExplicitAny: the soak looks at what came over the wire
type Body = any;

async function post(
  url: string,
  body: object,
  signal?: AbortSignal,
): Promise<{ status: number; body: Body }> {
  const response = await fetch(`${url}/run`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ image: BUSYBOX, ...body }),
    signal: signal ?? null,
  });
  return { status: response.status, body: await response.json() };
}

/** A kind whose answer has these values, however else it looks. */
function kind(
  name: string,
  request: (index: number) => object,
  expected: (index: number) => { status: number } & Record<string, unknown>,
  more: { needsCgroups?: true } = {},
): SoakKind {
  return {
    name,
    ...more,
    async run(url, index) {
      const { status, body } = await post(url, request(index));
      const { status: expectedStatus, result, ...rest } = { result: undefined, ...expected(index) };
      const actual = Object.fromEntries(Object.keys(rest).map((key) => [key, body[key]]));
      assert.deepEqual(
        { httpStatus: status, status: body.status, ...actual },
        { httpStatus: expectedStatus, status: result, ...rest },
        JSON.stringify({ ...body, stdout: undefined }).slice(0, 400),
      );
      return body.exec_id;
    },
  };
}

const MIB = 1 << 20;
const WALL_CLOCK_SECS = 4;

/** How long after their limit the runs that took too long were over. */
export const overshoots_ms: number[] = [];

export const SOAK_KINDS: readonly SoakKind[] = [
  kind(
    "echo",
    (index) => ({ cmd: ["echo", `${index}`] }),
    (index) => ({ status: 200, result: "ok", stdout: `${index}\n`, stderr: "", exit_code: 0 }),
  ),
  kind(
    "exit code, stderr, input and output",
    (index) => ({
      cmd: ["sh", "-c", `cat /in; echo err ${index} >&2; echo ${index} > /output/o; exit ${1 + (index % 7)}`],
      inline_files: [{ path: "in", content: `input ${index}` }],
    }),
    (index) => ({
      status: 200,
      result: "nonzero_exit",
      exit_code: 1 + (index % 7),
      stdout: `input ${index}`,
      stderr: `err ${index}\n`,
    }),
  ),
  kind(
    "python",
    (index) => ({ image: PYTHON, cmd: ["python3", "-c", `print(${index} * 2)`] }),
    (index) => ({ status: 200, result: "ok", stdout: `${index * 2}\n` }),
  ),
  kind(
    "stdout up to its limit",
    () => ({ cmd: ["head", "-c", `${MIB}`, "/dev/zero"] }),
    () => ({ status: 200, result: "ok", stdout: "\0".repeat(MIB) }),
  ),
  kind(
    "stdout over its limit",
    () => ({ cmd: ["yes"] }),
    () => ({ status: 507, result: "output_limit", stdout_truncated: true }),
  ),
  {
    name: "time-out",
    async run(url) {
      const limits = { wall_clock_secs: WALL_CLOCK_SECS };
      const { status, body } = await post(url, { cmd: ["sh", "-c", "echo said; sleep 60"], limits });
      assert.deepEqual([status, body.status, body.stdout], [408, "timed_out", "said\n"]);
      overshoots_ms.push(body.wall_ms - WALL_CLOCK_SECS * 1000);
      return body.exec_id;
    },
  },
  kind(
    "killed by a signal",
    () => ({ cmd: ["sh", "-c", "kill -SEGV $$"] }),
    () => ({ status: 200, result: "signaled", signal: "SIGSEGV", exit_code: 139 }),
  ),
  kind(
    "out of memory",
    () => ({
      image: PYTHON,
      cmd: ["python3", "-c", "x = []\nwhile True: x.append(bytearray(1 << 20))"],
      limits: { memory_mb: 48 },
    }),
    () => ({ status: 200, result: "oom_killed", exit_code: 137 }),
    { needsCgroups: true },
  ),
  kind(
    "too much in /output",
    () => ({ cmd: ["sh", "-c", "head -c 2000000 /dev/zero > /output/flood; exit 0"] }),
    () => ({ status: 507, result: "output_files_limit" }),
  ),
  kind(
    "no such command",
    () => ({ cmd: ["nothing-of-this-name"] }),
    () => ({ status: 200, result: "nonzero_exit", exit_code: 127 }),
  ),
  kind(
    "a wrong request",
    () => ({ cmd: [] }),
    () => ({ status: 400, code: "invalid_request" }),
  ),
  {
    name: "kept output, fetched",
    async run(url, index) {
      const { body } = await post(url, { cmd: ["sh", "-c", `echo ${index} > /output/kept`], persist: true });
      const kept = await fetch(`${url}/files?path=output/${body.exec_id}/kept`);
      assert.equal(await kept.text(), `${index}\n`);
      return body.exec_id;
    },
  },
  {
    name: "a client that goes away",
    async run(url, index) {
      const signal = AbortSignal.timeout(50 + (index % 400));
      await assert.rejects(post(url, { cmd: ["sleep", "60"] }, signal));
      return undefined;
    },
  },
];
