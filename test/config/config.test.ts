import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { completeConfig, type RunLimits, resolveLimits, type StatedLimits } from "../../src/config/config.ts";
import { type ConfigFile, ConfigSchema } from "../../src/config/config-schema.ts";

const LISTEN = { hostname: undefined, port: 8080 };
const MIB = 1024 * 1024;
const complete = (file: ConfigFile) => completeConfig(file, LISTEN, "/home/ada");

test("the built-in defaults are those of the wire contract", () => {
  const config = complete({});
  assert.equal(config.home, "/home/ada/.boxer");
  assert.equal(config.runsc_path, undefined);
  assert.equal(config.platform, "systrap");
  assert.equal(config.listen, LISTEN);
  assert.equal(config.ignore_cgroups, false);
  assert.equal(config.output_limit_bytes, 10 * MIB);
  assert.equal(config.upload_limit_bytes, 10 * MIB);
  assert.deepEqual(config.dns_servers, ["8.8.8.8", "8.8.4.4"]);
  const { cpu_cores, memory_mb, wall_clock_secs, pids_limit, nofile } = config.defaults;
  assert.deepEqual([cpu_cores, memory_mb, wall_clock_secs, pids_limit, nofile], [1, 256, 30, 64, 256]);
});

test("the defaults that the schema's descriptions tell are those in force", () => {
  const config: Record<string, unknown> = { ...complete({}), ...complete({}).defaults };
  const { defaults, ...keys } = ConfigSchema.properties;
  let told = 0;
  for (const [key, schema] of Object.entries({ ...keys, ...defaults.properties })) {
    const { description } = schema as { description?: string };
    const [, text] = /Default `?(\d+|true|false|systrap)\b(?! for)/.exec(description ?? "") ?? [];
    if (text === undefined) continue;
    told += 1;
    assert.equal(String(config[key]), text, key);
  }
  assert.ok(told > 15, `${told} found`);
});

test("what the file states is taken as it is, zero and empty lists included", () => {
  const file = {
    platform: "ptrace",
    ignore_cgroups: true,
    output_limit_bytes: 1,
    max_queued_runs: 0,
    shutdown_grace_secs: 0,
    image_tag_ttl_secs: 0,
    dns_servers: [],
    insecure_registries: ["registry.local:5000"],
    registry_mirrors: { "docker.io": ["mirror.local"] },
  } satisfies ConfigFile;
  const config: Record<string, unknown> = { ...complete(file) };
  for (const [key, value] of Object.entries(file)) assert.deepEqual(config[key], value, key);
});

test("there is room for at least one run whatever the machine", () => {
  assert.ok(complete({}).max_concurrent_runs >= 1);
});

describe("a path's leading ~ is the user's home directory", () => {
  const cases: [string, string][] = [
    ["~", "/home/ada"],
    ["~/", "/home/ada/"],
    ["~/data", "/home/ada/data"],
    ["~bob/data", "~bob/data"],
    ["/data/~", "/data/~"],
    ["/data/~/x", "/data/~/x"],
    ["/data", "/data"],
  ];
  for (const [stated, expected] of cases) {
    test(`${stated} becomes ${expected}`, () => {
      const config = complete({ home: stated, runsc_path: stated, mkfs_erofs_path: stated });
      assert.deepEqual(
        [config.home, config.runsc_path, config.mkfs_erofs_path],
        [expected, expected, expected],
      );
    });
  }

  test("a home directory with $ in its name is not taken for a pattern", () => {
    for (const userHome of ["/home/a$&b", "/home/$$", "/home/$`x"]) {
      assert.equal(completeConfig({ home: "~/data" }, LISTEN, userHome).home, `${userHome}/data`);
    }
  });
});

describe("limits", () => {
  const FALLBACK: RunLimits = {
    cpu_cores: 2,
    memory_mb: 64,
    wall_clock_secs: null,
    pids_limit: 8,
    nofile: 16,
  };
  const keys = ["cpu_cores", "memory_mb", "wall_clock_secs", "pids_limit", "nofile"] as const;
  const each = (value: number | null | undefined): StatedLimits =>
    Object.fromEntries(keys.map((key) => [key, value]));

  test("absent, undefined and 0 mean the fallback, for a request and for a configuration", () => {
    for (const nullMeans of ["default", "unlimited"] as const) {
      for (const stated of [undefined, {}, each(undefined), each(0), each(-0)]) {
        assert.deepEqual(resolveLimits(stated, FALLBACK, nullMeans), FALLBACK);
      }
    }
  });

  test("null in a request means the fallback", () => {
    assert.deepEqual(resolveLimits(each(null), FALLBACK, "default"), FALLBACK);
  });

  test("null in a configuration means no limit", () => {
    assert.deepEqual(resolveLimits(each(null), FALLBACK, "unlimited"), each(null));
  });

  test("each stated limit replaces its own fallback and no other", () => {
    for (const key of keys) {
      assert.deepEqual(resolveLimits({ [key]: 3 }, FALLBACK, "default"), { ...FALLBACK, [key]: 3 });
    }
  });

  test("a fraction of a core or a second is kept", () => {
    const limits = resolveLimits({ cpu_cores: 0.25, wall_clock_secs: 0.5 }, FALLBACK, "default");
    assert.equal(limits.cpu_cores, 0.25);
    assert.equal(limits.wall_clock_secs, 0.5);
  });

  test("a configuration's null is no limit for every run that states none", () => {
    const { defaults } = complete({ defaults: { wall_clock_secs: null, memory_mb: 0 } });
    assert.equal(defaults.wall_clock_secs, null);
    assert.equal(defaults.memory_mb, 256);
    assert.equal(resolveLimits({ wall_clock_secs: null }, defaults, "default").wall_clock_secs, null);
  });
});

test("an empty docker_socket is none, and one that is left out is to be looked up", () => {
  const socketOf = (file: ConfigFile) => complete(file).docker_socket;
  assert.deepEqual(
    [{ docker_socket: "" }, { docker_socket: null }, {}, { docker_socket: "~/d.sock" }].map(socketOf),
    [null, null, undefined, "/home/ada/d.sock"],
  );
});
