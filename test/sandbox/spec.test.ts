import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { buildSpec, NOBODY, type SpecInput, TMP_SIZE_BYTES } from "../../src/sandbox/spec.ts";

const MIB = 1024 * 1024;

/** The parts of config.json that the tests look at. */
interface Spec {
  ociVersion: string;
  hostname: string;
  process: {
    terminal: boolean;
    user: { uid: number; gid: number; additionalGids?: number[] };
    args: string[];
    env: string[];
    cwd: string;
    noNewPrivileges: boolean;
    oomScoreAdj: number;
    capabilities: Record<string, string[]>;
    rlimits: { type: string; hard: number; soft: number }[];
  };
  root: { path: string; readonly: boolean };
  mounts: { destination: string; type: string; source: string; options: string[] }[];
  annotations: Record<string, string>;
  hooks?: unknown;
  linux: {
    namespaces: { type: string; path?: string }[];
    maskedPaths: string[];
    readonlyPaths: string[];
  };
}

const INPUT: SpecInput = {
  args: ["python3", "-c", "print(42)"],
  env: ["PATH=/bin", "A=b"],
  cwd: "/work",
  user: NOBODY,
  limits: { cpu_cores: 1, memory_mb: 256, wall_clock_secs: 30, pids_limit: 64, nofile: 256 },
  rootfs: "/home/images/rootfs/abc.erofs",
  rootfsType: "erofs",
  emptyRoot: "/home/empty",
  outputDirectory: "/home/runs/x/output",
  inputs: [],
  network: { mode: "none", netns_path: null, files: [] },
  makeCwd: false,
};

const NO_LIMITS = { cpu_cores: null, memory_mb: null, wall_clock_secs: null, pids_limit: null, nofile: null };

const build = (changes: Partial<SpecInput> = {}): Spec =>
  JSON.parse(JSON.stringify(buildSpec({ ...INPUT, ...changes })));
const mountAt = (spec: Spec, destination: string) =>
  spec.mounts.filter((mount) => mount.destination === destination);

describe("the process", () => {
  test("runs the command as nobody, in the directory and environment named", () => {
    const { process } = build();
    assert.deepEqual(process.args, ["python3", "-c", "print(42)"]);
    assert.deepEqual(process.env, ["PATH=/bin", "A=b"]);
    assert.equal(process.cwd, "/work");
    assert.deepEqual(process.user, { uid: 65534, gid: 65534 });
    assert.equal(process.terminal, false);
  });

  test("runs as another user when told so, and owns the working directory made for it", () => {
    const spec = build({ user: { uid: 1000, gid: 100 }, makeCwd: true });
    assert.deepEqual(spec.process.user, { uid: 1000, gid: 100 });
    const [cwd] = mountAt(spec, "/work");
    assert.ok(cwd?.options.includes("uid=1000") && cwd.options.includes("gid=100"));
  });

  test("has no capability in any set, and can gain no privileges", () => {
    const { capabilities, noNewPrivileges } = build().process;
    assert.deepEqual(capabilities, {
      bounding: [],
      effective: [],
      inheritable: [],
      permitted: [],
      ambient: [],
    });
    assert.equal(noNewPrivileges, true);
  });
});

describe("rlimits", () => {
  test("bound open files and processes, hard as soft, and forbid core dumps", () => {
    assert.deepEqual(build().process.rlimits, [
      { type: "RLIMIT_NOFILE", hard: 256, soft: 256 },
      { type: "RLIMIT_NPROC", hard: 64, soft: 64 },
      { type: "RLIMIT_CORE", hard: 0, soft: 0 },
    ]);
  });

  test("leave out what has no limit", () => {
    const { rlimits } = build({ limits: NO_LIMITS }).process;
    assert.deepEqual(rlimits, [{ type: "RLIMIT_CORE", hard: 0, soft: 0 }]);
  });
});

describe("the root", () => {
  test("is the image's EROFS file under a private memory overlay, never the shared file itself", () => {
    const { root, annotations } = build();
    assert.deepEqual(root, { path: "/home/empty", readonly: false });
    assert.deepEqual(annotations, {
      "dev.gvisor.spec.rootfs.source": "/home/images/rootfs/abc.erofs",
      "dev.gvisor.spec.rootfs.type": "erofs",
      "dev.gvisor.spec.rootfs.overlay": "memory",
    });
  });

  test("is the run's own directory where the image is one, under a memory overlay as well", () => {
    const { root, annotations } = build({ rootfs: "/runs/x/root/merged", rootfsType: "directory" });
    assert.deepEqual(root, { path: "/runs/x/root/merged", readonly: false });
    assert.deepEqual(annotations, {
      "dev.gvisor.spec.rootfs.source": "/runs/x/root/merged",
      "dev.gvisor.spec.rootfs.type": "bind",
      "dev.gvisor.spec.rootfs.overlay": "memory",
    });
  });
});

describe("isolation", () => {
  test("the sandbox has namespaces of its own, joins none, and runs no hooks", () => {
    const { linux, hooks } = build();
    assert.deepEqual(linux.namespaces.map(({ type }) => type).sort(), [
      "ipc",
      "mount",
      "network",
      "pid",
      "uts",
    ]);
    for (const { path } of linux.namespaces) assert.equal(path, undefined);
    assert.equal(hooks, undefined);
  });

  test("what tells of the host in /proc and /sys is masked or read-only", () => {
    const { maskedPaths, readonlyPaths } = build().linux;
    for (const path of ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"]) {
      assert.ok(maskedPaths.includes(path), path);
    }
    for (const path of ["/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus"]) {
      assert.ok(readonlyPaths.includes(path), path);
    }
  });

  test("the host's name is not shown", () => {
    assert.equal(build().hostname, "boxer");
  });
});

