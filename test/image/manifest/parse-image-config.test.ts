import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseImageConfig } from "../../../src/image/manifest/parse-image-config.ts";

const rootfs = { type: "layers", diff_ids: [`sha256:${"a".repeat(64)}`] };
const parse = (content: unknown) => parseImageConfig(Buffer.from(JSON.stringify(content)));

test("a config is read", () => {
  const config = {
    Env: ["PATH=/bin", "A=b=c", "EMPTY="],
    WorkingDir: "/app",
    Entrypoint: ["/entry", "-x"],
    Cmd: ["serve"],
    User: "1000:1000",
    ExposedPorts: { "80/tcp": {} },
  };
  assert.deepEqual(parse({ os: "linux", architecture: "amd64", config, rootfs, history: [] }), {
    config: {
      env: ["PATH=/bin", "A=b=c", "EMPTY="],
      working_dir: "/app",
      entrypoint: ["/entry", "-x"],
      cmd: ["serve"],
      user: "1000:1000",
    },
    diff_ids: rootfs.diff_ids,
    created_at_ms: undefined,
    os: "linux",
    architecture: "amd64",
  });
});

describe("the time when an image was made is read where it is one", () => {
  const cases: [created: unknown, expected: string | undefined][] = [
    ["2024-05-06T07:08:09Z", "2024-05-06T07:08:09.000Z"],
    ["2024-05-06T07:08:09.123456789Z", "2024-05-06T07:08:09.123Z"],
    ["2024-05-06T07:08:09+02:00", "2024-05-06T05:08:09.000Z"],
    ["1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"],
    ["0001-01-01T00:00:00Z", undefined],
    ["2024-13-01T00:00:00Z", undefined],
    ["May 6, 2024", undefined],
    ["", undefined],
    [1_700_000_000, undefined],
    [null, undefined],
  ];
  for (const [created, expected] of cases) {
    test(JSON.stringify(created), () => {
      const { created_at_ms } = parse({ rootfs, created });
      assert.equal(created_at_ms === undefined ? undefined : new Date(created_at_ms).toISOString(), expected);
    });
  }
});

describe("what an image does not say is empty", () => {
  const empty = { env: [], working_dir: "/", entrypoint: [], cmd: [], user: "" };
  const cases: [name: string, content: object][] = [
    ["no config", { rootfs }],
    ["a null config", { rootfs, config: null }],
    ["an empty config", { rootfs, config: {} }],
    ["nulls", { rootfs, config: { Env: null, WorkingDir: "", Entrypoint: null, Cmd: null, User: "" } }],
  ];
  for (const [name, content] of cases) {
    test(name, () => assert.deepEqual(parse(content).config, empty));
  }
});

test("entries that are no assignments are left out of the environment", () => {
  const { config } = parse({ rootfs, config: { Env: ["A=1", "B", "", "=x", "C=\0", "D\0=1", "E=a\nb"] } });
  assert.deepEqual(config.env, ["A=1", "E=a\nb"]);
});

test("a relative working directory is one below the root", () => {
  assert.equal(parse({ rootfs, config: { WorkingDir: "srv/app" } }).config.working_dir, "/srv/app");
});

describe("what we cannot use is refused with the reason", () => {
  const cases: [name: string, content: unknown, reason: RegExp][] = [
    ["no root file system", { config: {} }, /rootfs is required/],
    ["another kind of root file system", { rootfs: { type: "windows", diff_ids: [] } }, /rootfs\.type/],
    ["a diff id that is none", { rootfs: { type: "layers", diff_ids: ["x"] } }, /not a digest/],
    ["an environment of the wrong type", { rootfs, config: { Env: "A=1" } }, /config\.Env/],
    ["a command of the wrong type", { rootfs, config: { Cmd: [1] } }, /config\.Cmd\[0\]/],
    ["a NUL in a command", { rootfs, config: { Cmd: ["a\0b"] } }, /NUL/],
    ["a NUL in the working directory", { rootfs, config: { WorkingDir: "/a\0b" } }, /NUL/],
  ];
  for (const [name, content, reason] of cases) {
    test(name, () => assert.throws(() => parse(content), { code: "image_invalid", message: reason }));
  }
  test("not JSON", () => {
    assert.throws(() => parseImageConfig(Buffer.from("{")), {
      code: "image_invalid",
      message: /is not JSON/,
    });
  });
});
