import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { guestsUp } from "../support/guests-up.ts";
import { noMounts } from "../support/no-mounts.ts";
import { BUSYBOX, PYTHON, startTestService, type TestService } from "../support/service.ts";

describe("what a guest can see and change", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService();
  });
  after(() => service.stop());

  const sh = (script: string, rest: object = {}) => service.run({ cmd: ["sh", "-c", script], ...rest });
  const python = (code: string, rest: object = {}) =>
    service.run({ image: PYTHON, cmd: ["python3", "-c", code], ...rest });

  it("has no network but loopback", async () => {
    const { body } = await python(`
import socket
print([name for _, name in socket.if_nameindex()])
for address in ("8.8.8.8", "169.254.169.254", "10.0.0.1", "192.168.0.1"):
    try:
        socket.create_connection((address, 80), timeout=2)
        print("reached", address)
    except OSError as error:
        print("no", error.errno)
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname()).close()
print("loopback works")
`);
    const lines = body.stdout.trim().split("\n");
    assert.equal(lines[0], "['lo']");
    assert.ok(
      lines.slice(1, 5).every((line: string) => /^no \d+$/.test(line)),
      body.stdout,
    );
    assert.equal(lines[5], "loopback works");
  });

  it("cannot reach the service that runs it", async () => {
    const { port } = new URL(service.url);
    const { body } = await sh(`wget -T 2 -O - http://127.0.0.1:${port}/healthz || echo unreachable`);
    assert.equal(body.stdout, "unreachable\n");
  });

  it("is nobody, without capabilities, and cannot become more", async () => {
    const { body } = await python(`
import os, ctypes
print(os.getresuid(), os.getresgid(), os.getgroups())
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
print({status[name].strip() for name in ("CapInh", "CapPrm", "CapEff", "CapBnd")})
print(ctypes.CDLL(None).prctl(39, 0, 0, 0, 0))
for call in (lambda: os.setuid(0), lambda: os.setgid(0), lambda: os.chroot("/tmp"), lambda: (os.mknod("/tmp/d", 0o60666, 0x801), open("/tmp/d"))):
    try:
        call()
        print("allowed")
    except OSError:
        print("refused")
`);
    assert.equal(
      body.stdout,
      "(65534, 65534, 65534) (65534, 65534, 65534) []\n{'0000000000000000'}\n1\nrefused\nrefused\nrefused\nrefused\n",
      body.stderr,
    );
  });

  it("sees only its own processes", async () => {
    const { body } = await sh("ls /proc | grep -c '^[0-9]'; cat /proc/1/cmdline | tr '\\0' ' '");
    const [count, init] = body.stdout.split("\n");
    assert.ok(Number(count) <= 6, body.stdout);
    assert.match(init, /^sh -c /);
  });

  it("sees the memory that it may use, not the host's", { skip: noMounts() }, async () => {
    const code = "import os; print(os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') >> 20)";
    const cmd = ["sh", "-c", `head -1 /proc/meminfo; exec python3 -c "${code}"`];
    const { body } = await service.run({ image: PYTHON, cmd, limits: { memory_mb: 300 } });
    assert.deepEqual([body.stdout, body.stderr], ["MemTotal:         307200 kB\n300\n", ""]);
  });

  it("sees nothing of the host's file system", async () => {
    const { body } = await sh(`ls / ; ls ${service.home} || echo hidden; cat /proc/mounts`, {
      image: BUSYBOX,
    });
    assert.match(body.stdout, /hidden/);
    assert.ok(!body.stdout.includes(service.home));
  });

  it("has an empty /output and /tmp each time, and a working /dev/shm", async () => {
    for (let round = 0; round < 2; round += 1) {
      const { body } = await sh(
        "ls -A /tmp /output /dev/shm; touch /tmp/x /output/x /dev/shm/x && echo made",
      );
      assert.equal(body.stdout, "/dev/shm:\n\n/output:\n\n/tmp:\nmade\n");
    }
  });

  it("cannot change its image for a later run, nor see the mount points of an earlier one", async () => {
    const before = await sh("ls -a / | tr '\\n' ' '");
    await sh("echo x > /var/tmp/x; mkdir /w; echo y > /etc/passwd; rm -rf /bin/sh; true", {
      inline_files: [{ path: "mark/of/run", content: "x" }],
      cwd: "/made/for/run",
    });
    const later = await sh("ls -a / | tr '\\n' ' '");
    assert.equal(later.body.stdout, before.body.stdout);
    const { body } = await sh("ls /mark /made /var/tmp/x 2>&1 | grep -c 'No such file'");
    assert.equal(body.stdout, "3\n");
  });

  it("leaves every byte of the image store as it was", async () => {
    const before = await contentOf(join(service.home, "images"));
    const attempt = `
import os
for root, dirs, files in os.walk("/"):
    if root.startswith(("/proc", "/sys", "/dev")): continue
    for name in files:
        try:
            with open(os.path.join(root, name), "r+b") as file: file.write(b"owned")
        except OSError: pass
    try: os.mknod(os.path.join(root, "planted"))
    except OSError: pass
`;
    await python(attempt, { persist: true });
    assert.deepEqual(await contentOf(join(service.home, "images")), before);
  });

  it("cannot write, remove, rename or remount its inputs", async () => {
    await service.upload("ro/data.txt", "original");
    const { body } = await sh(
      "cd /ro; for c in 'echo x > data.txt' 'rm data.txt' 'mv data.txt y' 'chmod 777 data.txt' 'mount -o remount,rw /ro/data.txt'; do sh -c \"$c\" 2>/dev/null && echo \"did $c\"; done; cat data.txt",
      { files: ["ro/data.txt"], persist: true },
    );
    assert.equal(body.stdout, "original");
    assert.equal(await (await service.fetch("/files?path=ro/data.txt")).text(), "original");
  });

  it("is refused an input below a link or a file of the image, by the input's path", async () => {
    for (const path of ["bin/x", "etc/passwd/x"]) {
      const { status, body } = await service.run({
        image: PYTHON,
        cmd: ["true"],
        inline_files: [{ path, content: "" }],
      });
      assert.deepEqual([status, body.code, body.field], [400, "invalid_path", "files"], JSON.stringify(body));
      assert.ok(body.error.startsWith(`/${path} `));
    }
  });

  it("reads end of file from stdin unless the request brings some", async () => {
    assert.equal((await sh("cat; echo end")).body.stdout, "end\n");
    assert.equal((await sh("cat; echo end", { stdin: "given\n" })).body.stdout, "given\nend\n");
  });

  it("can open its own standard streams again", async () => {
    const { body } = await sh("echo out > /dev/stdout; echo err > /dev/stderr; cat /dev/stdin", {
      stdin: "in\n",
    });
    assert.deepEqual([body.stdout, body.stderr], ["out\nin\n", "err\n"]);
  });

  it("runs the image's own environment below the request's", async () => {
    const { body } = await sh("echo $HOME; env | grep -c '^PATH='");
    assert.equal(body.stdout, "/tmp\n1\n");
  });
});

