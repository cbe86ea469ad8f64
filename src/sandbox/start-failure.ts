/** Why a sandbox did not get as far as the guest's first instruction. */
export interface StartFailure {
  readonly kind: "command_not_found" | "not_executable" | "no_cwd" | "other";
  /** runsc's own words. */
  readonly message: string;
}

/** The exit code of runsc for a failure of its own. */
export const RUNSC_FAILURE_EXIT_CODE = 128;

/**
 * Reads what runsc wrote to its log. The guest cannot write there, so an exit code 128 with an empty log is the
 * guest's own.
 * @param log JSON lines with `level` and `msg`
 * @returns null when runsc reports no failure
 */
export function parseStartFailure(log: string): StartFailure | null {
  const message = log
    .split("\n")
    .map(errorMessage)
    .find((text) => text !== null);
  return message == null ? null : { kind: kindOf(message), message };
}

function errorMessage(line: string): string | null {
  try {
    const entry: unknown = JSON.parse(line);
    if (typeof entry !== "object" || entry === null) return null;
    const { level, msg } = entry as { level?: unknown; msg?: unknown };
    return level === "error" && typeof msg === "string" ? msg : null;
  } catch {
    return null;
  }
}

/** By the phrases that runsc's loader and kernel use; an errno text closes the message. */
function kindOf(message: string): StartFailure["kind"] {
  if (message.includes("failed to find initial working directory")) return "no_cwd";
  if (message.includes("error finding executable")) {
    return message.endsWith("permission denied") ? "not_executable" : "command_not_found";
  }
  if (!message.includes("creating process: failed to load")) return "other";
  if (/(no such file or directory|not a directory|file name too long)$/.test(message))
    return "command_not_found";
  return "not_executable";
}
