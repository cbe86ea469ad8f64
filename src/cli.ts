import { parseArgs } from "node:util";
import type { Logger } from "pino";
import packageJson from "../package.json" with { type: "json" };
import { complain, EX_CONFIG, EX_UNAVAILABLE, EX_USAGE, say } from "./cli-exit.ts";
import { importCommand } from "./cli-import.ts";
import { ListenError, startService } from "./compose.ts";
import { readOperatorEgress } from "./compose-network.ts";
import type { Config } from "./config/config.ts";
import { hideSecrets } from "./config/dashboard-access.ts";
import { ConfigError, loadConfig } from "./config/load-config.ts";
import { messageOf } from "./core/errors.ts";
import { createLog } from "./core/log.ts";
import { HomeInUseError } from "./platform/home-lock.ts";
import type { Platform } from "./platform/platform.ts";

const HELP = `Boxer ${packageJson.version}: ${packageJson.description}

Usage: boxer [--config FILE] [--check-config] [--help] [--version]
       boxer import FILE|DIRECTORY|- [--reference NAME] [--config FILE]

  --config FILE   configuration (JSON); else $BOXER_CONFIG, else ~/.boxer/config.json, else built-in defaults
  --check-config  check the configuration, print it as it is in force, and exit
  --help          this text
  --version       the version
  import          takes an image from an archive or an OCI image layout; see boxer import --help

SIGTERM and SIGINT: take no new runs, let those under way end for shutdown_grace_secs, then exit with 0.
A second one ends them at once.
`;

/**
 * The command line: serves until a signal says otherwise, or does what the subcommand says.
 * @returns the exit code
 */
export async function main(args: readonly string[], platform: Platform): Promise<number> {
  try {
    const [command, ...rest] = args;
    return command === "import" ? await importCommand(rest, platform) : await serveCommand(args, platform);
  } catch (error) {
    if (error instanceof ConfigError) return complain(error.message, EX_CONFIG);
    if (error instanceof HomeInUseError || error instanceof ListenError)
      return complain(error.message, EX_UNAVAILABLE);
    throw error;
  }
}

async function serveCommand(args: readonly string[], platform: Platform): Promise<number> {
  const options = parse(args);
  if (typeof options === "string") return complain(options, EX_USAGE);
  if (options.help) return say(HELP);
  if (options.version) return say(`${packageJson.version}\n`);
  const { config, source } = await loadConfig(options.config, process.env);
  readOperatorEgress(config);
  if (options["check-config"]) return say(`${JSON.stringify({ source, config }, hideSecrets, 2)}\n`);
  return await serve(config, platform, createLog());
}

async function serve(config: Config, platform: Platform, log: Logger): Promise<number> {
  const signals = watchSignals();
  const service = await startService(config, platform, log);
  log.info(`${await signals.next()}: draining`);
  const stopped = service.stop();
  void signals.next().then((signal) => {
    log.warn(`${signal} again: stopping every run`);
    service.runner.stopAll();
  });
  await stopped;
  log.info("stopped");
  return 0;
}

/** A signal to a whole process group arrives once more through each parent that passes it on. */
const SAME_SIGNAL_MS = 1000;

/** Counts the signals that ask the service to stop, from the start on: one during start-up is not lost. */
function watchSignals(): { next(): Promise<NodeJS.Signals> } {
  const waiting: ((signal: NodeJS.Signals) => void)[] = [];
  const early: NodeJS.Signals[] = [];
  let last_ms = Number.NEGATIVE_INFINITY;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      const now_ms = performance.now();
      if (now_ms - last_ms < SAME_SIGNAL_MS) return;
      last_ms = now_ms;
      const resolve = waiting.shift();
      if (resolve) resolve(signal);
      else early.push(signal);
    });
  }
  return {
    next: () =>
      new Promise((resolve) => {
        const signal = early.shift();
        if (signal) resolve(signal);
        else waiting.push(resolve);
      }),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        config: { type: "string" },
        "check-config": { type: "boolean" },
        help: { type: "boolean", short: "h" },
        version: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    return `${messageOf(error)}\n\n${HELP}`;
  }
}
