import assert from "node:assert/strict";
import { test } from "node:test";
import { thisHost } from "../../src/network/host-tools.ts";
import { platform } from "../support/platform.ts";

const host = thisHost(platform);

test("a tool reads its script and answers", async () => {
  assert.equal(await host.run(["cat"], "link set lo up\n"), "link set lo up\n");
  assert.equal(await host.run(["cat"]), "");
});

test("a tool that fails is a fault that says what the tool said", async () => {
  await assert.rejects(host.run(["sh", "-c", "echo no such device >&2; exit 2"]), {
    code: "sandbox_failed",
    message: "Cannot set up the network: sh: no such device",
  });
  await assert.rejects(host.run(["sh", "-c", "exit 3"]), /sh: it ended with 3/);
  await assert.rejects(host.run(["sh", "-c", "kill -9 $$"]), /sh: it ended with SIGKILL/);
});

test("files below /proc are read", async () => {
  assert.match(await host.read("/proc/self/status"), /CapEff/);
});
