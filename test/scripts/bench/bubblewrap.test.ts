import assert from "node:assert/strict";
import { test } from "node:test";
import { bubblewrapArgv } from "../../../scripts/bench/bubblewrap.ts";

test("bubblewrap gets all namespaces, nobody, a read-only root and the files of the run", () => {
  const argv = bubblewrapArgv(
    "/bin/bwrap",
    "/roots/0",
    { files: { "in/a": "" } },
    { inputs: "/i", output: "/o" },
  ).join(" ");
  for (const part of [
    "/bin/bwrap --unshare-all",
    "--uid 65534 --gid 65534",
    "--ro-bind /roots/0 /",
    "--bind /o /output",
    "--ro-bind /i/in/a /in/a",
  ]) {
    assert.ok(argv.includes(part), part);
  }
});
