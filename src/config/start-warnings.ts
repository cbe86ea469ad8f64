import type { Config } from "./config.ts";
import { isLoopback } from "./listen-address.ts";

/**
 * What an operator should know of a configuration before relying on it. Pure.
 * @param isRoot whether the server runs as root
 * @param unenforced the limits that nothing enforces on this host, with the reasons
 */
export function startWarnings(
  config: Pick<Config, "listen">,
  isRoot: boolean,
  unenforced: readonly string[],
): string[] {
  const warnings: string[] = [];
  if (!isRoot) warnings.push("Not root: guests cannot write to /output");
  if (unenforced.length > 0) warnings.push(`Limits are not enforced on this host: ${unenforced.join("; ")}`);
  if (!isLoopback(config.listen)) {
    warnings.push(
      "Listening beyond loopback without authentication: whoever reaches this port can run code here",
    );
  }
  return warnings;
}
