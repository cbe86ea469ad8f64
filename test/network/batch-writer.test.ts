import assert from "node:assert/strict";
import { test } from "node:test";
import { BatchWriter } from "../../src/network/batch-writer.ts";
import { FakeNetworkHost } from "../support/fake-network-host.ts";

test("what comes while the tool is at work becomes one script after it", async () => {
  const host = new FakeNetworkHost();
  const writer = new BatchWriter(host, ["/sbin/nft", "-f", "-"]);
  await Promise.all(["a\n", "b\n", "c\n"].map((script) => writer.apply(script)));
  await writer.apply("d\n");
  assert.deepEqual(host.scriptsOf("nft -f -"), ["a\n", "b\nc\n", "d\n"]);
});

test("a change that is refused is told so, and takes no other with it", async () => {
  const host = new FakeNetworkHost();
  host.answer = ({ script }) => {
    if (script.includes("bad")) throw new Error("refused");
    return "";
  };
  const writer = new BatchWriter(host, ["nft"]);
  const results = await Promise.allSettled(
    ["a\n", "b\n", "bad\n", "c\n"].map((script) => writer.apply(script)),
  );
  assert.deepEqual(
    results.map(({ status }) => status),
    ["fulfilled", "fulfilled", "rejected", "fulfilled"],
  );
  assert.deepEqual(host.scriptsOf("nft"), ["a\n", "b\nbad\nc\n", "b\n", "bad\n", "c\n"]);
});
