import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { runscPath } from "../support/fixtures.ts";
import { assertNothingLeft, until } from "../support/leftovers.ts";
import { platform } from "../support/platform.ts";
import {
  BUSYBOX,
  provideImages,
  type RunAnswer,
  startTestService,
  type TestService,
} from "../support/service.ts";
import { removeHome, ServiceProcess, writeServiceConfig } from "../support/service-process.ts";

/** Runs a command that must work. */
function sh(...argv: [string, ...string[]]): void {
  const { status, stderr } = spawnSync(argv[0], argv.slice(1), { encoding: "utf8" });
  assert.equal(status, 0, `${argv.join(" ")}: ${stderr}`);
}

/** Why no file system can be mounted here, for `skip`; false when one can. */
function noMounts(): string | false {
  return process.geteuid?.() === 0 ? false : "only root may mount";
}

function assertFault({ status, body }: RunAnswer, code: string, httpStatus = 500): void {
  assert.deepEqual([status, body.code], [httpStatus, code], JSON.stringify(body));
  assert.match(body.exec_id, /^boxer-/);
  assert.doesNotMatch(body.error, /\/tmp\//);
}

describe("a runsc that is not one", () => {
  let directory: string;
  let runsc: string;
  let service: TestService;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "boxer-test-"));
    runsc = join(directory, "runsc");
    await writeFile(runsc, "", { mode: 0o755 });
    service = await startTestService({ runsc_path: runsc });
  });
  after(async () => {
    await service.stop();
    await rm(directory, { recursive: true });
  });
  const behave = (script: string) => writeFile(runsc, `#!/bin/sh\n${script}\n`);

  const LIES: Record<string, string> = {
    "ends with 0 and says nothing": "exit 0",
    "ends with 0 and says that the guest did": "echo 42; exit 0",
    "ends with 1": "exit 1",
    "prints garbage to both streams and ends with 128":
      "head -c 100000 /dev/urandom | tee /dev/stderr; exit 128",
    "is killed": "kill -KILL $$",
    "crashes before there is a guest": "exit 2",
    "writes garbage into its log": `for o in "$@"; do case $o in --log=*) echo "{{]" > "\${o#*=}" ;; esac; done; exit 128`,
  };
  for (const [name, script] of Object.entries(LIES)) {
    it(`that ${name} is a fault of ours and no result`, async () => {
      await behave(script);
      assertFault(await service.run({ cmd: ["true"] }), "sandbox_failed");
      await assertNothingLeft(service.home);
    });
  }

  it("that hangs is a fault of ours, not a program that took too long", async () => {
    await behave("exec sleep 1000");
    assertFault(await service.run({ cmd: ["true"] }), "sandbox_not_started");
    await assertNothingLeft(service.home);
  });

  it("that is gone or cannot be executed is told as missing", async () => {
    await chmod(runsc, 0o644);
    assertFault(await service.run({ cmd: ["true"] }), "runsc_missing");
    await rm(runsc);
    assertFault(await service.run({ cmd: ["true"] }), "runsc_missing");
    await assertNothingLeft(service.home);
  });

  it("is forgotten once it is one", async () => {
    await behave(`exec ${runscPath()} "$@"`);
    await chmod(runsc, 0o755);
    const { status, body } = await service.run({ cmd: ["echo", "well"] });
    assert.deepEqual([status, body.stdout], [200, "well\n"]);
  });
});

