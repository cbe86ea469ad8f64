import { platform } from "./platform.ts";

/** The command line that runs a TypeScript file with the runtime of the tests. */
export function scriptArgv(script: string, ...args: string[]): string[] {
  const options = platform.name === "deno" ? ["run", "-A", "--no-check", "--unstable-no-legacy-abort"] : [];
  return [process.execPath, ...options, script, ...args];
}