describe("mounts", () => {
  test("are the minimal ones, each once", () => {
    assert.deepEqual(
      build().mounts.map(({ destination, type }) => `${type} ${destination}`),
      ["proc /proc", "tmpfs /dev", "tmpfs /dev/shm", "sysfs /sys", "tmpfs /tmp", "bind /output"],
    );
  });

  test("none lets set-user-ID bits work, and none but /dev has devices", () => {
    const spec = build({ makeCwd: true, inputs: [{ source: "/h/in", destination: "/in" }] });
    for (const { destination, options } of spec.mounts) {
      assert.ok(options.includes("nosuid"), destination);
      assert.ok(options.includes("nodev") || destination === "/dev", destination);
    }
  });

  test("/sys is read-only, /tmp has 64 MB and is for everyone", () => {
    const spec = build();
    assert.ok(mountAt(spec, "/sys")[0]?.options.includes("ro"));
    const tmp = mountAt(spec, "/tmp")[0]?.options ?? [];
    assert.equal(TMP_SIZE_BYTES, 64 * MIB);
    assert.ok(tmp.includes(`size=${64 * MIB}`) && tmp.includes("mode=1777"), tmp.join());
  });

  test("every memory file system has a size, since the sandbox's memory may not be limited", () => {
    const { mounts } = build({ makeCwd: true });
    for (const { destination, type, options } of mounts) {
      if (type !== "tmpfs" || destination === "/dev") continue;
      assert.ok(
        options.some((option) => /^size=\d+$/.test(option)),
        destination,
      );
    }
  });

  test("/output is the run's own directory, writable", () => {
    const [output, ...more] = mountAt(build(), "/output");
    assert.equal(output?.source, "/home/runs/x/output");
    assert.ok(output?.options.includes("rw"));
    assert.deepEqual(more, []);
  });

  test("inputs are bound read-only, each file where it was asked for, after all else", () => {
    const inputs = [
      { source: "/h/1", destination: "/work/a.py" },
      { source: "/h/2", destination: "/b" },
    ];
    const bound = build({ inputs }).mounts.slice(-2);
    assert.deepEqual(
      bound.map(({ source, destination, type }) => ({ source, destination, type })),
      inputs.map((input) => ({ ...input, type: "bind" })),
    );
    for (const { options } of bound) assert.ok(options.includes("ro") && !options.includes("rw"));
  });

  test("a working directory is made only on demand, as a small empty one", () => {
    assert.deepEqual(mountAt(build(), "/work"), []);
    const [cwd, ...more] = mountAt(build({ makeCwd: true }), "/work");
    assert.equal(cwd?.type, "tmpfs");
    assert.ok(cwd?.options.includes("uid=65534") && cwd.options.includes("gid=65534"));
    assert.deepEqual(more, []);
  });
});

test("cgroups are left to the one that starts runsc, and the sentry goes first where memory is short", () => {
  const { linux, process } = build();
  assert.equal("cgroupsPath" in linux, false);
  assert.equal("resources" in linux, false);
  assert.equal(process.oomScoreAdj, 1000);
});

test("the same input gives the same spec, and is not changed", () => {
  const input = structuredClone({ ...INPUT, makeCwd: true });
  const first = JSON.stringify(buildSpec(input));
  assert.equal(JSON.stringify(buildSpec(input)), first);
  assert.deepEqual(input, { ...INPUT, makeCwd: true });
});

describe("the network", () => {
  const files = [{ source: "/h/resolv.conf", destination: "/etc/resolv.conf" }];
  const connected = (network: SpecInput["network"], inputs: SpecInput["inputs"] = []) =>
    JSON.parse(JSON.stringify(buildSpec({ ...INPUT, network, inputs })));
  const namespaceOf = (spec: { linux: { namespaces: { type: string }[] } }) =>
    spec.linux.namespaces.filter(({ type }) => type === "network");

  test("is a namespace of the sandbox's own, the one that was made for it, or the host's", () => {
    const netns_path = "/run/netns/x";
    assert.deepEqual(namespaceOf(connected({ mode: "none", netns_path: null, files })), [
      { type: "network" },
    ]);
    assert.deepEqual(namespaceOf(connected({ mode: "sandbox", netns_path, files })), [
      { type: "network", path: netns_path },
    ]);
    assert.deepEqual(namespaceOf(connected({ mode: "host", netns_path: null, files })), []);
  });

  test("comes with files, read-only, unless an input is there", () => {
    const network = { mode: "sandbox", netns_path: "/n", files } as const;
    const [mount, ...more] = mountAt(connected(network), "/etc/resolv.conf");
    assert.equal(more.length, 0);
    assert.deepEqual([mount?.source, mount?.options], ["/h/resolv.conf", ["ro", "nosuid", "nodev"]]);
    const own = connected(network, [{ source: "/h/own", destination: "/etc/resolv.conf" }]);
    assert.deepEqual(
      mountAt(own, "/etc/resolv.conf").map(({ source }) => source),
      ["/h/own"],
    );
  });
});
