import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { imageStoreOptions } from "../../src/compose-images.ts";
import { homeAt } from "../../src/core/home.ts";
import { silentLog } from "../../src/core/log.ts";
import { openImageStore } from "../../src/image/image-store.ts";
import { sha256 } from "../support/fake-registry.ts";
import { mkfsPath, noRegistry, pythonLayout, startRegistry, type TestRegistry } from "../support/fixtures.ts";
import { until } from "../support/leftovers.ts";
import { platform } from "../support/platform.ts";
import { scriptArgv } from "../support/script-argv.ts";
import { testConfig } from "../support/service.ts";

/**
 * When to kill, by how far the pull is: from 0 to 1 layers are downloaded and unpacked, from 1 to 2 the file system is
 * built, at 2 it lies in its place and is about to be written down.
 */
const MOMENTS = [0, 0.15, 0.3, 0.45, 0.6, 0.8, 1, 1.3, 1.7, 2];
const SCRIPT = join(import.meta.dirname, "../support/scripts/pull-image.ts");

describe("a pull killed with SIGKILL", { skip: noRegistry }, () => {
  let registry: TestRegistry;
  let image = "";
  let home = "";
  let root = "";
  /** What a pull that nobody disturbs comes to. */
  const whole = { written_bytes: 0, packed_bytes: 0, hash: "" };
  /** How many of the kills left something half done. */
  let halfDone = 0;
  before(async () => {
    registry = await startRegistry();
    await registry.push(pythonLayout, "some/python:3");
    image = `${registry.host}/some/python:3`;
    home = await mkdtemp(join(tmpdir(), "boxer-kill-"));
    root = homeAt(home).images;
    const pull = await startPull();
    while (!pull.isOver()) {
      const { written_bytes, packed_bytes } = await workOf(pull.child.pid);
      if (packed_bytes === 0) whole.written_bytes = written_bytes || whole.written_bytes;
      await sleep(2);
    }
    assert.ok(pull.isReady(), "the pull that nobody disturbs failed");
    const packed = await readRootfs();
    Object.assign(whole, { packed_bytes: packed.length, hash: sha256(packed) });
    await rm(home, { recursive: true });
  });
  after(async () => {
    await registry?.stop();
    await rm(home, { recursive: true, force: true });
  });

  /** A pull by a process of its own, which has begun. */
  async function startPull() {
    const env = { ...process.env } as Record<string, string>;
    const child = platform.spawn(scriptArgv(SCRIPT, home, image), { env });
    let [output, isOver] = ["", false];
    const read = async (stream: AsyncIterable<Uint8Array>): Promise<void> => {
      for await (const chunk of stream) output += Buffer.from(chunk).toString();
    };
    const ended = Promise.all([child.exited, read(child.stdout), read(child.stderr)]).then(() => {
      isOver = true;
    });
    await until(() => output !== "");
    assert.match(output, /^pulling/);
    return { child, ended, isOver: () => isOver, isReady: () => output.includes("ready") };
  }

  /** What the process has written, and how much of the file system in the making is there. */
  async function workOf(pid: number): Promise<{ written_bytes: number; packed_bytes: number }> {
    const io = await readFile(`/proc/${pid}/io`, "utf8").catch(() => "");
    const written_bytes = Number(/^wchar: (\d+)$/m.exec(io)?.[1] ?? 0);
    const partial = (await files("tmp")).filter((path) => /^image-[^/]*\/rootfs\.erofs/.test(path));
    const sizes = await Promise.all(
      partial.map((path) =>
        stat(join(root, "tmp", path)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
    );
    return { written_bytes, packed_bytes: Math.max(0, ...sizes) };
  }

  /** How far the pull is, in the measure of {@link MOMENTS}. */
  async function progressOf(pid: number): Promise<number> {
    if ((await files("rootfs")).length > 0) return 2;
    const { written_bytes, packed_bytes } = await workOf(pid);
    const unpacked = packed_bytes > 0 ? 1 : Math.min(written_bytes / whole.written_bytes, 0.99);
    return unpacked + Math.min(packed_bytes / whole.packed_bytes, 0.99);
  }

  const openStore = () =>
    openImageStore(imageStoreOptions(testConfig(home), platform, homeAt(home), mkfsPath(), silentLog));

  /** Paths of the files in the store's directory, or in one of those in it, three levels deep; an unpacked image lies deeper. */
  async function files(directory = ""): Promise<string[]> {
    const found: string[] = [];
    const look = async (path: string, levels: number): Promise<void> => {
      const entries = await readdir(join(root, directory, path), { withFileTypes: true }).catch(() => []);
      for (const entry of entries) {
        if (!entry.isDirectory()) found.push(join(path, entry.name));
        else if (levels > 1) await look(join(path, entry.name), levels - 1);
      }
    };
    await look("", 3);
    return found.sort();
  }

  async function readRootfs(): Promise<Buffer> {
    const [file = "", ...others] = await files("rootfs");
    assert.deepEqual(others, []);
    return await readFile(join(root, "rootfs", file));
  }

  for (const moment of MOMENTS) {
    it(`at ${moment} leaves nothing that the next start keeps, or that the next pull minds`, async () => {
      const { child, ended, isOver } = await startPull();
      while (!isOver() && (await progressOf(child.pid)) < moment) await sleep(2);
      child.kill("SIGKILL");
      await ended;
      const wasWhole = (await files("references")).length === 1;
      if (!wasWhole && (await files()).length > 0) halfDone += 1;

      const store = await openStore();
      try {
        const kept = (await files()).filter((path) => path !== "usage.json");
        assert.equal(kept.length, wasWhole ? 3 : 0, kept.join("\n"));
        assert.deepEqual(await readdir(join(root, "tmp")), []);
        await store.acquire(image, { signal: new AbortController().signal });
      } finally {
        await store.close();
      }
      const [record, name, packed, ...others] = (await files()).filter((path) => path !== "usage.json");
      assert.match(
        `${record} ${name} ${packed}`,
        /^images\/\w{64}\.json references\/\w{64}\.json rootfs\/\w{64}\.erofs$/,
      );
      assert.deepEqual([others, await readdir(join(root, "tmp"))], [[], []]);
      assert.equal(sha256(await readRootfs()), whole.hash, "the root file system is another one");
      await rm(home, { recursive: true });
    });
  }

  it("was half done in most of these cases", () => {
    assert.ok(halfDone > MOMENTS.length / 2, `only in ${halfDone}`);
  });
});
