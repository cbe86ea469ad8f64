import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { toCurl } from "../../../src/dashboard/try/to-curl.ts";

const NASTY = "it's \"$HOME\" `id` $(id) \\ ! \n\t\u0000 é 🥊 '; exit 1 #";

test("a shell gives curl exactly the request, whatever is in it", () => {
  const body = { image: NASTY, cmd: ["sh", NASTY] as [string, ...string[]], env: [`A=${NASTY}`] };
  const command = toCurl(body, "http://127.0.0.1:8080");
  const printed = execFileSync("sh", [
    "-c",
    `curl() { for a in "$@"; do printf '%s\\0' "$a"; done; }\n${command}`,
  ]);
  const words = printed.toString().split("\0");
  assert.deepEqual(words.slice(0, 4), [
    "-sS",
    "http://127.0.0.1:8080/run",
    "-H",
    "Content-Type: application/json",
  ]);
  assert.deepEqual(JSON.parse(words[5] ?? ""), body);
});
