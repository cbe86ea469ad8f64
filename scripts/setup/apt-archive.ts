import { copyFile, mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type AptSource,
  embeddedKey,
  formatSource,
  parseDeb822Sources,
  parseOneLineSources,
  pickDebianArchive,
} from "./apt-sources.ts";
import { runCommand } from "./command.ts";
import { machineSuite } from "./machine-suite.ts";
import { SetupError } from "./setup-error.ts";

const DPKG_STATUS = "/var/lib/dpkg/status";

/** Which packages apt shall take for installed when it works out what else is needed. */
export type Installed = { like: "this machine" } | { like: "an empty machine"; except: readonly string[] };

/**
 * One suite of the Debian archive, fetched into a directory of our own: apt is run with its own sources, lists,
 * caches and status, so that the machine's configuration is read (mirror, keys, proxy) and never changed. Needs no
 * root.
 */
export class AptArchive {
  readonly #dir: string;
  readonly #config: string;

  private constructor(dir: string) {
    this.#dir = dir;
    this.#config = join(dir, "apt.conf");
  }

  /**
   * Fetches the package lists of `suite`. `dir` must exist and be empty. Throws {@link SetupError} when the machine
   * has no Debian archive configured, and CommandError when apt fails.
   */
  static async open(dir: string, suite: string, architecture: string): Promise<AptArchive> {
    const source = await machineArchive();
    const opened = new AptArchive(dir);
    for (const name of ["lists/partial", "state", "none"]) await mkdir(join(dir, name), { recursive: true });
    await writeFile(join(dir, "status"), "");
    const key = embeddedKey(source.trust["signed-by"] ?? "");
    if (key !== undefined) {
      source.trust["signed-by"] = join(dir, "archive-key.asc");
      await writeFile(source.trust["signed-by"], key);
    }
    await writeFile(join(dir, "sources.list"), formatSource(source, suite, architecture));
    await writeFile(opened.#config, aptConfig(dir));
    await opened.#apt(["update"]);
    return opened;
  }

  /** Downloads one package alone. Returns the file's path, which stays in this directory. */
  async download(name: string): Promise<string> {
    const [deb] = await this.#fetch((target) => this.#apt(["download", name], target));
    if (deb === undefined) throw new SetupError(`apt downloaded nothing for ${name}`);
    return deb;
  }

  /** Downloads packages and what they depend on. Returns the files' paths, which stay in this directory. */
  async downloadWithDependencies(names: readonly string[], installed: Installed): Promise<string[]> {
    if (installed.like === "this machine") await copyFile(DPKG_STATUS, join(this.#dir, "status"));
    else await writeFile(join(this.#dir, "status"), pretendInstalled(installed.except));
    const install = ["install", "--yes", "--reinstall", "--download-only"];
    return this.#fetch((target) =>
      this.#apt([...install, `-oDir::Cache::archives=${target}`, ...names], target),
    );
  }

  /** The suite's date as its signed Release file gives it: nothing in it is newer. */
  async date(): Promise<Date> {
    const lists = await readdir(join(this.#dir, "lists"));
    const release = lists.find((name) => /_(In)?Release$/.test(name)) ?? "";
    const date = /^Date: (.+)$/m.exec(await readFile(join(this.#dir, "lists", release), "utf8"))?.[1];
    return new Date(date ?? 0);
  }

  async #fetch(into: (target: string) => Promise<unknown>): Promise<string[]> {
    const target = await mkdtemp(join(this.#dir, "archives-"));
    await mkdir(join(target, "partial"));
    await into(target);
    const names = await readdir(target);
    return names.filter((name) => name.endsWith(".deb")).map((name) => join(target, name));
  }

  #apt(args: readonly string[], cwd = this.#dir): Promise<string> {
    const env = { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8" };
    return runCommand(["apt-get", "--quiet=2", "-c", this.#config, ...args], { env, cwd });
  }
}

async function machineArchive(): Promise<AptSource> {
  const sources = [...parseOneLineSources(await readIfAny("/etc/apt/sources.list"))];
  const parts = "/etc/apt/sources.list.d";
  for (const name of (await readdir(parts).catch(() => [])).sort()) {
    if (name.endsWith(".list")) sources.push(...parseOneLineSources(await readIfAny(join(parts, name))));
    if (name.endsWith(".sources")) sources.push(...parseDeb822Sources(await readIfAny(join(parts, name))));
  }
  const archive = pickDebianArchive(sources, await machineSuite());
  if (!archive) throw new SetupError("apt on this machine has no Debian archive among its sources");
  return archive;
}

function readIfAny(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}

/**
 * Read by apt after the machine's own configuration, which it overrides where it has to. Hooks of the machine are
 * for the machine's own updates. The sandbox user cannot reach a directory below a private home.
 */
function aptConfig(dir: string): string {
  return `#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
APT::Sandbox::User "root";
APT::Install-Recommends "false";
APT::Keep-Downloaded-Packages "true";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
Acquire::Retries "2";
Dir::Etc::sourcelist "${join(dir, "sources.list")}";
Dir::Etc::sourceparts "-";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "${join(dir, "none")}";
Dir::State "${join(dir, "state")}";
Dir::State::lists "${join(dir, "lists")}";
Dir::State::status "${join(dir, "status")}";
Dir::Cache "${dir}";
`;
}

/** A dpkg status file on which `packages` look installed, whatever version is asked for. */
function pretendInstalled(packages: readonly string[]): string {
  const stanza = (name: string) =>
    `Package: ${name}\nStatus: install ok installed\nVersion: 9999\nArchitecture: all\nMulti-Arch: foreign\n` +
    "Maintainer: none\nDescription: left out\n";
  return packages.map(stanza).join("\n");
}
