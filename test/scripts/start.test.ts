import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { runToEnd } from "../support/run-to-end.ts";
import { tempDirectory } from "../support/temp-directory.ts";

/** Runs what `npm start` runs, for a user whose home directory is `home`. */
function start(home: string, ...args: string[]) {
  return runToEnd(["node", "scripts/start.mjs", ...args], {
    env: { HOME: home, PATH: process.env.PATH ?? "" },
  });
}

describe("npm start", () => {
  it("sets nothing up for a question that the server answers at once", async (t) => {
    const home = await tempDirectory(t);
    for (const question of ["--version", "--help", "--check-config"]) {
      const { code, stdout } = await start(home, question);
      assert.equal(code, 0);
      assert.notEqual(stdout, "");
    }
    assert.ok(!(await readdir(home)).includes(".boxer"));
  });

  it("listens on loopback only where no configuration says otherwise", async (t) => {
    const { stdout } = await start(await tempDirectory(t), "--check-config");
    assert.equal(JSON.parse(stdout).config.listen.hostname, "127.0.0.1");
  });

  it("leaves the choice to a configuration that is named or lies in the home directory", async (t) => {
    const home = await tempDirectory(t);
    const file = join(home, "mine.json");
    await writeFile(file, '{"listen_addr": "127.0.0.1:1234"}');
    const { stdout } = await start(home, "--check-config", "--config", file);
    assert.deepEqual([JSON.parse(stdout).source, JSON.parse(stdout).config.listen.port], [file, 1234]);
  });

  it("ends with a message that names the key when the configuration is wrong, before anything is made", async (t) => {
    const home = await tempDirectory(t);
    const file = join(home, "mine.json");
    await writeFile(file, JSON.stringify({ home: join(home, "data"), platform: "gvisor" }));
    const { code, stderr } = await start(home, "--config", file);
    assert.notEqual(code, 0);
    assert.match(stderr, /mine\.json: platform must be one of/);
    assert.ok(!(await readdir(home)).includes("data"));
  });
});
