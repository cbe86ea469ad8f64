import { readFile } from "node:fs/promises";

/** The machine's own Debian release, such as `bookworm`; `stable` where it does not say. */
export async function machineSuite(): Promise<string> {
  const release = await readFile("/etc/os-release", "utf8").catch(() => "");
  return /^VERSION_CODENAME=(\S+)/m.exec(release)?.[1] ?? "stable";
}
