import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createReadStream } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { busyboxLayout, copyImage, mkfsPath, noArchives } from "../support/fixtures.ts";
import { until } from "../support/leftovers.ts";
import { platform } from "../support/platform.ts";
import { scriptArgv } from "../support/script-argv.ts";
import { startTestService, type TestService } from "../support/service.ts";

const ENTRY = join(import.meta.dirname, "../../src", platform.name === "deno" ? "main.deno.ts" : "main.ts");
let directory = "";
let docker = "";
let oci = "";
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "boxer-import-"));
  if (noArchives) return;
  docker = join(directory, "docker.tar");
  oci = join(directory, "oci.tar");
  await copyImage(busyboxLayout, `docker-archive:${docker}:some/docker:1`);
  await copyImage(busyboxLayout, `oci-archive:${oci}:some/oci:1`);
});
after(() => rm(directory, { recursive: true, force: true }));

describe("an archive sent to the service", { skip: noArchives }, () => {
  let service: TestService;
  before(async () => {
    service = await startTestService({ image_archive_limit_bytes: 5_000_000 });
  });
  after(() => service?.stop());

  const post = async (body: Uint8Array<ArrayBuffer>, query = "") => {
    const response = await service.fetch(`/images/import${query}`, { method: "POST", body });
    return { status: response.status, body: await response.json() };
  };
  const left = () => readdir(join(service.home, "images/tmp"));

  it("is an image to run, by the name in it", async () => {
    const { status, body } = await post(await readFile(docker));
    assert.deepEqual([status, body.reference], [200, "docker.io/some/docker:1"], JSON.stringify(body));
    const run = await service.run({ image: "some/docker:1", cmd: ["echo", "imported"] });
    assert.deepEqual([run.body.stdout, run.body.image_digest], ["imported\n", body.digest]);
    assert.deepEqual(await left(), []);
  });

  it("is an image to run, by the name asked for, also when it is compressed", async () => {
    const { status, body } = await post(gzipSync(await readFile(oci)), "?reference=local/oci:2");
    assert.deepEqual([status, body.reference], [200, "local/oci:2"], JSON.stringify(body));
    const run = await service.run({ image: "local/oci:2", cmd: ["echo", "imported"] });
    assert.equal(run.body.stdout, "imported\n");
    const index = JSON.parse(await readFile(join(busyboxLayout, "index.json"), "utf8"));
    assert.equal(body.digest, index.manifests[0].digest);
  });

  it("is refused with 400 when it is none", async () => {
    const { status, body } = await post(Buffer.from("no archive"), "?reference=local/none:1");
    assert.deepEqual([status, body.code], [400, "image_invalid"], JSON.stringify(body));
    assert.deepEqual(await left(), []);
  });

  it("is refused with 413 when it is too large", async () => {
    const { status, body } = await post(new Uint8Array(6_000_000), "?reference=local/large:1");
    assert.deepEqual([status, body.code], [413, "payload_too_large"]);
    assert.deepEqual(await left(), []);
  });

  it("leaves nothing behind when its sender goes away", async () => {
    const outgoing = request(`${service.url}/images/import?reference=local/gone:1`, { method: "POST" });
    outgoing.on("error", () => {});
    createReadStream(docker, { end: 300_000 }).on("data", (chunk) => outgoing.write(chunk));
    await until(async () => (await left()).length === 1);
    outgoing.destroy();
    await until(async () => (await left()).length === 0);
  });
});

describe("the command import", { skip: noArchives }, () => {
  let config = "";
  const importing = async (args: readonly string[], stdin?: Uint8Array) => {
    const [command = "", ...rest] = scriptArgv(ENTRY, "import", ...args);
    const child = spawn(command, rest, { stdio: ["pipe", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.stdin.end(stdin);
    const code = await new Promise((resolve) => child.on("close", resolve));
    return { code, stdout, stderr };
  };
  const configure = async (name: string, home: string, listen_addr: string): Promise<string> => {
    const path = join(directory, name);
    await writeFile(path, JSON.stringify({ home, listen_addr, mkfs_erofs_path: mkfsPath() }));
    return path;
  };
  before(async () => {
    config = await configure("config.json", join(directory, "home"), "127.0.0.1:18080");
  });

  it("takes a file, standard input, and a directory", async () => {
    const expected = /^(\S+) sha256:[0-9a-f]{64} \d+ bytes\n$/;
    const name = async (...args: Parameters<typeof importing>) => {
      const { code, stdout, stderr } = await importing(...args);
      assert.equal(code, 0, stderr);
      return expected.exec(stdout)?.[1];
    };
    assert.equal(await name([docker, "--config", config]), "docker.io/some/docker:1");
    const stdin = ["-", "--config", config, "--reference", "local/stdin:1"];
    assert.equal(await name(stdin, await readFile(oci)), "local/stdin:1");
    const layout = [busyboxLayout, "--config", config, "--reference", "local/layout:1"];
    assert.equal(await name(layout), "local/layout:1");
  });

  const faults: [what: string, args: () => string[], code: number, stderr: RegExp][] = [
    ["no argument", () => [], 64, /Say what to import.*Usage/s],
    ["two files", () => [docker, oci], 64, /Only one image/],
    ["an unknown option", () => [docker, "--tag", "x"], 64, /--tag/],
    ["a file that is not there", () => [`${docker}.no`], 66, /is not there/],
    ["a directory without a name", () => [busyboxLayout], 64, /--reference/],
    ["a name that is none", () => [docker, "--reference", "UPPER"], 64, /lower case/],
    ["a file that is no archive", () => [config, "--reference", "local/x:1"], 65, /archive is damaged/],
  ];
  for (const [what, args, code, message] of faults) {
    it(`exits with ${code} for ${what}`, async () => {
      const result = await importing([...args(), "--config", config]);
      assert.deepEqual([result.code, result.stdout], [code, ""], result.stderr);
      assert.match(result.stderr, message);
    });
  }

  it("shows what to do while a server has the home", async () => {
    const service = await startTestService();
    try {
      const path = await configure("server.json", service.home, new URL(service.url).host);
      const { code, stderr } = await importing([docker, "--config", path, "--reference", "local/live:1"]);
      assert.equal(code, 69);
      const command = /^ {2}(curl .*)$/m.exec(stderr)?.[1] ?? assert.fail(stderr);
      assert.equal(
        command,
        `curl -X POST -T '${docker}' '${service.url}/images/import?reference=local%2Flive%3A1'`,
      );
    } finally {
      await service.stop();
    }
  });
});
