import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CommandError,
  lastLines,
  runCommand,
  shellQuote,
  tryCommand,
} from "../../../scripts/setup/command.ts";

test("a program's output comes back whole, with variables added to the environment", async () => {
  const script = 'test -n "$PATH" && echo "$ADDED"';
  assert.equal(await runCommand(["sh", "-c", script], { env: { ADDED: "yes" } }), "yes\n");
});

test("a program that fails is an error that ends with its own last words", async () => {
  await assert.rejects(runCommand(["sh", "-c", "echo one >&2; echo two >&2; exit 3"]), (error) => {
    assert.ok(error instanceof CommandError);
    assert.equal(error.message, "sh failed (exit code 3): one; two");
    return true;
  });
});

test("a program that is not there is an error that names it", async () => {
  await assert.rejects(
    runCommand(["/nonexistent/program"]),
    /^CommandError: Cannot run \/nonexistent\/program: /,
  );
});

test("a program that takes too long is killed", async () => {
  const result = await tryCommand(["sleep", "1000"], { timeout_ms: 50 });
  assert.deepEqual([result.timedOut, result.signal], [true, "SIGKILL"]);
});

test("a quoted word reaches the program as it is", async () => {
  const word = `it's "$HOME" \`x\` \\ \n*`;
  assert.equal(await runCommand(["sh", "-c", `printf %s ${shellQuote(word)}`]), word);
});

test("the last lines of an output are one line, without blank ones, of bounded length", () => {
  assert.equal(lastLines("a\n\n  b  \nc\nd\n"), "b; c; d");
  assert.equal(lastLines("\n \n"), "it said nothing");
  assert.equal(lastLines("x".repeat(10_000)).length, 600);
});
