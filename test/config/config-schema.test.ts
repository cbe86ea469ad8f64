import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConfigSchema } from "../../src/config/config-schema.ts";
import { compileSchema } from "../../src/core/schema.ts";

const checker = compileSchema(ConfigSchema);

/** Those that are refused could never fit a normalised reference. */
const PATTERNS = {
  good: [
    "docker.io/library/*",
    "ghcr.io/acme/**",
    "**",
    "*/library/python",
    "**/python:*",
    "local/**",
    "localhost/x",
    "registry:5000/x",
    "[::1]:5000/x",
    "docker.io/library/python@sha256:*",
  ],
  bad: [
    "",
    "*",
    "python",
    "python:3",
    "library/python",
    "acme/*",
    "docker.io",
    "docker.io/",
    "docker.io/a b",
  ],
};

/** For each key: values that must be taken, and values that must be refused. */
const KEYS: Record<string, { good: unknown[]; bad: unknown[] }> = {
  home: { good: ["~/.boxer", "/data"], bad: [1, "", null, {}] },
  runsc_path: { good: ["/usr/bin/runsc"], bad: [1, "", null, []] },
  mkfs_erofs_path: { good: ["/usr/bin/mkfs.erofs", null], bad: [true, "", 1] },
  platform: { good: ["systrap", "ptrace", "kvm"], bad: ["Systrap", "", 1, null] },
  listen_addr: { good: [":8080"], bad: [8080, "", null] },
  unenforced_limits: { good: ["warn", "refuse"], bad: ["", "ignore", true, null] },
  ignore_cgroups: { good: [true, false], bad: ["true", 0, null] },
  allow_root_user: { good: [true, false], bad: ["true", 1, null] },
  output_limit_bytes: { good: [1, 10485760], bad: [0, -1, 1.5, "1", null] },
  upload_limit_bytes: { good: [1], bad: [0, -1, 1.5, "1", null] },
  request_limit_bytes: { good: [1], bad: [0, -1, 1.5, "1", null] },
  output_files_limit_bytes: { good: [1], bad: [0, -1, 1.5, "1", null] },
  output_files_limit_count: { good: [1], bad: [0, -1, 1.5, "1", null] },
  run_records_max: { good: [0, 1, 100_000], bad: [-1, 1.5, 10_000_001, "1", null] },
  run_records_days: { good: [0.5, 7, 36_500], bad: [0, -1, 36_501, "7", null] },
  dns_servers: { good: [[], ["1.1.1.1"]], bad: ["1.1.1.1", null, {}] },
  network_cidr: {
    good: ["10.231.0.0/16", "172.29.0.0/30", "10.0.0.0/8"],
    bad: [
      "10.231.0.0",
      "10.0.0.0/31",
      "10.0.0.0/7",
      "256.0.0.0/16",
      "10.0.0/16",
      "1.2.3.4.5/16",
      "fd00::/48",
      "",
      null,
    ],
  },
  max_bandwidth_kbps: { good: [8, 10_000_000], bad: [7, 10_000_001, 8.5, "8", null] },
  allow_host_network: { good: [true, false], bad: ["true", 1, null] },
  enable_forwarding: { good: [true, false], bad: ["true", 1, null] },
  egress: {
    good: [{}, { allow: [], deny: ["*.example.org"], private_allow: ["10.0.0.0/8:5432"] }],
    bad: [null, [], "a.example"],
  },
  max_concurrent_runs: { good: [1, 64], bad: [0, -1, 1.5, "4", null] },
  max_reserved_memory_mb: { good: [1, 65_536], bad: [0, -1, 1.5, "4", null] },
  client_header: { good: ["X-Client", "x_1"], bad: ["", "a b", "a:b", "x".repeat(65), 1, null] },
  max_limits: { good: [{}, { nofile: null }], bad: [null, [], 1, "x"] },
  prepared_runs: { good: [0, 1, 64], bad: [-1, 65, 1.5, "4", null] },
  max_queued_runs: { good: [0, 1], bad: [-1, 1.5, "4", null] },
  shutdown_grace_secs: { good: [0, 0.5, 86_400], bad: [-1, 86_401, "30", null] },
  insecure_registries: { good: [[], ["localhost:5000"]], bad: ["localhost:5000", null] },
  registry_mirrors: { good: [{}, { "docker.io": ["m"] }], bad: [[], "m", null] },
  image_tag_ttl_secs: { good: [0, 0.5, 300], bad: [-1, "300", null] },
  pull_timeout_secs: { good: [1, 600], bad: [0, -1, "600", null] },
  max_image_bytes: { good: [1], bad: [0, -1, 1.5, "1", null] },
  max_image_entries: { good: [1], bad: [0, -1, 1.5, "1", null] },
  images_quota_bytes: { good: [null, 1, 1e12], bad: [0, -1, 1.5, "1"] },
  files_ttl_secs: { good: [null, 1, 1.5, 86_400], bad: [0, -1, "1", true] },
  files_quota_bytes: { good: [null, 1, 1e12], bad: [0, -1, 1.5, "1"] },
  files_fsync: { good: [true, false], bad: ["true", 1, null] },
  image_allow: {
    good: [[], PATTERNS.good],
    bad: ["docker.io/x", null],
  },
  image_deny: {
    good: [[], PATTERNS.good],
    bad: ["docker.io/x", null],
  },
  image_platform: {
    good: ["linux/amd64", "linux/arm/v7", "linux/s390x"],
    bad: ["arm64", "windows/amd64", "linux/", "linux/ARM64", "linux/arm/7", "linux/arm/v7/x", "", 1, null],
  },
  images_prepull: { good: [[], ["python:3"]], bad: ["python:3", null] },
  image_archive_limit_bytes: { good: [1], bad: [0, -1, 1.5, "1", null] },
  docker_socket: { good: ["/run/docker.sock", "", null], bad: [1, true, []] },
  warm_pool: { good: [{}, { max: 0 }, { images: ["python:3"] }], bad: [null, [], 4, true] },
  dashboard: {
    good: [
      {},
      { auth: "none" },
      { auth: "token", token: "0123456789abcdef" },
      { user: "op", password: "12345678" },
    ],
    bad: [null, [], "token", true],
  },
  defaults: { good: [{}], bad: [null, [], 1, "x"] },
};

