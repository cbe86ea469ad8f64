import Type, { type Static } from "typebox";
import { LIMIT } from "../config/limits-schema.ts";
import { BoxerError } from "../core/errors.ts";
import { optional } from "../core/nullable.ts";
import type { RunRequest, RunResult, RunStatus } from "../run/types.ts";
import { Egress, NetworkUsage } from "./network-model.ts";

const MIB = 1 << 20;

const noNul = { pattern: "^[^\\u0000]*$" };

const Limits = Type.Object(
  {
    cpu_cores: optional(LIMIT.cpu_cores, "CPU cores, fractional."),
    memory_mb: optional(LIMIT.memory_mb, "Memory in MB (2^20 bytes)."),
    pids_limit: optional(LIMIT.pids_limit, "Processes and threads."),
    wall_clock_secs: optional(LIMIT.wall_clock_secs, "Longest run time; then 408."),
    nofile: optional(LIMIT.nofile, "Open files of each process."),
  },
  { additionalProperties: false },
);

const InlineFile = Type.Object(
  {
    path: Type.String({ minLength: 1, description: "Appears read-only at `/{path}`." }),
    content: Type.String({ description: "The file's content." }),
    encoding: Type.Optional(
      Type.Enum(["utf8", "base64"], {
        description: "Of `content`. Default `utf8`; `base64` as in RFC 4648, section 4, padded.",
      }),
    ),
  },
  { additionalProperties: false },
);

/** The body of `POST /run`. */
export const RunBody = Type.Object(
  {
    image: Type.String({ minLength: 1, description: "OCI image reference." }),
    cmd: Type.Array(Type.String(noNul), {
      minItems: 1,
      description: "argv; the first is looked up in the container's PATH. No shell is involved.",
    }),
    env: optional(Type.Array(Type.String()), "`NAME=value`, over the image's own."),
    cwd: optional(
      Type.String({ pattern: "^(/[^\\u0000]*)?$" }),
      "Working directory, absolute. Default: the image's, else `/`. Made when the image lacks it.",
    ),
    use_entrypoint: optional(
      Type.Boolean(),
      "Put the image's ENTRYPOINT before `cmd`. Default false: argv is argv.",
    ),
    user: optional(
      Type.String({ pattern: "^(image|\\d{1,10}(:\\d{1,10})?)$" }),
      "`uid`, `uid:gid`, or `image` for the image's own USER. Default 65534:65534. Root only if the operator allows it.",
    ),
    pull: optional(
      Type.Enum(["missing", "always", "never"]),
      "When to ask the registry: for what is absent or aged (default `missing`), each time, or not at all.",
    ),
    limits: optional(Limits, "Each null, 0 or absent means the configured default."),
    files: optional(Type.Array(Type.String()), "Uploaded files; each appears read-only at `/{path}`."),
    persist: optional(
      Type.Boolean(),
      "Keep the input files and the captured outputs after the run. Default false.",
    ),
    network: optional(
      Type.Enum(["none", "sandbox", "host"]),
      "`none` (default): loopback only. `sandbox`: a network of its own behind a wall, from which it reaches the public " +
        "internet or what `egress` says, never the host or another run. `host`: the host's own network, only if the " +
        "operator allows it.",
    ),
    egress: optional(Egress, "With `network` `sandbox` only. Never more than the operator permits."),
    bandwidth_kbps: optional(
      Type.Integer({ minimum: 8, maximum: 10_000_000 }),
      "Bits a second / 1000 that the run may send, and may receive. With `network` `sandbox` only.",
    ),
    on_output_limit: optional(
      Type.Enum(["fail", "truncate"]),
      "What becomes of a program that writes more than `output_limit_bytes` to stdout or stderr. `fail` (default): it is " +
        "stopped, and answered with 507. `truncate`: it goes on, and what is beyond is dropped.",
    ),
    stdin: optional(Type.String(), "Text for the program's standard input. Default: end of file at once."),
    inline_files: optional(Type.Array(InlineFile), "Files that come with the request; never stored."),
  },
  {
    additionalProperties: false,
    examples: [
      { image: "local/python:3", cmd: ["python3", "-c", "print(42)"] },
      {
        image: "local/python:3",
        cmd: ["python3", "fetch.py"],
        network: "sandbox",
        egress: { allow: ["api.example.com:443", "203.0.113.0/24:443"] },
      },
    ],
  },
);

/** Every way for a run to have ended, on the wire. */
export const RUN_STATUSES = [
  "ok",
  "nonzero_exit",
  "signaled",
  "timed_out",
  "oom_killed",
  "output_limit",
  "output_files_limit",
  "canceled",
] as const satisfies RunStatus[];

/** Processor time of a run. */
export const Cpu = Type.Union(
  [
    Type.Object({
      user: Type.Integer({ description: "In programs." }),
      system: Type.Integer({ description: "In the kernel." }),
    }),
    Type.Null(),
  ],
  { description: "Processor time of the sandbox, gVisor's own included; null without cgroups." },
);

const Output = Type.Object({
  path: Type.String({ description: "For `GET /files?path=`." }),
  size_bytes: Type.Integer(),
});
const Skipped = Type.Object({ path: Type.String(), reason: Type.String() });

