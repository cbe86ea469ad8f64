import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runDirectoryAt, runscRunArgv } from "../../src/sandbox/runsc.ts";

const DIRECTORY = runDirectoryAt(
  "/root/.boxer/runs/boxer-00000000-0000-4000-8000-000000000000",
  "/root/.boxer/inputs/boxer-00000000-0000-4000-8000-000000000000",
);
const RUNSC = {
  path: "/usr/bin/runsc",
  platform: "systrap",
  rootless: false,
} as const;
const argv = (changes = {}) => runscRunArgv({ ...RUNSC, ...changes }, DIRECTORY, "id");

describe("the directory of a run", () => {
  test("holds all its places, none in another's way", () => {
    const { path, bundle, control, ...places } = DIRECTORY;
    assert.equal(bundle, path);
    assert.ok(control.inputs.startsWith(`${control.in}/`) && control.in.startsWith("/root/.boxer/inputs/"));
    const paths = [...Object.values(places), control.out];
    assert.equal(new Set(paths).size, paths.length);
    for (const place of paths) assert.ok(place.startsWith(`${path}/`), place);
    assert.ok(!paths.includes(`${path}/config.json`));
  });

  test("leaves room for a control socket in a sockaddr_un", () => {
    const socket = `${DIRECTORY.state}/runsc-${"x".repeat(12)}.sock`;
    assert.ok(socket.length < 108, `${socket.length} bytes`);
  });
});

describe("the command line of runsc", () => {
  test("has its own options before the command, and the container's id last", () => {
    const words = argv();
    const command = words.indexOf("run");
    assert.equal(words[0], "/usr/bin/runsc");
    assert.ok(words.slice(1, command).every((word) => word.startsWith("--")));
    const options = [`--bundle=${DIRECTORY.bundle}`, `--pid-file=${DIRECTORY.pidFile}`];
    assert.deepEqual(words.slice(command), ["run", ...options, "id"]);
  });

  test("gives no network, and keeps state and logs in the run's directory", () => {
    const words = argv();
    for (const word of [
      "--network=none",
      `--root=${DIRECTORY.state}`,
      `--panic-log=${DIRECTORY.panicLog}`,
      `--log=${DIRECTORY.log}`,
      "--log-format=json",
    ]) {
      assert.ok(words.includes(word), word);
    }
  });

  test("connects the sandbox as it is told", () => {
    for (const network of ["sandbox", "host"] as const) {
      const words = runscRunArgv(RUNSC, DIRECTORY, "id", network);
      assert.deepEqual(
        words.filter((word) => word.startsWith("--network")),
        [`--network=${network}`],
      );
    }
  });

  test("asks for no debug log", () => {
    assert.ok(!argv().some((word) => word.startsWith("--debug")));
  });

  test("names the platform of the configuration", () => {
    for (const platform of ["systrap", "ptrace", "kvm"]) {
      assert.ok(argv({ platform }).includes(`--platform=${platform}`));
    }
  });

  test("leaves cgroups to us, and makes a user namespace only without root", () => {
    assert.ok(argv().includes("--ignore-cgroups"));
    assert.equal(argv({ rootless: true }).includes("--rootless"), true);
    assert.equal(argv({}).includes("--rootless"), false);
  });
});
