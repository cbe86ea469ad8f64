import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import packageJson from "../package.json" with { type: "json" };
import { homeAt } from "../src/core/home.ts";
import { lockHome } from "../src/platform/home-lock.ts";
import { platform } from "./support/platform.ts";
import { PLAIN_ENV, runToEnd } from "./support/run-to-end.ts";
import { scriptArgv } from "./support/script-argv.ts";
import { type TestContext, tempDirectory } from "./support/temp-directory.ts";

const ENTRY = fileURLToPath(
  new URL(platform.name === "deno" ? "../src/main.deno.ts" : "../src/main.ts", import.meta.url),
);
const EX_USAGE = 64;
const EX_UNAVAILABLE = 69;
const EX_CONFIG = 78;

/** A user whose home directory is a new one, and the command line as that user has it. */
async function user(t: TestContext) {
  const home = await tempDirectory(t);
  const boxer = (args: string[], env: Record<string, string> = {}) =>
    runToEnd(scriptArgv(ENTRY, ...args), { env: { ...PLAIN_ENV, ...runtimeCache(), HOME: home, ...env } }, t);
  const write = async (name: string, config: unknown) => {
    const path = join(home, name);
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(path, typeof config === "string" ? config : JSON.stringify(config));
    return path;
  };
  return { home, boxer, write };
}

/** Deno keeps what it has compiled below the home directory unless told where. */
function runtimeCache(): Record<string, string> {
  const directory = process.env.DENO_DIR ?? join(process.env.HOME ?? "/root", ".cache", "deno");
  return platform.name === "deno" ? { DENO_DIR: directory } : {};
}

for (const flag of ["--help", "-h"]) {
  test(`${flag} tells how it is used, on stdout, whatever else is said`, async (t) => {
    const { boxer, home } = await user(t);
    const { code, stdout, stderr } = await boxer([flag, "--config", "/nosuch"]);
    assert.deepEqual([code, stderr], [0, ""]);
    for (const word of [
      "Usage:",
      "--config",
      "$BOXER_CONFIG",
      "--check-config",
      "--help",
      "--version",
      "SIGTERM",
    ]) {
      assert.ok(stdout.includes(word), word);
    }
    assert.equal(existsSync(join(home, ".boxer")), false);
  });
}

test("--version tells the version of the package", async (t) => {
  const { boxer } = await user(t);
  const { code, stdout } = await boxer(["--version"]);
  assert.deepEqual([code, stdout], [0, `${packageJson.version}\n`]);
});

const WRONG_USE = [["--nosuch"], ["-x"], ["serve"], ["--config"], ["--check-config=yes"]];
for (const args of WRONG_USE) {
  test(`${args.join(" ")} is refused as wrong use, with how it is used`, async (t) => {
    const { boxer } = await user(t);
    const { code, stdout, stderr } = await boxer(args);
    assert.deepEqual([code, stdout], [EX_USAGE, ""]);
    assert.ok(stderr.includes(args[0]?.split("=")[0] ?? ""), stderr);
    assert.ok(stderr.includes("Usage:"), stderr);
  });
}

test("the configuration comes from --config, else $BOXER_CONFIG, else ~/.boxer, else the defaults", async (t) => {
  const { boxer, write, home } = await user(t);
  const port = async (args: string[], env = {}) => {
    const { code, stdout, stderr } = await boxer(["--check-config", ...args], env);
    assert.equal(code, 0, stderr);
    const { source, config } = JSON.parse(stdout);
    return [source, config.listen.port];
  };
  assert.deepEqual(await port([]), [null, 8080]);
  const inHome = await write(".boxer/config.json", { listen_addr: ":3" });
  assert.deepEqual(await port([]), [inHome, 3]);
  const inEnv = await write("env.json", { listen_addr: ":2" });
  assert.deepEqual(await port([], { BOXER_CONFIG: inEnv }), [inEnv, 2]);
  const inFlag = await write("flag.json", { listen_addr: ":1" });
  assert.deepEqual(await port(["--config", inFlag], { BOXER_CONFIG: inEnv }), [inFlag, 1]);
  assert.deepEqual(await port([`--config=${inFlag}`]), [inFlag, 1]);
  assert.equal(existsSync(join(home, ".boxer", "lock.sqlite")), false, "nothing is touched");
});

test("--check-config tells the configuration in force, with the limits of the file over the defaults", async (t) => {
  const { boxer, write, home } = await user(t);
  const path = await write("c.json", {
    home: "~/data",
    defaults: { memory_mb: null, cpu_cores: 0, nofile: 9 },
  });
  const { stdout } = await boxer(["--check-config", "--config", path]);
  const { config } = JSON.parse(stdout);
  assert.equal(config.home, join(home, "data"));
  assert.deepEqual(config.defaults, {
    cpu_cores: 1,
    memory_mb: null,
    wall_clock_secs: 30,
    pids_limit: 64,
    nofile: 9,
  });
  assert.equal(existsSync(join(home, "data")), false);
});

const BAD_CONFIGS: [string, unknown, RegExp][] = [
  ["an unknown key", { listen: ":80" }, /listen is not a known field/],
  ["an ill-typed key", { defaults: { memory_mb: "x" } }, /defaults\.memory_mb must be integer/],
  ["an address that is none", { listen_addr: "here" }, /listen_addr must be like/],
  ["text that is no JSON", "{", /not valid JSON/],
];
for (const [name, config, reason] of BAD_CONFIGS) {
  test(`${name} stops the check and the start by one line that names file and key`, async (t) => {
    const { boxer, write, home } = await user(t);
    const path = await write("bad.json", config);
    for (const args of [["--check-config"], []]) {
      const { code, stdout, stderr } = await boxer([...args, "--config", path]);
      assert.deepEqual([code, stdout], [EX_CONFIG, ""]);
      assert.match(stderr, reason);
      assert.ok(stderr.startsWith(`${path}: `), stderr);
      assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
    }
    assert.equal(existsSync(join(home, ".boxer")), false);
  });
}

test("a configuration that is named and missing stops the start by its path", async (t) => {
  const { boxer } = await user(t);
  for (const [args, env] of [
    [["--config", "/nosuch/c.json"], {}],
    [[], { BOXER_CONFIG: "/nosuch/c.json" }],
  ] as [string[], Record<string, string>][]) {
    const { code, stderr } = await boxer(args, env);
    assert.equal(code, EX_CONFIG);
    assert.ok(stderr.startsWith("/nosuch/c.json: cannot read the configuration"), stderr);
  }
});

test("a home that another server uses stops the start by one line", async (t) => {
  const { boxer, write, home } = await user(t);
  const data = homeAt(join(home, "data"));
  await mkdir(data.root);
  t.after(lockHome(platform, data.lock));
  const path = await write("c.json", { home: data.root, listen_addr: "127.0.0.1:0" });
  const { code, stderr } = await boxer(["--config", path]);
  assert.equal(code, EX_UNAVAILABLE, stderr);
  assert.ok(stderr.startsWith(`${data.lock}: `), stderr);
  assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
});

test("a port that is taken stops the start by a sentence that names the address, not by a stack", async (t) => {
  const { boxer, write, home } = await user(t);
  const taken = await platform.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  t.after(() => taken.stop(0));
  const address = `127.0.0.1:${taken.port}`;
  const path = await write("c.json", { home: join(home, "data"), listen_addr: address });
  const { code, stderr } = await boxer(["--config", path]);
  assert.notEqual(code, 0);
  assert.ok(stderr.includes(address), stderr);
  assert.doesNotMatch(stderr, /\n\s+at /);
});
