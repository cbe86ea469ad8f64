import { PYTHON } from "./service.ts";

/** What all secrets have in common. In the code that looks for them it is never whole. */
const MARK = "5ecre7";

/**
 * Looks for what other runs have left, and then plants secrets of its own wherever it can, in all the ways in which a
 * guest can write. Prints what it has found as JSON: its own secret is in its argv, environment and input only.
 */
const SPY = `
import fcntl, json, mmap, os, re, resource, socket, subprocess, sys, threading, time
mark = b"5ec" + b"re7"
own = sys.argv[1].encode()
found = []
def look(where, data):
    for hit in re.findall(mark + b"-[0-9a-f-]+", data):
        if hit != own: found.append([where, hit.decode()])
def read(path, most=1 << 20):
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return b""
    try:
        return os.read(fd, most)
    except OSError:
        return b""
    finally:
        os.close(fd)
def note(where, what): found.append([where, repr(what)])
given = sys.stdin.buffer.read()
look("stdin", given)
look("env", repr(dict(os.environ)).encode())
# What the image has in plenty, and nobody can write to, is looked through by a few of the runs.
skip = {"/proc", "/sys"} | (set() if sys.argv[2] == "all" else {"/usr"})
for top, directories, files in os.walk("/"):
    directories[:] = [d for d in directories if os.path.join(top, d) not in skip]
    for name in directories + files:
        path = os.path.join(top, name)
        look(path, os.fsencode(path))
        try:
            if os.path.islink(path): look(path, os.fsencode(os.readlink(path)))
            for attribute in os.listxattr(path, follow_symlinks=False):
                look(path, os.fsencode(attribute) + os.getxattr(path, attribute, follow_symlinks=False))
        except OSError: pass
    for name in files: look(os.path.join(top, name), read(os.path.join(top, name)))
for writable in ("/tmp", "/dev/shm", "/output"):
    if os.listdir(writable): note(writable, os.listdir(writable))
if os.path.lexists("/dev/.boxer"): note("control", "there")
pids = [p for p in os.listdir("/proc") if p.isdigit()]
if sorted(map(int, pids)) != [os.getpid()]: note("processes", pids)
for pid in pids:
    for name in ("cmdline", "environ", "comm", "status", "maps", "mountinfo", "mounts", "cgroup", "auxv"):
        look("/proc/%s/%s" % (pid, name), read("/proc/%s/%s" % (pid, name)))
    for fd in os.listdir("/proc/%s/fd" % pid):
        try: look("fd", os.readlink("/proc/%s/fd/%s" % (pid, fd)).encode())
        except OSError: pass
fds = sorted(int(f) for f in os.listdir("/proc/self/fd"))
if [f for f in fds if f > 3]: note("descriptors", fds)
mounts = read("/proc/self/mountinfo").decode()
for word in ("boxer", "/runs/", "/s/"):
    if word in mounts: note("mounts", word)
for kind in ("shm", "msg", "sem"):
    if len(read("/proc/sysvipc/" + kind).splitlines()) > 1: note("sysvipc", kind)
for table in ("tcp", "udp", "unix", "raw"):
    if len(read("/proc/net/" + table).splitlines()) > 1: note("sockets", table)
if os.uname().nodename != "boxer": note("hostname", os.uname().nodename)
mask = os.umask(0o022)
if mask != 0o022: note("umask", mask)
if resource.getrlimit(resource.RLIMIT_NOFILE) != (256, 256): note("limits", "nofile")
if os.getpriority(os.PRIO_PROCESS, 0) != 0: note("priority", os.getpriority(0, 0))
# Memory that a guest gets is empty, whoever had it before.
pages = mmap.mmap(-1, 48 << 20)
if pages[:].count(0) != 48 << 20: note("memory", "not empty")
pages.close()
print(json.dumps(found), flush=True)

secret = own.decode()
root = os.getuid() == 0
places = ["/tmp", "/dev/shm", "/output"] + (["/", "/etc", "/usr/bin", "/var", "/dev", "/root", "/home"] if root else [])
def attempt(call):
    try: call()
    except Exception: pass
for place in places:
    for name in (secret, "." + secret):
        def plant(path=os.path.join(place, name)):
            with open(path, "w") as out: out.write(secret * 100)
            os.chmod(path, 0o666)
        attempt(plant)
    attempt(lambda: os.makedirs(os.path.join(place, "d", secret)))
    attempt(lambda: os.symlink(secret, os.path.join(place, "link")))
    attempt(lambda: os.mkfifo(os.path.join(place, "fifo" + secret)))
    attempt(lambda: os.setxattr(os.path.join(place, secret), "user.x", own))
if root:
    for path in ("/etc/passwd", "/etc/profile", "/usr/bin/env"):
        attempt(lambda: open(path, "a").write(secret))
attempt(lambda: socket.sethostname(secret))
attempt(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
attempt(lambda: os.nice(5))
os.umask(0o077)
memory = os.memfd_create(secret)
os.write(memory, own * 10000)
os.set_inheritable(memory, True)
import ctypes
libc = ctypes.CDLL(None)
libc.shmat.restype = ctypes.c_void_p
segment = libc.shmget(0x5ec, 1 << 16, 0o1666)
address = libc.shmat(segment, None, 0)
if address not in (None, 2**64 - 1): ctypes.memmove(address, own, len(own))
libc.semget(0x5ec, 1, 0o1666)
queue = libc.msgget(0x5ec, 0o1666)
attempt(lambda: socket.socket(socket.AF_UNIX).bind("\\0" + secret))
server = socket.socket()
attempt(lambda: (server.bind(("127.0.0.1", 5555)), server.listen()))
heap = bytearray(own * (1 << 19))
for script in ("sleep 1000", "trap '' TERM HUP; sleep 1000"):
    attempt(lambda: subprocess.Popen(["sh", "-c", script, secret], env={"S": secret}, start_new_session=True))
threading.Thread(target=lambda: time.sleep(1000), daemon=True).start()
os._exit(0)
`;

/** A secret that no other run has. */
export function secretOf(index: number): string {
  return `${MARK}-${index.toString(16)}-${crypto.randomUUID()}`;
}

/** The request of one run: now and then it is root's, or walks the whole image. */
export function spyRequest(index: number): Record<string, unknown> {
  const secret = secretOf(index);
  const wide = index % 20 === 0 ? "all" : "part";
  return {
    image: PYTHON,
    cmd: ["python3", "-c", SPY, secret, wide],
    env: [`SECRET=${secret}`],
    user: index % 3 === 0 ? "0:0" : "65534:65534",
    stdin: `${secret}\n`.repeat(100),
    inline_files: [{ path: `given/${secret}`, content: secret }],
  };
}

/** What is wrong with the answer to {@link spyRequest}; null when nothing of another run was found. */
// biome-ignore lint/suspicious/noExplicitAny: what came over the wire
export function faultOf({ status, body }: { status: number; body: any }): string | null {
  if (status === 200 && body.exit_code === 0 && body.stdout === "[]\n") return null;
  return `${status} ${JSON.stringify(body).slice(0, 1500)}`;
}