const LIMITS: Record<string, { good: unknown[]; bad: unknown[] }> = {
  cpu_cores: { good: [null, 0, 0.5, 1024], bad: [-0.1, 1025, "1", true] },
  memory_mb: { good: [null, 0, 1, 256], bad: [-1, 1.5, 2 ** 25, "256"] },
  wall_clock_secs: { good: [null, 0, 0.1, 86_400], bad: [-1, 86_401, "30"] },
  pids_limit: { good: [null, 0, 1], bad: [-1, 1.5, 2 ** 23, "64"] },
  nofile: { good: [null, 0, 1], bad: [-1, 1.5, 2 ** 21, "256"] },
};

describe("each maximum takes null for none, and names itself when refused", () => {
  for (const [key, { good, bad }] of Object.entries(LIMITS)) {
    test(`max_limits.${key}`, () => {
      for (const value of good.filter((value) => value === null || Number(value) >= 3)) {
        assert.equal(checker.complain({ max_limits: { [key]: value } }), null, JSON.stringify(value));
      }
      for (const value of [...bad, 0]) assertRefused({ max_limits: { [key]: value } }, `max_limits.${key}`);
    });
  }
});

test("a pattern of images that could never fit any is refused", () => {
  for (const key of ["image_allow", "image_deny"]) {
    for (const pattern of PATTERNS.bad) {
      assert.equal(checker.complain({ [key]: ["**", pattern] })?.field, `${key}[1]`, pattern);
    }
  }
});

test("the tables below cover every key of the schema", () => {
  assert.deepEqual(Object.keys(KEYS).sort(), Object.keys(ConfigSchema.properties).sort());
  assert.deepEqual(
    Object.keys(LIMITS).sort(),
    Object.keys(ConfigSchema.properties.defaults.properties).sort(),
  );
});

describe("each key takes what it should and refuses the rest by its name", () => {
  for (const [key, { good, bad }] of Object.entries(KEYS)) {
    test(key, () => {
      for (const value of good) assert.equal(checker.complain({ [key]: value }), null, JSON.stringify(value));
      for (const value of bad) assertRefused({ [key]: value }, key);
    });
  }
});

describe("each default limit takes null for none, and names itself when refused", () => {
  for (const [key, { good, bad }] of Object.entries(LIMITS)) {
    test(`defaults.${key}`, () => {
      for (const value of good) {
        assert.equal(checker.complain({ defaults: { [key]: value } }), null, JSON.stringify(value));
      }
      for (const value of bad) assertRefused({ defaults: { [key]: value } }, `defaults.${key}`);
    });
  }
});

describe("entries of lists are checked one by one", () => {
  const cases: [object, string][] = [
    [{ dns_servers: ["1.1.1.1", 8] }, "dns_servers[1]"],
    [{ dns_servers: [""] }, "dns_servers[0]"],
    [{ egress: { allow: "a.example" } }, "egress.allow"],
    [{ egress: { deny: ["a.example", ""] } }, "egress.deny[1]"],
    [{ egress: { private_allow: ["x".repeat(263)] } }, "egress.private_allow[0]"],
    [{ egress: { allowed: [] } }, "egress.allowed"],
    [{ insecure_registries: [null] }, "insecure_registries[0]"],
    [{ registry_mirrors: { "docker.io": "m" } }, "registry_mirrors.docker.io"],
    [{ registry_mirrors: { "docker.io": ["m", ""] } }, "registry_mirrors.docker.io[1]"],
  ];
  for (const [file, field] of cases) test(field, () => assertRefused(file, field));
});

test("an unknown key is refused by its name, at the top and inside defaults", () => {
  assertRefused({ listen: ":80" }, "listen");
  assertRefused({ Home: "/data" }, "Home");
  assertRefused({ defaults: { cpus: 1 } }, "defaults.cpus");
});

test("every key tells what it is for", () => {
  const all = { ...ConfigSchema.properties, ...ConfigSchema.properties.defaults.properties };
  for (const [key, schema] of Object.entries(all)) {
    assert.ok("description" in schema && schema.description, `${key} has no description`);
  }
});

test("the longest pull time still fits a timer", () => {
  const longestTimer_ms = 2 ** 31 - 1;
  assertRefused({ pull_timeout_secs: Math.ceil(longestTimer_ms / 1000) }, "pull_timeout_secs");
});

function assertRefused(file: unknown, field: string): void {
  const complaint = checker.complain(file);
  assert.equal(complaint?.field, field, JSON.stringify(file));
  assert.ok(complaint.message.startsWith(`${field} `), complaint.message);
}
