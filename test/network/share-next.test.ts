import assert from "node:assert/strict";
import { test } from "node:test";
import { shareNext } from "../../src/network/share-next.ts";

test("who asks while a look is under way shares the next one, which begins after it", async () => {
  const looks: ((value: string) => void)[] = [];
  const look = shareNext(() => new Promise<string>((resolve) => looks.push(resolve)));
  const first = look();
  await Promise.resolve();
  const [second, third] = [look(), look()];
  assert.equal(looks.length, 1);
  looks[0]?.("one");
  assert.equal(await first, "one");
  await new Promise(setImmediate);
  assert.equal(looks.length, 2);
  looks[1]?.("two");
  assert.deepEqual(await Promise.all([second, third]), ["two", "two"]);
});

test("a look that fails is told to those who shared it, and no others", async () => {
  let looks = 0;
  const look = shareNext(async () => {
    looks += 1;
    if (looks === 1) throw new Error("no");
    return looks;
  });
  await assert.rejects(look(), /no/);
  assert.equal(await look(), 2);
});
