import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { platform } from "../../support/platform.ts";
import { textOf } from "../../support/run-to-end.ts";

const RUN = `
const { runBun } = await import("./scripts/setup/run-bun.mjs");
process.exitCode = await runBun("test/support/scripts/answer-signal.ts", process.argv.slice(1));
`;

/** Runs the script through node, with a signal to node once the script is ready. Returns how node ended. */
async function runThroughNode(argument: string, signal?: NodeJS.Signals) {
  const argv = ["node", "--input-type=module", "-e", RUN, argument];
  const child = platform.spawn(argv, { env: { PATH: process.env.PATH ?? "" } });
  const stderr = textOf(child.stderr);
  let output = "";
  for await (const chunk of child.stdout) {
    output += Buffer.from(chunk).toString();
    // Not child.kill: Deno then reports the signal as the end, whatever the exit code.
    if (signal) process.kill(child.pid, signal);
  }
  return { output, stderr: await stderr, code: (await child.exited).code };
}

describe("a script that node runs with bun", () => {
  it("gets the arguments, gets the signals sent to node, and its exit code becomes node's", async () => {
    assert.deepEqual(await runThroughNode("wait", "SIGTERM"), {
      output: "ready wait\n",
      stderr: "",
      code: 7,
    });
  });

  it("that is killed makes node's exit code 128 and the signal's number", async () => {
    assert.equal((await runThroughNode("die")).code, 128 + 9);
  });
});
