import assert from "node:assert/strict";
import { test } from "node:test";
import { type GuestTapeInput, guestTape } from "../../../src/sandbox/warm/guest-tape.ts";
import { parseReport } from "../../../src/sandbox/warm/report.ts";
import { type SystemCalls, systemCallsOf } from "../../../src/sandbox/warm/system-calls.ts";
import { playTape, type TapeMemory } from "./play-tape.ts";

const [ENOENT, EACCES, EEXIST, ENOTDIR, EINVAL] = [2, 13, 17, 20, 22];
const calls = systemCallsOf("x64");
const names = new Map(Object.entries(calls).map(([name, number]) => [number, name]));
/** Which arguments of a call are addresses of text. */
const TEXTS: Partial<Record<keyof SystemCalls, readonly number[]>> = {
  openat: [1],
  mkdirat: [1],
  mknodat: [1],
  readlinkat: [1],
  mount: [0, 1, 2, 4],
  fchownat: [1],
  umount2: [0],
  unlinkat: [1],
  chdir: [0],
  faccessat: [1],
};

const REQUEST: GuestTapeInput = {
  args: ["sh", "-c", "exit"],
  env: ["PATH=/usr/bin:/bin", "HOME=/tmp"],
  cwd: "/",
  user: { uid: 65534, gid: 65534 },
  limits: { nofile: 256, pids_limit: 64 },
  inputs: [],
  hasStdin: false,
};

interface Played {
  /** The calls, as `mkdirat /data 511`. */
  readonly lines: string[];
  /** What the report has got. */
  readonly report: Uint8Array;
}

function written(name: string, args: number[], memory: TapeMemory): string {
  const texts = TEXTS[name as keyof SystemCalls] ?? [];
  const shown = args.map((each, index) =>
    texts.includes(index) && each !== 0 ? memory.text(each) : String(each),
  );
  if (name === "prlimit64") shown.splice(2, 1, ...memory.u64s(args[2] ?? 0, 2).map(String));
  if (name === "execve") {
    const [path = 0, argv = 0, env = 0] = args;
    return `execve ${memory.text(path)} ${JSON.stringify(memory.texts(argv))} ${JSON.stringify(memory.texts(env))}`;
  }
  return [name, ...shown.filter((each) => each !== "-100")].join(" ").replace(/( 0)+$/, "");
}

/** What happens with a tape in a guest where some calls fail, by the beginnings of their lines. */
function play(request: Partial<GuestTapeInput>, failing: Record<string, number> = {}): Played {
  const tape = guestTape("x64", { ...REQUEST, ...request });
  assert.ok(tape);
  const lines: string[] = [];
  const report: Buffer[] = [];
  playTape(tape, (call, args, memory) => {
    const name = names.get(call) ?? String(call);
    if (name === "write") report.push(Buffer.from(memory.bytes(args[1] ?? 0, args[2] ?? 0)));
    const line = name === "write" ? `write ${args[0]}` : written(name, args, memory);
    lines.push(line);
    const errno = Object.entries(failing).find(([beginning]) => line.startsWith(beginning))?.[1] ?? 0;
    return name === "exit_group" || (name === "execve" && errno === 0) ? "end" : errno;
  });
  return { lines, report: Buffer.concat(report) };
}

test("the plainest request", () => {
  const { lines, report } = play({});
  assert.deepEqual(lines, [
    "openat /dev/.boxer/out/report 540673",
    "umask",
    "fchown 0 65534 65534",
    "fchown 1 65534 65534",
    "fchown 2 65534 65534",
    "chdir /",
    "umask 18",
    "umount2 /dev/.boxer/in 2",
    "umount2 /dev/.boxer/out 2",
    "unlinkat /dev/.boxer/in 512",
    "unlinkat /dev/.boxer/out 512",
    "unlinkat /dev/.boxer 512",
    "close",
    "openat /dev/null",
    "prlimit64 0 7 256 256",
    "prlimit64 0 6 63 63",
    "setgroups",
    "setresgid 65534 65534 65534",
    "setresuid 65534 65534 65534",
    lines.find((line) => line.startsWith("capset")),
    "chdir /",
    "write 3",
    "faccessat /usr/bin/sh 1",
    'execve /usr/bin/sh ["sh","-c","exit"] ["PATH=/usr/bin:/bin","HOME=/tmp"]',
  ]);
  assert.deepEqual(parseReport(report), { step: "began", errno: 0 });
});

