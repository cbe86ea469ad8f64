import { delimiter } from "node:path";

/** Has this process and its children look for programs in a directory as well, after all others. */
export function addToSearchPath(directory: string, env: NodeJS.ProcessEnv = process.env): void {
  const directories = (env.PATH ?? "").split(delimiter).filter(Boolean);
  if (!directories.includes(directory)) env.PATH = [...directories, directory].join(delimiter);
}
