/** Why a sandbox did not get as far as the guest's first instruction. */
export interface StartFailure {
  readonly kind: "command_not_found" | "not_executable" | "no_cwd" | "no_mount_point" | "other";
  /** runsc's own words. */
  readonly message: string;
}

/** The exit code of runsc for a failure of its own. */
export const RUNSC_FAILURE_EXIT_CODE = 128;

/** Where one entry ends and the next begins: runsc and its gofer write nothing between. In a string it has a backslash. */
const BOUNDARY = /(?<=\})(?=\{")/;

/**
 * Reads what runsc wrote to its log. The guest cannot write there, so an exit code 128 with an empty log is the
 * guest's own.
 * @param log JSON objects with `level` and `msg`
 * @returns null when runsc reports no failure
 */
export function parseStartFailure(log: string): StartFailure | null {
  const entries = log.split("\n").flatMap((line) => line.split(BOUNDARY));
  const message = entries.map(errorMessage).find((text) => text !== null);
  return message == null ? null : { kind: kindOf(message), message };
}

function errorMessage(entry: string): string | null {
  try {
    const parsed: unknown = JSON.parse(entry);
    if (typeof parsed !== "object" || parsed === null) return null;
    const { level, msg } = parsed as { level?: unknown; msg?: unknown };
    return level === "error" && typeof msg === "string" ? msg : null;
  } catch {
    return null;
  }
}

/**
 * What runsc's loader and kernel say, after the stages that they have got to. Only what comes first counts: the rest of
 * the message holds names that the client chose. An errno text closes it.
 */
const PHRASE =
  /^(?:[A-Za-z ]+: )*?(error finding executable "|mount submount "|creating process: failed to (?:load |find initial working directory "))/;

function kindOf(message: string): StartFailure["kind"] {
  const phrase = PHRASE.exec(message)?.[1] ?? "";
  if (phrase.includes("working directory")) return "no_cwd";
  if (phrase.startsWith("mount")) return "no_mount_point";
  if (phrase.startsWith("error finding")) {
    return message.endsWith("permission denied") ? "not_executable" : "command_not_found";
  }
  if (phrase === "") return "other";
  const isMissing = /(no such file or directory|not a directory|file name too long)$/.test(message);
  return isMissing ? "command_not_found" : "not_executable";
}
