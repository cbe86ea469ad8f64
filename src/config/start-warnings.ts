import type { Config } from "./config.ts";
import { isLoopback } from "./listen-address.ts";

/**
 * What an operator should know of a configuration before relying on it. Pure.
 * @param isRoot whether the server runs as root
 */
export function startWarnings(config: Pick<Config, "ignore_cgroups" | "listen">, isRoot: boolean): string[] {
  const warnings: string[] = [];
  if (!isRoot) warnings.push("Not root: no cgroups, and guests cannot write to /output");
  else if (config.ignore_cgroups) {
    warnings.push("cgroups are ignored: CPU and memory limits are not enforced on the host");
  }
  if (!isLoopback(config.listen)) {
    warnings.push(
      "Listening beyond loopback without authentication: whoever reaches this port can run code here",
    );
  }
  return warnings;
}
