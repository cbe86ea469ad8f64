import assert from "node:assert/strict";
import { test } from "node:test";
import { commandCandidates } from "../../../src/sandbox/warm/command-candidates.ts";

const PATH = ["A=b", "PATH=/usr/bin:/bin"];

for (const [what, name, env, cwd, expected] of [
  ["a name is looked for in PATH", "ls", PATH, "/w", ["/usr/bin/ls", "/bin/ls"]],
  ["an absolute name is taken as it is", "/bin//ls", PATH, "/w", ["/bin//ls"]],
  ["a name with a slash is meant from the working directory on", "./ls", PATH, "/w", ["/w/ls"]],
  ["such a name is cleaned as Go does it", "../x//ls/", PATH, "/w", ["/x/ls"]],
  ["directories that are not absolute do not count", "ls", ["PATH=.:bin::/bin/"], "/w", ["/bin/ls"]],
  ["the first PATH counts", "ls", ["PATH=/a", "PATH=/b"], "/w", ["/a/ls"]],
  ["no name leads to the directories themselves", "", ["PATH=/a:/"], "/w", ["/a", "/"]],
  ["an empty PATH leads nowhere", "ls", ["PATH="], "/bin", []],
  ["without PATH there is nowhere to look", "ls", ["XPATH=/bin"], "/bin", []],
] as const) {
  test(what, () => assert.deepEqual(commandCandidates(name, env, cwd), expected));
}
