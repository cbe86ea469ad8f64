import assert from "node:assert/strict";
import { lstatSync } from "node:fs";
import { mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { imageStoreOptions } from "../../src/compose-images.ts";
import { homeAt } from "../../src/core/home.ts";
import { silentLog } from "../../src/core/log.ts";
import { openImageStore } from "../../src/image/image-store.ts";
import type { Image, ImageStore } from "../../src/image/types.ts";
import { busyboxLayout, mkfsPath, noUmoci, pythonLayout, umociUnpack } from "../support/fixtures.ts";
import { assertNothingLeft, until } from "../support/leftovers.ts";
import { platform } from "../support/platform.ts";
import { BUSYBOX, PYTHON, testConfig } from "../support/service.ts";
import { removeHome, ServiceProcess, writeServiceConfig } from "../support/service-process.ts";
import { differences, treeOf } from "../support/tree-of.ts";
import { pathsIn } from "../support/unpack-fixture.ts";

/** Everything of a tree, and what the kernel notes by itself when a file or directory is changed. */
async function stateOf(root: string): Promise<Record<string, string>> {
  const state: Record<string, string> = await treeOf(root);
  for (const path of [".", ...(await pathsIn(root))]) {
    const { ctimeNs, mtimeNs, ino, nlink } = lstatSync(join(root, path), { bigint: true });
    state[path] += ` ${mtimeNs} ${ctimeNs} ${ino} ${nlink}`;
  }
  return state;
}

/** Writes wherever it can, as root of its sandbox, and makes sure that it did. */
const VANDAL = `
import os, shutil
assert open("/opt/in/deep.txt").read() == "given"
open("/output/out.txt", "w").write("kept")
open("/usr/bin/new", "w").write("new")
open("/etc/passwd", "a").write("x")
os.unlink("/etc/group")
os.chmod("/etc", 0o700)
os.utime("/var", (1, 1))
os.rename("/home", "/elsewhere")
shutil.rmtree("/var/lib")
os.link("/etc/passwd", "/etc/linked")
open("/large", "wb").write(bytes(20 << 20))
print(os.getcwd(), "vandal", flush=True)
`;

describe("on a host without mkfs.erofs", { skip: noUmoci }, () => {
  let home = "";
  let config = "";
  let image: Image;
  let service: ServiceProcess;
  const withStore = async (mkfs: string | null, use: (store: ImageStore) => Promise<unknown>) => {
    const options = imageStoreOptions(testConfig(home), platform, homeAt(home), mkfs, silentLog);
    const store = await openImageStore(options);
    await use(store).finally(() => store.close());
  };
  const run = (code: string, rest: object = {}) =>
    service.run({
      image: PYTHON,
      cmd: ["python3", "-c", code],
      user: "0:0",
      inline_files: [{ path: "opt/in/deep.txt", content: "given" }],
      cwd: "/not/there",
      ...rest,
    });

  before(async () => {
    // With what the options of mount(8) give a meaning.
    home = await mkdtemp(join(tmpdir(), "boxer,test: a-"));
    await withStore(mkfsPath(), (store) => store.importLayout(busyboxLayout, BUSYBOX));
    await withStore(null, async (store) => {
      image = await store.importLayout(pythonLayout, PYTHON);
    });
    config = await writeServiceConfig(home, { mkfs_erofs_path: null, allow_root_user: true });
    service = new ServiceProcess(config);
  });
  after(async () => {
    await service?.end("SIGKILL");
    await removeHome(home);
  });

  it("an image is kept as the directory that umoci makes of it", async () => {
    assert.equal(image.rootfs_type, "directory");
    const bundle = await mkdtemp(join(tmpdir(), "boxer-umoci-"));
    try {
      const root = await umociUnpack(`${pythonLayout}:latest`, join(bundle, "b"));
      assert.deepEqual(differences(await treeOf(root), await treeOf(image.rootfs)), []);
    } finally {
      await rm(bundle, { recursive: true, force: true });
    }
  });

  it("runs that write everywhere change nothing of the image, nor see each other", async () => {
    const before = await stateOf(image.rootfs);
    for (const { status, body } of await Promise.all([run(VANDAL), run(VANDAL)])) {
      assert.deepEqual([status, body.stdout], [200, "/not/there vandal\n"], JSON.stringify(body));
    }
    const { body } = await run("import os; print(os.stat('/').st_mode & 0o7777, os.listdir('/home'))");
    assert.equal(body.stdout, `${lstatSync(image.rootfs).mode & 0o7777} []\n`, JSON.stringify(body));
    assert.deepEqual(differences(before, await stateOf(image.rootfs)), []);
    assert.deepEqual(await readdir(join(image.rootfs, "..")), ["rootfs"]);
  });

  it("a service killed in the middle leaves neither a mount nor a change, once it is started again", async () => {
    const before = await stateOf(image.rootfs);
    const cut = run(`${VANDAL}\nimport time; time.sleep(60)`).catch(() => null);
    await until(async () => (await outputsIn(home)).length > 0);
    await service.end("SIGKILL");
    await cut;
    service = new ServiceProcess(config);
    assert.equal((await run(VANDAL)).status, 200);
    await assertNothingLeft(home);
    assert.deepEqual(await mountsOf(home), []);
    assert.deepEqual(differences(before, await stateOf(image.rootfs)), []);
  });

  it("a run that is cut off by its wall clock leaves no mount", async () => {
    const { body } = await run("while True: pass", { limits: { wall_clock_secs: 0.5 } });
    assert.equal(body.code, "timed_out");
    await assertNothingLeft(home);
    assert.deepEqual(await mountsOf(home), []);
  });

  it("a run whose image cannot be mounted is a fault of ours, not a program that failed", async () => {
    const kept = dirname(image.rootfs);
    await rename(kept, `${kept}-away`);
    try {
      const { status, body } = await run("print(1)");
      assert.deepEqual([status, body.code], [500, "sandbox_failed"], JSON.stringify(body));
    } finally {
      await rename(`${kept}-away`, kept);
    }
    await assertNothingLeft(home);
  });

  it("images that were packed before are used as they are, and the service says how it stands", async () => {
    const { body } = await service.run({ image: BUSYBOX, cmd: ["echo", "packed"] });
    assert.equal(body.stdout, "packed\n");
    const ready = await fetch(`${await service.url()}/readyz`);
    assert.equal(ready.status, 200);
    assert.match(((await ready.json()) as { notes: string[] }).notes.join(), /kept as directories/);
  });

  it("an image is removed with all its files, and counted until then", async () => {
    await service.end("SIGTERM");
    await withStore(mkfsPath(), async (store) => {
      assert.ok(store.usage().size_bytes > image.size_bytes && image.size_bytes > 10 << 20);
      assert.equal(await store.remove(PYTHON), "removed");
      assert.ok(store.usage().size_bytes < image.size_bytes);
    });
    assert.equal((await readdir(join(homeAt(home).images, "rootfs"))).length, 1);
    assert.deepEqual(await readdir(join(homeAt(home).images, "tmp")), []);
  });
});

/** What guests have written to /output so far, on the host. */
async function outputsIn(home: string): Promise<string[]> {
  const files = await readdir(join(home, "runs"), { recursive: true }).catch(() => []);
  return files.filter((path) => path.endsWith("/out.txt"));
}

/**
 * Mounts below a home in our mount namespace and in those of the processes that have to do with it. Namespaces of others
 * have copies of what was mounted when they were made.
 */
async function mountsOf(home: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const tables = pids.map(async (pid) => {
    const read = (file: string) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");
    return pid === `${process.pid}` || (await read("cmdline")).includes(home) ? await read("mountinfo") : "";
  });
  const lines = (await Promise.all(tables)).flatMap((table) => table.split("\n"));
  // The kernel writes a space as \\040. The directory of the runs is the server's own, for as long as it is up.
  const at = home.replaceAll(" ", "\\040");
  return lines.filter((line) => line.includes(at) && !line.includes(` ${at}/runs `));
}
