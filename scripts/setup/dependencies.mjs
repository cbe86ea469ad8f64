import { spawn } from "node:child_process";
import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";

/** A runtime is tens of megabytes; what stands in its place until its install script has run is a few hundred bytes. */
const SMALLEST_RUNTIME_BYTES = 1_000_000;

const ALIVE_AFTER_MS = 10_000;

/** Packages whose install script puts a runtime in place, and that script. */
const BUN = { program: "node_modules/.bin/bun", directory: "node_modules/bun", script: "install.js" };
const DENO = { program: "node_modules/.bin/deno", directory: "node_modules/deno", script: "install.cjs" };

/**
 * @typedef {{ version?: string, integrity?: string, dev?: boolean, optional?: boolean, devOptional?: boolean,
 *   link?: boolean }} LockedPackage
 * @typedef {{ packages?: Record<string, LockedPackage> }} Lock
 */

/**
 * Says whether `installed`, the lock that npm keeps in node_modules, has all that package-lock.json asks for.
 * Optional packages may be missing: most are for other platforms.
 *
 * @param {Lock} wanted
 * @param {Lock} installed
 * @param {boolean} withDev whether development dependencies count
 */
export function isInstalled(wanted, installed, withDev) {
  return Object.entries(wanted.packages ?? {}).every(([path, locked]) => {
    if (path === "" || (locked.dev && !withDev)) return true;
    const there = installed.packages?.[path];
    if (!there) return locked.optional === true || locked.devOptional === true;
    return there.version === locked.version && there.integrity === locked.integrity;
  });
}

/**
 * Makes sure that node_modules holds what package-lock.json says; runs `npm ci` if not. Prints one line when it
 * had something to do. Throws when npm fails.
 *
 * @param {string} root the directory of package.json
 * @param {{ dev: boolean }} options `dev`: development dependencies are needed too
 */
export async function ensureDependencies(root, { dev }) {
  const wanted = readLock(join(root, "package-lock.json"));
  const installed = readLock(join(root, "node_modules/.package-lock.json"));
  const runtimes = dev ? [BUN, DENO] : [BUN];
  const missing = () => runtimes.filter(({ program }) => !isRuntime(join(root, program)));
  if (isInstalled(wanted, installed, dev) && missing().length === 0) return;
  const started = performance.now();
  const keepDev = Object.values(installed.packages ?? {}).some((locked) => locked.dev);
  const args = ["ci", "--no-audit", "--no-fund", ...(dev || keepDev ? [] : ["--omit=dev"])];
  console.error(`dependencies   npm ${args.join(" ")} …`);
  await run("npm", args, root);
  // Where npm is told to run no install scripts, the runtimes still have to be put in their place.
  for (const { directory, script } of missing()) await run(process.execPath, [script], join(root, directory));
  console.error(`dependencies   node_modules (${((performance.now() - started) / 1000).toFixed(2)} s)`);
}

/**
 * @param {string} path
 * @returns {Lock} an empty one when there is none
 */
function readLock(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
}

/** @param {string} path */
function isRuntime(path) {
  return existsSync(path) && statSync(realpathSync(path)).size > SMALLEST_RUNTIME_BYTES;
}

/**
 * @param {string} file
 * @param {string[]} args
 * @param {string} cwd
 * @returns {Promise<void>}
 */
function run(file, args, cwd) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, stdio: ["ignore", "inherit", "inherit"] });
    const alive = setInterval(() => console.error("dependencies   still at it …"), ALIVE_AFTER_MS);
    child.on("error", reject);
    child.on("close", (code) => {
      clearInterval(alive);
      if (code === 0) resolve();
      else reject(new Error(`${file} ${args[0]} failed with exit code ${code}`));
    });
  });
}
