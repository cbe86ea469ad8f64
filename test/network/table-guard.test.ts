import assert from "node:assert/strict";
import { test } from "node:test";
import { TableGuard } from "../../src/network/table-guard.ts";
import { FakeNetworkHost } from "../support/fake-network-host.ts";
import { until } from "../support/leftovers.ts";

const tables = (...list: object[]) =>
  JSON.stringify({ nftables: [{ metainfo: {} }, ...list.map((table) => ({ table }))] });

function given(answer: () => string) {
  const host = new FakeNetworkHost();
  host.answer = answer;
  let restored = 0;
  const guard = new TableGuard(host, "nft", "boxer_1", async () => {
    restored += 1;
  });
  return { guard, restored: () => restored };
}

test("a table that is there is left alone; one of another family is not it", async () => {
  const there = given(() => tables({ family: "ip", name: "filter" }, { family: "inet", name: "boxer_1" }));
  assert.deepEqual([await there.guard.ensure(), there.restored()], [false, 0]);
  const gone = given(() => tables({ family: "ip", name: "boxer_1" }));
  assert.deepEqual([await gone.guard.ensure(), gone.restored()], [true, 1]);
});

test("while it watches, a table that goes is put up, also after a look that failed", async () => {
  let looks = 0;
  const { guard, restored } = given(() => {
    looks += 1;
    if (looks === 1) throw new Error("EAGAIN");
    return looks === 2 ? tables() : tables({ family: "inet", name: "boxer_1" });
  });
  guard.watch();
  guard.watch();
  await until(() => restored() === 1);
  guard.rest();
  assert.ok(looks >= 2);
});
