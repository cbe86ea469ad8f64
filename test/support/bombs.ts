import { BUSYBOX, PYTHON } from "./service.ts";
import { SLOWNESS } from "./slowness.ts";

/** A guest that does its worst, and what is to be told of it. */
export interface Bomb {
  readonly name: string;
  readonly request: Record<string, unknown>;
  /** What its run may end as. */
  readonly statuses: readonly string[];
  /** What it must have said before its end. */
  readonly stdout?: RegExp;
  /** Needs limits that only cgroups enforce. */
  readonly needsCgroups?: true;
}

/** For a guest that goes on until the clock ends it: time to do its worst on a busy machine too. */
const WALL_CLOCK_SECS = 5 * SLOWNESS;
/** For a guest that ends by itself, or is to meet another limit than the clock. */
const AMPLE = { wall_clock_secs: 60 * SLOWNESS };

function python(code: string, limits: Record<string, number> = {}) {
  return {
    image: PYTHON,
    cmd: ["python3", "-c", code],
    limits: { wall_clock_secs: WALL_CLOCK_SECS, ...limits },
  };
}

function sh(script: string, limits: Record<string, number> = {}) {
  return {
    image: BUSYBOX,
    cmd: ["sh", "-c", script],
    limits: { wall_clock_secs: WALL_CLOCK_SECS, ...limits },
  };
}

/** Memory bombs get time enough to meet their limit and not the clock. */
const MEMORY = { ...AMPLE, memory_mb: 64 };
const FILL = `
import os, sys
def fill(directory):
    with open(directory + "/flood", "wb") as flood:
        while True: flood.write(bytes(1 << 20))
try:
    fill(sys.argv[1])
except OSError as error:
    print(error.strerror, flush=True)
    sys.exit(9)
`;

function fill(directory: string, limits: Record<string, number> = MEMORY) {
  const { image, cmd, ...rest } = python(FILL, limits);
  return { image, cmd: [...cmd, directory], ...rest };
}

/** What hostile guests do. */
export const BOMBS: readonly Bomb[] = [
  {
    name: "fork bomb",
    request: python(
      "import os\nprint('up', flush=True)\nwhile True:\n  try: os.fork()\n  except OSError: pass",
    ),
    statuses: ["timed_out"],
    stdout: /^up\n/,
  },
  {
    name: "fork bomb of the shell",
    request: sh("bomb() { bomb | bomb & }; echo up; bomb; sleep 60"),
    statuses: ["timed_out", "nonzero_exit"],
    stdout: /^up\n/,
  },
  {
    name: "thread bomb",
    request: python(`
import threading, time
count = 0
while True:
    try:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        count += 1
    except RuntimeError:
        if count: print(count, flush=True)
        count = 0`),
    statuses: ["timed_out"],
    stdout: /^[1-6]?\d\n/,
  },
  {
    name: "memory bomb by malloc",
    request: python(
      "import sys\nprint('up', flush=True)\nx = []\nwhile True: x.append(bytearray(1 << 20))",
      MEMORY,
    ),
    statuses: ["oom_killed"],
    stdout: /^up\n/,
    needsCgroups: true,
  },
  {
    name: "memory bomb of many processes",
    request: python(
      "import os\nfor _ in range(20): os.fork()\nx = []\nwhile True: x.append(bytearray(1 << 20))",
      MEMORY,
    ),
    statuses: ["oom_killed", "nonzero_exit"],
    needsCgroups: true,
  },
  {
    name: "flood of /tmp",
    request: fill("/tmp", AMPLE),
    statuses: ["nonzero_exit"],
    stdout: /^No space left on device\n/,
  },
  {
    name: "flood of /dev/shm",
    request: fill("/dev/shm", AMPLE),
    statuses: ["nonzero_exit"],
    stdout: /^No space left on device\n/,
  },
  {
    name: "flood of the image's own /var/tmp",
    request: fill("/var/tmp"),
    statuses: ["oom_killed"],
    needsCgroups: true,
  },
  {
    name: "flood of many small files",
    request: python(
      "n = 0\nwhile True:\n  n += 1\n  with open(f'/var/tmp/{n}', 'w') as f: f.write('x' * 4096)",
      MEMORY,
    ),
    statuses: ["oom_killed"],
    needsCgroups: true,
  },
  {
    name: "page cache",
    request: python(
      "import os\nfor root, _, names in os.walk('/usr'):\n  for n in names:\n    p = os.path.join(root, n)\n" +
        "    if os.path.isfile(p): open(p, 'rb').read()\nprint('read')",
      MEMORY,
    ),
    statuses: ["ok"],
    stdout: /^read\n/,
  },
  {
    name: "one huge file in /output",
    request: fill("/output", { ...AMPLE, memory_mb: 512 }),
    statuses: ["output_files_limit"],
  },
  {
    name: "a million empty files in /output",
    request: python(
      "n = 0\nwhile True:\n  n += 1\n  try: open(f'/output/{n}', 'w').close()\n  except OSError: pass",
      AMPLE,
    ),
    statuses: ["output_files_limit"],
  },
  {
    name: "20,000 nested directories in /output",
    request: python(
      "import os\nos.chdir('/output')\nfor _ in range(20000):\n  os.mkdir('d'); os.chdir('d')",
      AMPLE,
    ),
    statuses: ["output_files_limit", "nonzero_exit"],
  },
  {
    name: "open files without end",
    request: python(
      `
files = []
try:
    while True: files.append(open("/dev/null"))
except OSError as error:
    print(error.strerror, len(files) < 256)`,
      AMPLE,
    ),
    statuses: ["ok"],
    stdout: /^Too many open files True\n/,
  },
  {
    name: "SIGSTOP to itself",
    request: sh("echo up; kill -STOP $$"),
    statuses: ["timed_out"],
    stdout: /^up\n/,
  },
  {
    name: "every signal ignored",
    request: python(
      "import signal, time\nfor s in range(1, 65):\n  try: signal.signal(s, signal.SIG_IGN)\n  except (OSError, ValueError): pass\n" +
        "print('up', flush=True)\nwhile True: time.sleep(1)",
    ),
    statuses: ["timed_out"],
    stdout: /^up\n/,
  },
  {
    name: "double fork and setsid",
    request: python(
      "import os, time\nif os.fork() == 0:\n  os.setsid()\n  if os.fork() == 0:\n    time.sleep(60)\n  os._exit(0)\nprint('gone')",
      AMPLE,
    ),
    statuses: ["ok"],
    stdout: /^gone\n/,
  },
  {
    name: "stdout for ever at full speed",
    request: sh("yes", AMPLE),
    statuses: ["output_limit"],
    stdout: /^y\ny\n/,
  },
  {
    name: "stdout closed and living on",
    request: sh("echo up; exec >&- 2>&-; sleep 60"),
    statuses: ["timed_out"],
    stdout: /^up\n/,
  },
];
