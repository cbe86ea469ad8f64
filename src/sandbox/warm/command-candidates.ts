import { posix } from "node:path";

/**
 * The paths at which gVisor looks for a command when it boots a sandbox for it: a name with a slash is meant from the
 * working directory on, any other is looked for in the directories of the first PATH, where those count that are
 * absolute. Pure.
 * @param name argv[0]
 * @param env `NAME=value`
 */
export function commandCandidates(name: string, env: readonly string[], cwd: string): string[] {
  if (name.startsWith("/")) return [name];
  if (name.includes("/")) return [clean(posix.join(cwd, name))];
  const prefix = "PATH=";
  const path = env.find((entry) => entry.startsWith(prefix))?.slice(prefix.length) ?? "";
  const directories = path.split(":").filter((directory) => directory.startsWith("/"));
  return directories.map((directory) => clean(posix.join(directory, name)));
}

/** As Go's path.Join has it: no slash at the end. */
function clean(path: string): string {
  return path.replace(/(?<=.)\/$/, "");
}