describe("two runs at the same time", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService();
  });
  after(() => service.stop());

  it("share an input with persist=false: both get it, and it is gone after the last", async () => {
    await service.upload("shared.txt", "shared");
    const both = await Promise.all(
      ["1", "2"].map((seconds) =>
        service.run({ cmd: ["sh", "-c", `sleep ${seconds}; cat /shared.txt`], files: ["shared.txt"] }),
      ),
    );
    assert.deepEqual(
      both.map(({ body }) => body.stdout),
      ["shared", "shared"],
    );
    assert.equal((await service.fetch("/files?path=shared.txt")).status, 404);
  });

  it("keep the input they started with when it is uploaded anew", async () => {
    await service.upload("moving.txt", "old");
    const running = service.run({
      cmd: ["sh", "-c", "cat /moving.txt; : > /output/up; sleep 2; cat /moving.txt"],
      files: ["moving.txt"],
    });
    await guestsUp(service.home);
    await service.upload("moving.txt", "new");
    assert.equal((await running).body.stdout, "oldold");
    assert.equal(await (await service.fetch("/files?path=moving.txt")).text(), "new");
  });

  it("do not see each other's files", async () => {
    const script =
      "echo $0 > /tmp/mine; echo $0 > /output/mine; sleep 1; cat /tmp/mine /output/mine; ls /tmp /output | wc -l";
    const both = await Promise.all(
      ["a", "b"].map((name) => service.run({ cmd: ["sh", "-c", script, name] })),
    );
    assert.deepEqual(
      both.map(({ body }) => body.stdout.replaceAll("\n", " ")),
      ["a a 5 ", "b b 5 "],
    );
  });
});

/** Digest of every file below a directory. */
async function contentOf(directory: string): Promise<Record<string, string>> {
  const content: Record<string, string> = {};
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile()) {
      content[path] = "";
      continue;
    }
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(path)) hash.update(chunk);
    content[path] = hash.digest("hex");
  }
  return content;
}

describe("the working directory of a guest", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService();
  });
  after(() => service.stop());

  const pwd = (cwd: string, rest: object = {}) =>
    service.run({ cmd: ["sh", "-c", "pwd; touch x && ls x"], cwd, ...rest });

  it("is normalised, and made where the image lacks it", async () => {
    assert.equal((await pwd("/a/../b/./c/")).body.stdout, "/b/c\nx\n");
    assert.equal((await service.run({ cmd: ["pwd"], cwd: "/etc/" })).body.stdout, "/etc\n");
    assert.equal((await service.run({ cmd: ["pwd"], cwd: "/" })).body.stdout, "/\n");
  });

  it("below /output is made there, and what it holds is captured", async () => {
    const { body } = await pwd("/output/a/b");
    assert.equal(body.stdout, "/output/a/b\nx\n");
    assert.deepEqual(body.outputs, [{ path: `output/${body.exec_id}/a/b/x`, size_bytes: 0 }]);
  });

  it("cannot be made below what the kernel makes, in place of a file or below one, or of a path that is too long", async () => {
    const inline = { inline_files: [{ path: "in/file", content: "x" }] };
    for (const [cwd, rest] of [
      ["/proc/nosuch", {}],
      ["/dev/nosuch", {}],
      ["/sys/nosuch", {}],
      ["/etc/passwd/x", {}],
      [`/${"x".repeat(300)}`, {}],
      [`/output/${"x/".repeat(3000)}`, {}],
      ["/in/file/x", inline],
      ["/in/file", inline],
    ] as const) {
      const { status, body } = await pwd(cwd, rest);
      assert.deepEqual([status, body.field], [400, "cwd"], `${cwd.slice(0, 40)}: ${JSON.stringify(body)}`);
    }
  });
});
