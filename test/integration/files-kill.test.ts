import assert from "node:assert/strict";
import { exec } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, stat } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { until } from "../support/leftovers.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { removeHome, ServiceProcess, writeServiceConfig } from "../support/service-process.ts";

const KILLS = 5;
const CONCURRENT = 6;
const LONGEST_LIFE_MS = 1_000;

describe("kill -9 during uploads", () => {
  let home: string;
  let config: string;
  let service: ServiceProcess | undefined;
  before(async () => {
    home = await mkdtemp(join(tmpdir(), "boxer-test-"));
    config = await writeServiceConfig(home);
  });
  after(async () => {
    await service?.end("SIGKILL");
    await removeHome(home);
  });

  it("loses nothing that was answered; half-written files are swept, and the count is that of the disk", async () => {
    const random = seededRandom(20_261_124);
    const answered = new Map<string, string>();
    for (let kill = 0; kill < KILLS; kill += 1) {
      const victim = new ServiceProcess(config);
      service = victim;
      const url = await victim.url();
      const half = uploadHalf(Number(new URL(url).port));
      await until(async () => (await sizesIn(join(home, "uploads"))).includes(HALF.length));
      const load = Promise.all(
        Array.from({ length: CONCURRENT }, (_, slot) => keepUploading(url, `${kill}/${slot}`, answered)),
      );
      await sleep(random() * LONGEST_LIFE_MS);
      await victim.end("SIGKILL");
      await load;
      half.destroy();
      assert.ok((await sizesIn(join(home, "uploads"))).includes(HALF.length));
      // As a kill between the making of a directory and the move of its first file leaves it.
      await mkdir(join(home, `files/made/${kill}`), { recursive: true });
      await assertCountedByNextStart();
    }
    assert.ok(answered.size > 0);
    for (const [path, text] of answered) {
      const content = await readFile(join(home, "files", path), "utf8");
      assert.ok(text === content, `${path} is not what was uploaded`);
    }
  });

  async function assertCountedByNextStart(): Promise<void> {
    const next = new ServiceProcess(config);
    service = next;
    const response = await fetch(`${await next.url()}/files/list`);
    assert.equal((await response.json()).size_bytes, await bytesOnDisk(join(home, "files")), next.log);
    assert.deepEqual(await readdir(join(home, "uploads")), []);
    assert.ok(!existsSync(join(home, "files/made")), "an empty directory is left");
    assert.equal(await next.end("SIGTERM"), 0);
  }
});

const HALF = "x".repeat(100_000);

/** Sends a part of an upload, and leaves it at that. */
function uploadHalf(port: number) {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  const head = [
    "POST /files HTTP/1.1",
    "Host: 127.0.0.1",
    "Content-Type: multipart/form-data; boundary=b",
    "Content-Length: 1000000",
  ];
  const part = ["--b", 'Content-Disposition: form-data; name="file"; filename="f"'];
  socket.write(`${[...head, "", ...part].join("\r\n")}\r\n\r\n${HALF}`);
  return socket;
}

/** Uploads files, new ones and over older ones, until the service is gone. Notes what was answered. */
async function keepUploading(url: string, directory: string, answered: Map<string, string>): Promise<void> {
  for (let index = 0; ; index += 1) {
    const path = `load/${directory}/${index}`;
    const text = `${index},`.repeat(1 + index * 977);
    const form = new FormData();
    form.set("path", path);
    form.set("file", new File([text], "upload"));
    const response = await fetch(`${url}/files`, { method: "POST", body: form }).catch(() => undefined);
    if (!response) return;
    assert.equal(response.status, 200);
    answered.set(path, text);
  }
}

async function sizesIn(directory: string): Promise<number[]> {
  const names = await readdir(directory);
  return Promise.all(
    names.map(async (name) => (await stat(join(directory, name)).catch(() => undefined))?.size ?? 0),
  );
}

/** By du(1): the apparent sizes of all files, without those of directories. */
async function bytesOnDisk(directory: string): Promise<number> {
  const command = `find ${directory} -type f -print0 | du --bytes --total --files0-from=- | tail -n 1`;
  return Number.parseInt((await promisify(exec)(command)).stdout, 10);
}
