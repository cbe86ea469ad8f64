import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { errnoOf, messageOf } from "../core/errors.ts";
import { compileSchema } from "../core/schema.ts";
import { complainOfCapacity } from "./capacity.ts";
import { type Config, completeConfig } from "./config.ts";
import { type ConfigFile, ConfigSchema } from "./config-schema.ts";
import { complainOfDashboard } from "./dashboard-access.ts";
import { complainOfDnsServers } from "./dns-servers.ts";
import { parseListenAddress } from "./listen-address.ts";

/** The configuration cannot be used; the message names the file and the key. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** Where the configuration came from. */
export interface LoadedConfig {
  config: Config;
  /** Path of the file read, or null for the built-in defaults. */
  source: string | null;
}

const checker = compileSchema(ConfigSchema);
const DEFAULT_LISTEN_ADDR = ":8080";

/**
 * Reads the configuration: `--config FILE`, else `$BOXER_CONFIG`, else `~/.boxer/config.json` if it exists, else the
 * built-in defaults.
 * @param flag the value of `--config`, if given
 * @throws ConfigError for a file that is missing (when named), is not JSON, or has an unknown or ill-typed key
 */
export async function loadConfig(
  flag: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<LoadedConfig> {
  const userHome = env.HOME || homedir();
  const named = flag ?? (env.BOXER_CONFIG || undefined);
  const path = named ?? join(userHome, ".boxer", "config.json");
  const text = await read(path, named !== undefined);
  if (text === null) return { config: parseConfig("{}", "built-in defaults", userHome), source: null };
  return { config: parseConfig(text, path, userHome), source: path };
}

/**
 * Checks a configuration's text and completes it.
 * @param name how errors call the configuration, usually its path
 * @throws ConfigError naming the key at fault
 */
export function parseConfig(text: string, name: string, userHome: string): Config {
  const file = check(parseJson(text, name), name);
  const listen = parseListenAddress(file.listen_addr ?? DEFAULT_LISTEN_ADDR);
  if (!listen) {
    throw new ConfigError(`${name}: listen_addr must be like ":8080", "127.0.0.1:8080" or "[::1]:8080"`);
  }
  const config = completeConfig(file, listen, userHome);
  const complaint =
    complainOfCapacity(config) ??
    complainOfDashboard(config.dashboard) ??
    complainOfDnsServers(config.dns_servers);
  if (complaint !== null) throw new ConfigError(`${name}: ${complaint}`);
  for (const key of ["home", "runsc_path", "mkfs_erofs_path", "docker_socket"] as const) {
    const path = config[key];
    if (path && !isAbsolute(path)) {
      throw new ConfigError(`${name}: ${key} must be an absolute path or begin with ~/`);
    }
  }
  return config;
}

function check(value: unknown, name: string): ConfigFile {
  const complaint = checker.complain(value);
  if (complaint) throw new ConfigError(`${name}: ${complaint.message}`);
  return value as ConfigFile;
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ConfigError(`${name}: not valid JSON: ${messageOf(error)}`, { cause: error });
  }
}

async function read(path: string, required: boolean): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT" && !required) return null;
    throw new ConfigError(`${path}: cannot read the configuration: ${messageOf(error)}`, { cause: error });
  }
}