test("both processors do the same", () => {
  const arm64 = systemCallsOf("arm64");
  const order = (arch: "x64" | "arm64", table: SystemCalls) => {
    const tape = guestTape(arch, { ...REQUEST, inputs: [{ name: "0", destination: "/data/x" }] });
    assert.ok(tape);
    const seen: (string | undefined)[] = [];
    const nameOf = new Map(Object.entries(table).map(([name, number]) => [number, name]));
    playTape(tape, (call) => {
      seen.push(nameOf.get(call));
      return call === table.execve ? "end" : 0;
    });
    return seen;
  };
  assert.deepEqual(order("arm64", arm64), order("x64", calls));
});

test("inputs are mounted read-only, in directories that are made as gVisor makes them", () => {
  const inputs = [
    { name: "0", destination: "/data/a/x" },
    { name: "inline-1", destination: "/data/y" },
  ];
  const { lines } = play({ inputs });
  const from = lines.indexOf("umask") + 1;
  assert.deepEqual(lines.slice(from, from + 6), [
    "mkdirat /data 511",
    "mkdirat /data/a 511",
    "mknodat /data/a/x 33188",
    "mount /dev/.boxer/in/inputs/0 /data/a/x 0 4103",
    "mknodat /data/y 33188",
    "mount /dev/.boxer/in/inputs/inline-1 /data/y 0 4103",
  ]);
  assert.ok(lines.indexOf("umask 18") > from + 6);
});

test("directories and files of the image are kept where an input goes", () => {
  const inputs = [{ name: "0", destination: "/etc/passwd" }];
  const { lines } = play({ inputs }, { "mkdirat /etc": EEXIST, "mknodat /etc": EEXIST, readlinkat: EINVAL });
  assert.ok(lines.includes("mount /dev/.boxer/in/inputs/0 /etc/passwd 0 4103"));
});

for (const place of ["/etc", "/etc/passwd"]) {
  test(`no link is followed to where an input goes: ${place}`, () => {
    const inputs = [{ name: "0", destination: "/etc/passwd" }];
    const links = {
      "mkdirat /etc": EEXIST,
      "mknodat /etc": EEXIST,
      [`readlinkat ${place} `]: 0,
      readlinkat: EINVAL,
    };
    const { lines, report } = play({ inputs }, links);
    assert.ok(!lines.some((line) => line.startsWith("mount")));
    assert.deepEqual(parseReport(report), { step: "inputs", errno: EEXIST });
    assert.equal(lines.at(-1), "exit_group 125");
  });
}

test("a working directory that the image lacks becomes an empty tmpfs of the user", () => {
  const request = { cwd: "/made/here", user: { uid: 1000, gid: 70000 } };
  const { lines } = play(request, { "chdir /made/here": ENOENT });
  assert.ok(lines.includes("mkdirat /made 511") && lines.includes("mkdirat /made/here 511"));
  const mount = "mount tmpfs /made/here tmpfs 6 mode=755,uid=1000,gid=70000,size=67108864";
  assert.ok(lines.includes(mount), lines.join("\n"));
});

test("nothing is made of a working directory that is there, or is something else", () => {
  for (const errno of [0, ENOTDIR, EACCES]) {
    const { lines } = play({ cwd: "/there" }, errno === 0 ? {} : { "chdir /there": errno });
    assert.ok(!lines.some((line) => /^(mkdirat|mount)/.test(line)));
    assert.ok(lines.includes("umask 18"));
  }
});

test("a working directory that the user may not enter is a failure", () => {
  const { lines, report } = play({ cwd: "/root" }, { "chdir /root": EACCES });
  assert.deepEqual(parseReport(report), { step: "cwd", errno: EACCES });
  assert.ok(lines.indexOf("setresuid 65534 65534 65534") < lines.lastIndexOf("chdir /root"));
});

test("a working directory below /output is made by the user", () => {
  const { lines } = play({ cwd: "/output/a/b" });
  const made = ["mkdirat /output/a 511", "mkdirat /output/a/b 511", "chdir /output/a/b", "write 3"];
  const from = lines.indexOf("mkdirat /output/a 511");
  assert.deepEqual(lines.slice(from, from + 4), made);
  assert.ok(lines.findIndex((line) => line.startsWith("capset")) < from);
  assert.ok(lines.indexOf("umask 18") < from);
});