describe("a disk", { skip: noMounts() }, () => {
  let home: string;
  let service: ServiceProcess;
  before(async () => {
    home = await mkdtemp(join(tmpdir(), "boxer-test-"));
    sh("mount", "-t", "tmpfs", "-o", "size=512m", "boxer-test", home);
    await provideImages(home);
    service = new ServiceProcess(await writeServiceConfig(home));
    await service.url();
  });
  after(async () => {
    await service.end("SIGKILL");
    sh("umount", "--lazy", home);
    await rm(home, { recursive: true });
  });
  const run = () =>
    service.run({
      image: BUSYBOX,
      cmd: ["sh", "-c", "cat in"],
      inline_files: [{ path: "in", content: "x" }],
    });
  const upload = async () => {
    const form = new FormData();
    form.set("path", "some");
    form.set("file", new File([new Uint8Array(1 << 20)], "some"));
    const response = await fetch(`${await service.url()}/files`, { method: "POST", body: form });
    return { status: response.status, body: (await response.json()) as { code?: string } };
  };
  const assertServes = async () => {
    const { status, body } = await run();
    assert.deepEqual([status, body.stdout], [200, "x"], JSON.stringify(body));
    assert.equal((await upload()).status, 200);
    await assertNothingLeft(home);
  };

  it("that is full fails runs and uploads cleanly, and serves again when there is room", async () => {
    spawnSync("dd", ["if=/dev/zero", `of=${home}/flood`, "bs=1M"]);
    assertFault(await run(), "disk_full");
    const { status, body } = await upload();
    assert.deepEqual([status, body.code], [500, "disk_full"]);
    await rm(join(home, "flood"));
    await assertServes();
  });

  it("that turned read-only fails runs and uploads cleanly, and serves again when it is writable", async () => {
    const rooms = ["runs", "uploads"].map((name) => join(home, name));
    for (const room of rooms) {
      sh("mount", "--bind", room, room);
      sh("mount", "-o", "remount,bind,ro", room);
    }
    assertFault(await run(), "disk_not_writable");
    const { status, body } = await upload();
    assert.deepEqual([status, body.code], [500, "disk_not_writable"]);
    for (const room of rooms) sh("umount", room);
    await assertServes();
  });

  it("that is read-only stops the start with a message that says so", async () => {
    const config = await writeServiceConfig(home);
    assert.equal(await service.end("SIGTERM"), 0);
    sh("mount", "-o", "remount,ro", home);
    const late = new ServiceProcess(config);
    assert.ok((await late.exited) !== 0);
    assert.match(late.log, /read-only/i);
    assert.match(late.log, new RegExp(home));
  });
});

/** Deno itself panics when it cannot open a file to look at its own stack. */
const diesWithoutDescriptors = platform.name === "deno" ? "Deno ends by itself then" : false;

describe("a server out of file descriptors", { skip: diesWithoutDescriptors }, () => {
  let home: string;
  let service: ServiceProcess;
  before(async () => {
    home = await mkdtemp(join(tmpdir(), "boxer-test-"));
    await provideImages(home);
    const config = await writeServiceConfig(home, { max_concurrent_runs: 32 });
    service = new ServiceProcess(config, ["prlimit", "--nofile=300:300"]);
    await service.url();
  });
  after(async () => {
    await service.end("SIGKILL");
    await removeHome(home);
  });

  it("answers what it can, tells the rest why, and serves again", async () => {
    const { hostname, port } = new URL(await service.url());
    const idle = Array.from({ length: 235 }, () => connect(Number(port), hostname).on("error", () => {}));
    await Promise.all(idle.map((socket) => once(socket, "connect")));
    // Some servers take a connection only when there is something to read.
    for (const socket of idle) socket.write("GET / HTTP/1.1\r\n");
    const runs = Array.from({ length: 24 }, () =>
      service.run({ image: BUSYBOX, cmd: ["sh", "-c", "sleep 1; echo done"] }),
    );
    const codes: string[] = [];
    for (const answer of await Promise.allSettled(runs)) {
      // A connection that the kernel could not hand over is the kernel's to tell.
      if (answer.status === "rejected") {
        codes.push("refused");
        continue;
      }
      const { status, body } = answer.value;
      codes.push(body.code ?? "ok");
      if (status === 200) assert.equal(body.stdout, "done\n", JSON.stringify(body));
      // runsc has the limit of its parent.
      else assert.match(body.code, /^(host_exhausted|sandbox_failed)$/, JSON.stringify(body));
    }
    assert.ok(
      codes.some((code) => code !== "ok"),
      "nothing ran short",
    );
    for (const socket of idle) socket.destroy();
    // It may take the server a moment to see that they have gone.
    await until(async () => {
      const again = await service.run({ image: BUSYBOX, cmd: ["echo", "again"] }).catch(() => null);
      return again?.status === 200 && again.body.stdout === "again\n";
    });
    await assertNothingLeft(home);
  });
});
