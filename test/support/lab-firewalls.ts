import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { findExecutable } from "../../src/platform/find-executable.ts";
import { until } from "./leftovers.ts";
import type { NetworkLab } from "./network-lab.ts";

/** Where set-up unpacks ufw, with iptables, on a machine that has none. */
const UNPACKED = join(homedir(), ".boxer/setup/tools/ufw");
const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const PROGRAMS = ["iptables", "iptables-save", "iptables-restore"].flatMap((name) => [
  name,
  `ip6${name.slice(2)}`,
]);
/** All that firewalls write to is the lab's own, and gone with it. */
const WRITABLE = ["/etc", "/usr", "/var/lib", "/var/log", "/run"];
/** The rules of dockerd 20.10 for its bridge. */
const DOCKER_FILTER = `:DOCKER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
`;
const DOCKER_RULES = `*nat
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A DOCKER -i docker0 -j RETURN
COMMIT
*filter
:FORWARD DROP [0:0]
:DOCKER-USER - [0:0]
${DOCKER_FILTER}-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A FORWARD -i docker0 -o docker0 -j ACCEPT
-A DOCKER-USER -j RETURN
COMMIT
`;

/** A firewall of others in a lab. */
export interface LabFirewall {
  readonly name: string;
  /** Why it cannot be had here; false when it can. */
  readonly skip: string | false;
  /** How notes call it. */
  readonly called: RegExp;
  start(lab: NetworkLab): Promise<void>;
  /** Has it write its rules again. */
  reload(lab: NetworkLab): Promise<void>;
  stop(lab: NetworkLab): Promise<void>;
}

async function missing(program: string, advice: string): Promise<string | false> {
  return (await findExecutable(program, [], SYSTEM_PATH)) === null
    ? `${program} is not installed${advice}`
    : false;
}

const noIptables = existsSync(UNPACKED) ? false : await missing("iptables-legacy", "");
const noUfw = existsSync(UNPACKED) ? false : await missing("ufw", "");
const noDocker = await missing("dockerd", ", and too large for set-up to fetch");
const nothing = async () => {};
const sh = async (lab: NetworkLab, script: string) => void (await lab.run(["sh", "-ec", script]));

/** The firewalls that Boxer must get along with, of both kinds of iptables. */
export const LAB_FIREWALLS: readonly LabFirewall[] = [
  ...(["nft", "legacy"] as const).flatMap((kind) => [
    {
      name: `ufw, by iptables-${kind}`,
      skip: noUfw,
      called: /by ufw;/,
      start: async (lab: NetworkLab) => {
        await prepare(lab, kind);
        await sh(
          lab,
          "cp /usr/share/ufw/iptables/*.rules /usr/share/ufw/ufw.conf /etc/ufw/; ufw --force enable; ufw reload",
        );
      },
      reload: (lab: NetworkLab) => sh(lab, "ufw reload"),
      stop: nothing,
    },
    {
      name: `Docker's rules, by iptables-${kind}`,
      skip: noIptables,
      called: /by Docker's rules;/,
      start: async (lab: NetworkLab) => {
        await prepare(lab, kind);
        await lab.run(["iptables-restore"], DOCKER_RULES);
      },
      reload: async (lab: NetworkLab) =>
        void (await lab.run(["iptables-restore", "--noflush"], `*filter\n${DOCKER_FILTER}COMMIT\n`)),
      stop: nothing,
    },
    {
      name: `dockerd, by iptables-${kind}`,
      skip: noDocker,
      called: /by Docker's rules;/,
      start: async (lab: NetworkLab) => {
        await prepare(lab, kind);
        await sh(lab, CGROUPS);
        await startDocker(lab);
      },
      reload: async (lab: NetworkLab) => {
        await stopDocker(lab);
        await startDocker(lab);
      },
      stop: stopDocker,
    },
  ]),
  {
    name: "firewalld",
    skip: (await missing("firewalld", "")) || (await missing("dbus-daemon", "")),
    called: /by firewalld;/,
    start: async (lab) => {
      await prepare(lab, "nft");
      await sh(
        lab,
        "mkdir -p /run/dbus /run/firewalld; mount -t tmpfs lab /run/dbus; mount -t tmpfs lab /run/firewalld",
      );
      await sh(lab, "dbus-daemon --system --nofork --nopidfile >/dev/null 2>&1 & echo $! > /run/lock/bus");
      await until(() => answers(lab, "test -S /run/dbus/system_bus_socket"));
      await sh(lab, "firewalld --nofork --nopid >/dev/null 2>&1 & echo $! > /run/lock/firewalld");
      await until(() => answers(lab, "firewall-cmd --state"));
    },
    reload: (lab) => sh(lab, "firewall-cmd --reload"),
    stop: async (lab) => {
      await end(lab, "firewalld");
      await end(lab, "bus");
    },
  },
];

