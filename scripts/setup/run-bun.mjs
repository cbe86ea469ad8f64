import { spawn } from "node:child_process";
import { constants } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The directory of package.json. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

// What is typed at a terminal reaches every process there; passing it on as well would make two of one.
const TYPED = /** @type {const} */ (["SIGINT", "SIGQUIT"]);
const SENT = /** @type {const} */ (["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"]);

/**
 * Runs a TypeScript file with bun in place of this process as far as that can be done: the same terminal, signals
 * passed on, its exit code returned (128 + N when signal N ended it).
 *
 * @param {string} script path below the root
 * @param {readonly string[]} args
 * @returns {Promise<number>}
 */
export function runBun(script, args) {
  const child = spawn(join(ROOT, "node_modules/.bin/bun"), [join(ROOT, script), ...args], {
    stdio: "inherit",
  });
  const forward = /** @param {NodeJS.Signals} signal */ (signal) => child.kill(signal);
  const ignore = () => {};
  for (const signal of SENT) process.on(signal, forward);
  for (const signal of TYPED) process.on(signal, process.stdin.isTTY ? ignore : forward);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      for (const name of [...SENT, ...TYPED]) process.off(name, forward).off(name, ignore);
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
    });
  });
}