/** What is known of every run that was started, whatever its end. */
export const RunResponse = Type.Object({
  exec_id: Type.String(),
  exit_code: Type.Integer({
    description: "The program's; 128+N when signal N ended it; 127 not found, 126 not executable.",
  }),
  stdout: Type.String({ description: "What is not UTF-8 is decoded with U+FFFD." }),
  stderr: Type.String(),
  wall_ms: Type.Integer({ description: "From the start of the sandbox to its end." }),
  status: Type.Enum(RUN_STATUSES, {
    description:
      "The first reason for the end. `signaled` is told by the exit code alone: a program that itself exits with 128+N " +
      "reads so too, since gVisor reports no more than the number. `oom_killed`: the kernel ended the sandbox for want " +
      "of memory.",
  }),
  signal: Type.Union([Type.String(), Type.Null()], {
    description: "What ended the program, such as `SIGKILL`; null when it ended by itself.",
  }),
  cpu_ms: Cpu,
  peak_memory_mb: Type.Union([Type.Number(), Type.Null()], {
    description:
      "Most memory (2^20 bytes) that the sandbox had at a time, gVisor's own included; null where unknown.",
  }),
  stdout_truncated: Type.Boolean({ description: "Whether the program wrote more than `stdout` holds." }),
  stderr_truncated: Type.Boolean({ description: "Likewise for `stderr`." }),
  queue_ms: Type.Integer({ description: "Waiting for a free sandbox." }),
  boot_ms: Type.Integer({ description: "Image pull and preparation, before the sandbox starts." }),
  warm: Type.Boolean({ description: "Whether the sandbox had been booted before the request came." }),
  image_digest: Type.String(),
  network_usage: NetworkUsage,
  outputs: Type.Array(Output, { description: "Files found in /output." }),
  outputs_skipped: Type.Array(Skipped, { description: "What in /output was not kept, and why." }),
  warnings: Type.Array(Type.String(), {
    description: "What was not as the request could expect, such as a limit that this host does not enforce.",
  }),
});

/** What a run without a success carries on top. */
export const StoppedRunResponse = Type.Intersect([
  Type.Object({ error: Type.String(), code: Type.String() }),
  RunResponse,
]);

/**
 * From the wire to the domain; every field has been validated.
 * @throws BoxerError `invalid_request` for an inline file that is not base64, naming its content
 */
export function toRunRequest(body: Static<typeof RunBody>): RunRequest {
  return {
    image: body.image,
    cmd: body.cmd as [string, ...string[]],
    env: body.env ?? [],
    cwd: body.cwd || undefined,
    useEntrypoint: body.use_entrypoint ?? false,
    user: body.user ?? undefined,
    pull: body.pull ?? "missing",
    limits: body.limits ?? {},
    files: body.files ?? [],
    inlineFiles: (body.inline_files ?? []).map(({ path, content, encoding }, index) => ({
      path,
      content: encoding === "base64" ? decodeBase64(content, index) : Buffer.from(content),
    })),
    stdin: body.stdin == null ? undefined : new TextEncoder().encode(body.stdin),
    persist: body.persist ?? false,
    onOutputLimit: body.on_output_limit ?? "fail",
    network: body.network ?? "none",
    egress: body.egress ?? undefined,
    bandwidth_kbps: body.bandwidth_kbps ?? undefined,
  };
}

/** `Buffer.from` leaves out what is not base64, so that a broken file would reach the program without a word. */
function decodeBase64(content: string, index: number): Buffer {
  const bytes = Buffer.from(content, "base64");
  if (bytes.toString("base64") === content) return bytes;
  const field = `inline_files[${index}].content`;
  throw new BoxerError("invalid_request", `${field} is not base64 (RFC 4648, section 4)`, { field });
}

/** {@link RunResponse}, its texts in whatever form. */
type RunAnswer<Text> = Omit<Static<typeof RunResponse>, "stdout" | "stderr"> &
  Readonly<Record<"stdout" | "stderr", Text>>;

/** From the domain to the wire. */
export function toRunResponse<Text>(result: RunResult, stdout: Text, stderr: Text): RunAnswer<Text> {
  return {
    exec_id: result.exec_id,
    exit_code: result.exit_code,
    stdout,
    stderr,
    wall_ms: result.wall_ms,
    status: result.status,
    signal: result.signal,
    cpu_ms: result.cpu_ms,
    peak_memory_mb: toMegabytes(result.peak_memory_bytes),
    stdout_truncated: result.stdout_truncated,
    stderr_truncated: result.stderr_truncated,
    queue_ms: result.queue_ms,
    boot_ms: result.boot_ms,
    warm: result.warm,
    image_digest: result.image_digest,
    network_usage: result.network_usage,
    outputs: [...result.outputs],
    outputs_skipped: [...result.outputs_skipped],
    warnings: [...result.warnings],
  };
}

/** In MB of 2^20 bytes, to a tenth. */
export function toMegabytes(bytes: number | null): number | null {
  return bytes === null ? null : Math.round((10 * bytes) / MIB) / 10;
}
