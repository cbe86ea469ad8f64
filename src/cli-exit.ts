/** Exit codes of sysexits(3). */
export const EX_USAGE = 64;
export const EX_DATAERR = 65;
export const EX_NOINPUT = 66;
export const EX_UNAVAILABLE = 69;
export const EX_SOFTWARE = 70;
export const EX_CONFIG = 78;

/** Says what was asked for, on stdout; the exit code is that of success. */
export function say(text: string): number {
  process.stdout.write(text);
  return 0;
}

/** Says what is wrong, on stderr; the exit code is `code`. */
export function complain(text: string, code: number): number {
  process.stderr.write(`${text.trimEnd()}\n`);
  return code;
}
