import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ConfigError, loadConfig, parseConfig } from "../../src/config/load-config.ts";
import { type TestContext, tempDirectory } from "../support/temp-directory.ts";

/** A user's home directory with configurations that differ in their port. */
async function userHome(t: TestContext) {
  const home = await tempDirectory(t);
  const write = async (name: string, port: number) => {
    const path = join(home, name);
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(path, JSON.stringify({ listen_addr: `127.0.0.1:${port}` }));
    return path;
  };
  return { home, write };
}

test("the flag comes before $BOXER_CONFIG and ~/.boxer/config.json", async (t) => {
  const { home, write } = await userHome(t);
  const flag = await write("flag.json", 1);
  const fromEnv = await write("env.json", 2);
  await write(".boxer/config.json", 3);
  const { config, source } = await loadConfig(flag, { HOME: home, BOXER_CONFIG: fromEnv });
  assert.equal(config.listen.port, 1);
  assert.equal(source, flag);
});

test("$BOXER_CONFIG comes before ~/.boxer/config.json", async (t) => {
  const { home, write } = await userHome(t);
  const fromEnv = await write("env.json", 2);
  await write(".boxer/config.json", 3);
  const { config, source } = await loadConfig(undefined, { HOME: home, BOXER_CONFIG: fromEnv });
  assert.equal(config.listen.port, 2);
  assert.equal(source, fromEnv);
});

test("~/.boxer/config.json is read when nothing is named; an empty $BOXER_CONFIG names nothing", async (t) => {
  const { home, write } = await userHome(t);
  const path = await write(".boxer/config.json", 3);
  for (const env of [{ HOME: home }, { HOME: home, BOXER_CONFIG: "" }]) {
    const { config, source } = await loadConfig(undefined, env);
    assert.equal(config.listen.port, 3);
    assert.equal(source, path);
  }
});

test("without any file the built-in defaults hold", async (t) => {
  const { home } = await userHome(t);
  const { config, source } = await loadConfig(undefined, { HOME: home });
  assert.equal(source, null);
  assert.equal(config.listen.port, 8080);
  assert.equal(config.listen.hostname, undefined);
  assert.equal(config.home, join(home, ".boxer"));
});

test("a named file that is missing stops the start, by its path", async (t) => {
  const { home } = await userHome(t);
  const missing = join(home, "nosuch.json");
  for (const [flag, env] of [
    [missing, { HOME: home }],
    [undefined, { HOME: home, BOXER_CONFIG: missing }],
  ] as const) {
    await assert.rejects(loadConfig(flag, env), isConfigError(`${missing}: cannot read the configuration`));
  }
});

test("a directory in a file's place stops the start, the default place included", async (t) => {
  const { home } = await userHome(t);
  const path = join(home, ".boxer", "config.json");
  await mkdir(path, { recursive: true });
  await assert.rejects(loadConfig(undefined, { HOME: home }), isConfigError(`${path}: cannot read`));
  await assert.rejects(loadConfig(path, { HOME: home }), isConfigError(`${path}: cannot read`));
});

const cases: [string, string][] = [
  ["", "not valid JSON"],
  ["{", "not valid JSON"],
  ["{'home': 1}", "not valid JSON"],
  ["[]", "value must be object"],
  ["null", "value must be object"],
  ['{"listen": ":80"}', "listen is not a known field"],
  ['{"home": 3}', "home must be string"],
  ['{"defaults": {"memory_mb": "x"}}', "defaults.memory_mb must be integer"],
  [
    '{"max_limits": {"pids_limit": 32}}',
    "defaults.pids_limit (64) must not be more than max_limits.pids_limit (32)",
  ],
  [
    '{"max_reserved_memory_mb": 100, "max_limits": {"memory_mb": null}}',
    "a run of defaults.memory_mb (256) reserves",
  ],
  ['{"listen_addr": "8080"}', "listen_addr must be like"],
  ['{"listen_addr": ":65536"}', "listen_addr must be like"],
  ['{"home": "data"}', "home must be an absolute path"],
  ['{"home": "~bob"}', "home must be an absolute path"],
  ['{"docker_socket": "unix:///run/docker.sock"}', "docker_socket must be an absolute path"],
  ['{"runsc_path": "bin/runsc"}', "runsc_path must be an absolute path"],
  ['{"mkfs_erofs_path": "./mkfs"}', "mkfs_erofs_path must be an absolute path"],
];
for (const [text, reason] of cases) {
  test(`a configuration that is ${text || "empty"} is refused by file and reason`, () => {
    assert.throws(
      () => parseConfig(text, "/etc/boxer.json", "/root"),
      isConfigError(`/etc/boxer.json: ${reason}`),
    );
  });
}

test("an empty object is the built-in configuration", () => {
  const config = parseConfig("{}", "x", "/root");
  assert.equal(config.home, "/root/.boxer");
  assert.deepEqual(config.listen, { hostname: undefined, port: 8080 });
});

function isConfigError(beginning: string) {
  return (error: unknown) => {
    assert.ok(error instanceof ConfigError, String(error));
    assert.ok(error.message.startsWith(beginning), error.message);
    return true;
  };
}
