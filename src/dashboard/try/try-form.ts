import { BoxerError } from "../../core/errors.ts";
import type { RunRequest } from "../../run/types.ts";
import { splitWords } from "./split-words.ts";

/** The fields of the form, as they were typed. */
export interface TryForm {
  readonly image: string;
  readonly command: string;
  /** Where the code goes; appears at `/{path}`. */
  readonly path: string;
  readonly code: string;
  readonly env: string;
  readonly stdin: string;
  readonly files: string;
  readonly cpu_cores: string;
  readonly memory_mb: string;
  readonly wall_clock_secs: string;
  readonly pids_limit: string;
  readonly network: string;
  readonly persist: string;
}

/** A file sent with the form. */
export interface SentFile {
  readonly path: string;
  readonly content: Uint8Array<ArrayBuffer>;
}

/** What the form holds at first. */
export const EMPTY_FORM: TryForm = {
  image: "local/python:3",
  command: "python3 /work/main.py",
  path: "work/main.py",
  code: 'import platform\n\nprint("hello from", platform.machine())\n',
  env: "",
  stdin: "",
  files: "",
  cpu_cores: "",
  memory_mb: "",
  wall_clock_secs: "",
  pids_limit: "",
  network: "none",
  persist: "",
};

/** The body of `POST /run` that a form means. */
export interface RunBody {
  image: string;
  cmd: [string, ...string[]];
  env?: string[];
  stdin?: string;
  files?: string[];
  inline_files?: { path: string; content: string; encoding?: "base64" }[];
  limits?: Partial<Record<LimitName, number>>;
  network?: "sandbox" | "host";
  persist?: true;
}

const LIMITS = ["cpu_cores", "memory_mb", "wall_clock_secs", "pids_limit"] as const;
type LimitName = (typeof LIMITS)[number];

/** Reads the form's fields; line ends become those of Unix. Pure. */
export function readTryForm(data: FormData): TryForm {
  const keys = Object.keys(EMPTY_FORM) as (keyof TryForm)[];
  const text = (key: string) => {
    const value = data.get(key);
    return typeof value === "string" ? value.replaceAll("\r\n", "\n") : "";
  };
  return Object.fromEntries(keys.map((key) => [key, text(key)])) as unknown as TryForm;
}

/**
 * The request that a form means, in the words of the API. Pure.
 * @throws BoxerError `invalid_request` for what cannot be read
 */
export function toRunBody(form: TryForm, sent: readonly SentFile[]): RunBody {
  const [program, ...rest] = splitWords(form.command);
  if (!form.image.trim()) throw wrong("image", "image is required");
  if (program === undefined) throw wrong("cmd", "the command must not be empty");
  const lines = (text: string) => text.split("\n").filter((line) => line.trim() !== "");
  const inline_files = sent.map(({ path, content }) => inlineFile(path, content));
  if (form.code !== "") inline_files.unshift({ path: form.path.trim(), content: form.code });
  const [env, files, limits] = [
    lines(form.env),
    lines(form.files).map((line) => line.trim()),
    limitsOf(form),
  ];
  return {
    image: form.image.trim(),
    cmd: [program, ...rest],
    ...(env.length > 0 && { env }),
    ...(form.stdin !== "" && { stdin: form.stdin }),
    ...(files.length > 0 && { files }),
    ...(inline_files.length > 0 && { inline_files }),
    ...(Object.keys(limits).length > 0 && { limits }),
    ...((form.network === "sandbox" || form.network === "host") && { network: form.network }),
    ...(form.persist !== "" && { persist: true as const }),
  };
}

/** The same request for the runner. Pure. */
export function toRunRequest(body: RunBody): RunRequest {
  return {
    image: body.image,
    cmd: body.cmd,
    env: body.env ?? [],
    cwd: undefined,
    useEntrypoint: false,
    user: undefined,
    pull: "missing",
    limits: body.limits ?? {},
    files: body.files ?? [],
    inlineFiles: (body.inline_files ?? []).map(({ path, content, encoding }) => ({
      path,
      content: Buffer.from(content, encoding ?? "utf8"),
    })),
    stdin: body.stdin === undefined ? undefined : new TextEncoder().encode(body.stdin),
    persist: body.persist ?? false,
    onOutputLimit: "fail",
    network: body.network ?? "none",
    egress: undefined,
    bandwidth_kbps: undefined,
  };
}

function limitsOf(form: TryForm): Partial<Record<LimitName, number>> {
  const limits: Partial<Record<LimitName, number>> = {};
  for (const name of LIMITS) {
    const text = form[name].trim();
    if (text === "") continue;
    const value = Number(text);
    const isWhole = name === "memory_mb" || name === "pids_limit";
    if (!Number.isFinite(value) || value < 0 || (isWhole && !Number.isInteger(value))) {
      throw wrong(
        `limits.${name}`,
        `limits.${name} must be a ${isWhole ? "whole " : ""}number that is not negative`,
      );
    }
    limits[name] = value;
  }
  return limits;
}

function inlineFile(
  path: string,
  content: Uint8Array<ArrayBuffer>,
): NonNullable<RunBody["inline_files"]>[number] {
  try {
    return { path, content: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content) };
  } catch {
    return { path, content: Buffer.from(content).toString("base64"), encoding: "base64" };
  }
}

function wrong(field: string, message: string): BoxerError {
  return new BoxerError("invalid_request", message, { field });
}