test("another user gets the output directory and the streams", () => {
  const { lines } = play({ user: { uid: 1000, gid: 65534 } });
  for (const line of ["fchownat /output 1000 65534", "fchown 1 1000 65534", "setresuid 1000 1000 1000"]) {
    assert.ok(lines.includes(line), line);
  }
});

test("with input of its own the command keeps what follows the tape", () => {
  const { lines } = play({ hasStdin: true });
  assert.ok(!lines.includes("close") && !lines.includes("openat /dev/null"));
});

test("a limit that is null is not set", () => {
  const { lines } = play({ limits: { nofile: null, pids_limit: null } });
  assert.ok(!lines.some((line) => line.startsWith("prlimit64")));
});

test("only root's limit of processes is as it was asked for: the first program counts as root's for good", () => {
  const limitOf = (user: GuestTapeInput["user"]) =>
    play({ user }).lines.find((line) => line.startsWith("prlimit64 0 6"));
  assert.equal(limitOf({ uid: 0, gid: 0 }), "prlimit64 0 6 64 64");
  assert.equal(limitOf({ uid: 1000, gid: 0 }), "prlimit64 0 6 63 63");
});

test("capabilities are given up whoever the user is", () => {
  const tape = guestTape("x64", { ...REQUEST, user: { uid: 0, gid: 0 } });
  assert.ok(tape);
  let seen = 0;
  playTape(tape, (call, args, memory) => {
    if (call === calls.execve) return "end";
    if (call !== calls.capset) return 0;
    seen++;
    assert.equal(memory.bytes(args[0] ?? 0, 8).toString("hex"), "2205082000000000");
    assert.equal(memory.bytes(args[1] ?? 0, 24).toString("hex"), "00".repeat(24));
    return 0;
  });
  assert.equal(seen, 1);
});

test("the search for the command goes on where it is not, or may not be executed", () => {
  for (const errno of [ENOENT, EACCES]) {
    const { lines } = play({}, { "faccessat /usr/bin": errno });
    assert.deepEqual(lines.slice(-2, -1), ["faccessat /bin/sh 1"]);
    assert.ok(lines.at(-1)?.startsWith("execve /bin/sh"));
  }
});

for (const [what, failing, report] of [
  ["is nowhere", { faccessat: ENOENT }, { step: "command", errno: ENOENT }],
  ["cannot be looked for", { faccessat: ENOTDIR }, { step: "command", errno: ENOTDIR }],
  ["is found and cannot be executed", { execve: 8 }, { step: "command", errno: 8 }],
] as const) {
  test(`a command that ${what} is a failure, and nothing else is tried`, () => {
    const { lines, report: bytes } = play({}, failing);
    assert.deepEqual(parseReport(bytes), report);
    assert.equal(lines.at(-1), "exit_group 125");
    assert.ok(lines.filter((line) => line.startsWith("execve")).length <= 1);
  });
}

test("any step that fails is reported, and ends the start", () => {
  const request = { inputs: [{ name: "0", destination: "/x" }], user: { uid: 1, gid: 1 } };
  for (const [beginning, step] of [
    ["mount", "inputs"],
    ["fchownat", "owner"],
    ["fchown 1", "owner"],
    ["umount2", "control"],
    ["unlinkat", "control"],
    ["openat /dev/null", "stdin"],
    ["prlimit64", "limits"],
    ["setgroups", "user"],
    ["setresgid", "user"],
    ["setresuid", "user"],
    ["capset", "user"],
  ] as const) {
    const { lines, report } = play(request, { [beginning]: 1 });
    assert.deepEqual(parseReport(report), { step, errno: 1 }, beginning);
    assert.equal(lines.at(-1), "exit_group 125");
  }
});

test("without a report nothing starts", () => {
  for (const failing of [{ "openat /dev/.boxer": ENOENT }, { "write 3": 28 }]) {
    const { lines } = play({}, failing);
    assert.equal(lines.at(-1), "exit_group 125");
    assert.ok(!lines.some((line) => line.startsWith("execve")));
  }
});

test("there is no tape for what only a boot can do", () => {
  const none = (request: Partial<GuestTapeInput>) =>
    assert.equal(guestTape("x64", { ...REQUEST, ...request }), null);
  none({ env: ["HOME=/"] });
  none({ cwd: "/proc/1" });
  none({ cwd: "/dev/.boxer" });
  none({ args: ["/proc/self/exe"] });
  none({ args: ["//dev/.boxer/in/init"] });
  none({ args: ["sh", "x".repeat(1 << 22)] });
});