/** The lines of others' rules, without counters, sorted: who writes them anew may make chains in another order. */
export async function foreignRules(lab: NetworkLab): Promise<string[]> {
  const nft = await lab.run(["nft", "-s", "list", "ruleset"]);
  const legacy = await lab.run([
    "sh",
    "-c",
    "iptables-legacy -S; iptables-legacy -t nat -S; ip6tables-legacy -S",
  ]);
  const tables = nft.split(/^(?=table )/m).filter((table) => !/^table inet boxer_/.test(table));
  return (tables.join("") + legacy)
    .replace(/counter packets \d+ bytes \d+/g, "counter")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .sort();
}

/** Hides what a firewall writes to, and has the iptables that is asked for. */
async function prepare(lab: NetworkLab, kind: "nft" | "legacy"): Promise<void> {
  const overlays = WRITABLE.map(
    (path) =>
      `mkdir -p ${path} /mnt${path}.up /mnt${path}.work; ` +
      `mount -t overlay lab -o lowerdir=${path},upperdir=/mnt${path}.up,workdir=/mnt${path}.work ${path}`,
  );
  const unpacked = `for part in etc lib sbin usr; do ! [ -d ${UNPACKED}/$part ] || cp -a ${UNPACKED}/$part/. /$part/; done`;
  const chosen = PROGRAMS.map((name) => `ln -sfn xtables-${kind}-multi /usr/sbin/${name}`);
  await sh(lab, ["mount -t tmpfs lab /mnt", KEEP, ...overlays, SHOW, unpacked, ...chosen].join("\n"));
}

/** The namespaces' names are below /run. The lock of iptables-legacy is too, one for all who see it. */
const KEEP = "mkdir /mnt/netns; mount --rbind /run/netns /mnt/netns";
const SHOW = "mount --rbind /mnt/netns /run/netns; rm -f /run/xtables.lock; mkdir -p /run/lock";
const CONTROLLERS = "cpu cpuacct cpuset memory devices freezer blkio pids";
/** The lab hides the machine's. */
const CGROUPS = `mount -t tmpfs lab /sys/fs/cgroup
grep -q "^devices" /proc/cgroups || { mount -t cgroup2 lab /sys/fs/cgroup; exit 0; }
for name in ${CONTROLLERS}; do mkdir /sys/fs/cgroup/$name; mount -t cgroup -o $name lab /sys/fs/cgroup/$name; done`;

async function startDocker(lab: NetworkLab): Promise<void> {
  const socket = "unix:///run/lock/docker.sock";
  await sh(
    lab,
    `dockerd --data-root /mnt/docker --exec-root /run/lock/docker --pidfile /run/lock/docker.pid --host ${socket} \\
  --storage-driver vfs > /var/log/dockerd.log 2>&1 & echo $! > /run/lock/dockerd`,
  );
  await until(() => answers(lab, `docker --host ${socket} version`));
}

function stopDocker(lab: NetworkLab): Promise<void> {
  return end(lab, "dockerd");
}

async function answers(lab: NetworkLab, command: string): Promise<boolean> {
  return await lab.run(["sh", "-c", command]).then(
    () => true,
    () => false,
  );
}

async function end(lab: NetworkLab, name: string): Promise<void> {
  await sh(lab, `kill $(cat /run/lock/${name})`);
  await until(async () => !(await answers(lab, `test -e /proc/$(cat /run/lock/${name})/exe`)));
}
