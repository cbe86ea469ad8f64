import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { loadSettings } from "../../scripts/setup/load-settings.ts";
import { placesAt } from "../../scripts/setup/places.ts";
import { findExecutable } from "../../src/platform/find-executable.ts";

const settings = await loadSettings([]);
const places = placesAt(settings.home);
const find = (name: string) => findExecutable(name, [join(places.bin, name)], process.env.PATH ?? "");
const runsc = settings.runsc_path ?? (await find("runsc"));
const mkfsErofs = settings.mkfs_erofs_path ?? (await find("mkfs.erofs"));
const fsckErofs = await find("fsck.erofs");
const dockerRegistry = await find("docker-registry");
const skopeo = await find("skopeo");
const umoci = await find("umoci");
const podman = await find("podman");
const chromium = await find("chromium");

/** OCI image layout of `local/python:3`, as set-up makes it. */
export const pythonLayout = places.pythonLayout;

/** OCI image layout of a tiny image with busybox, as set-up makes it. */
export const busyboxLayout = places.busyboxLayout;

/** OCI image layout of an image with Debian's Node.js, as set-up makes it. */
export const nodeLayout = places.nodeLayout;

/** Why there can be no registry here, for the `skip` option of a test; false when there can. */
export const noRegistry = dockerRegistry && skopeo ? false : "docker-registry and skopeo are not installed";

/** Why there can be no archives of images here, for the `skip` option of a test; false when there can. */
export const noArchives = skopeo ? false : "skopeo is not installed";

/** Why there can be no Docker-compatible daemon here, for the `skip` option of a test; false when there can. */
export const noDaemon = podman && skopeo ? false : "podman and skopeo are not installed";

/** Why umoci can unpack nothing here with its owners, for the `skip` option of a test; false when it can. */
export const noUmoci =
  umoci && process.getuid?.() === 0 ? false : "umoci is not installed, or this is not root";

/** Why EROFS file systems cannot be looked into here, for the `skip` option of a test; false when they can. */
export const noFsck =
  fsckErofs && process.getuid?.() === 0 ? false : "fsck.erofs is not installed, or this is not root";

/** Why there can be no browser here, for the `skip` option of a test; false when there can. */
export const noChromium = chromium ? false : "chromium is not installed";

/** Path of a runsc that works here. */
export function runscPath(): string {
  return found(runsc, "runsc");
}

/** Path of mkfs.erofs. */
export function mkfsPath(): string {
  return found(mkfsErofs, "mkfs.erofs");
}

/** Path of fsck.erofs. */
export function fsckPath(): string {
  return found(fsckErofs, "fsck.erofs");
}

/** Checks an EROFS file system, and writes what is in it to a new directory. Throws when it is damaged. */
export async function extractErofs(file: string, directory: string): Promise<void> {
  await promisify(execFile)(fsckPath(), [`--extract=${directory}`, "--preserve", file]);
}

/** Path of skopeo. */
export function skopeoPath(): string {
  return found(skopeo, "skopeo");
}

/** Path of umoci. */
export function umociPath(): string {
  return found(umoci, "umoci");
}

/** Path of Chromium, for playwright-core's `executablePath`. */
export function chromiumPath(): string {
  return found(chromium, "chromium");
}

/** A container registry on loopback that speaks plain HTTP. */
export interface TestRegistry {
  /** `127.0.0.1:PORT`, the first part of an image reference. */
  readonly host: string;
  /**
   * Uploads the one image of an OCI image layout under a name like `some/python:3`; of an index, the image for this
   * machine, or with `all` the whole of it.
   */
  push(layout: string, name: string, options?: { all?: boolean }): Promise<void>;
  /** Ends the registry and removes all it stored. */
  stop(): Promise<void>;
}

/**
 * Starts Debian's docker-registry with an empty store and a free port. The caller stops it.
 *
 * @param auth whom it lets in, as its configuration has it; anybody when absent
 * @param credentials `user:password` for {@link TestRegistry.push}
 */
export async function startRegistry(auth?: object, credentials?: string): Promise<TestRegistry> {
  const dir = await mkdtemp(join(tmpdir(), "boxer-registry-"));
  const config = join(dir, "config.yml");
  const storage = { filesystem: { rootdirectory: join(dir, "data") }, delete: { enabled: true } };
  await writeFile(
    config,
    JSON.stringify({ version: 0.1, storage, http: { addr: "127.0.0.1:0" }, ...(auth && { auth }) }),
  );
  const child = spawn(found(dockerRegistry, "docker-registry"), ["serve", config], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = new Promise<void>((resolve) => child.on("close", () => resolve()));
  const stop = async () => {
    child.kill("SIGKILL");
    await exited;
    await rm(dir, { recursive: true, force: true });
  };
  try {
    const host = await listening(child);
    return {
      host,
      stop,
      push: (layout, name, { all = false } = {}) => push(layout, `${host}/${name}`, all, credentials),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The address in the line that the registry logs once it listens. */
function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let log = "";
    child.on("error", reject);
    child.on("close", () => reject(new Error(`docker-registry ended before it listened: ${log}`)));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      log += text;
      const address = /listening on (127\.0\.0\.1:\d+)/.exec(log)?.[1];
      if (address) resolve(address);
    });
  });
}

/**
 * Unpacks an image of an OCI image layout with umoci.
 *
 * @param image `DIRECTORY:TAG`
 * @param bundle path of a new directory
 * @returns the root file system
 */
export async function umociUnpack(image: string, bundle: string): Promise<string> {
  await promisify(execFile)(umociPath(), ["unpack", "--image", image, bundle]);
  return join(bundle, "rootfs");
}

async function push(layout: string, destination: string, all: boolean, credentials?: string): Promise<void> {
  const flags = ["--insecure-policy", "copy", "--quiet", "--dest-tls-verify=false"];
  if (all) flags.push("--all");
  if (credentials !== undefined) flags.push(`--dest-creds=${credentials}`);
  await promisify(execFile)(skopeoPath(), [...flags, `oci:${layout}`, `docker://${destination}`]);
}

/** Copies the one image of an OCI image layout, to a name as skopeo has them: `docker-archive:/tmp/x.tar:some/name:1`. */
export async function copyImage(layout: string, destination: string): Promise<void> {
  const flags = ["--insecure-policy", "copy", "--quiet"];
  await promisify(execFile)(skopeoPath(), [...flags, `oci:${layout}`, destination]);
}

/** Podman's service, which speaks the API of a Docker daemon on a Unix socket. */
export interface TestDaemon {
  readonly socket: string;
  /** Gives the daemon the one image of an OCI image layout, under a name. */
  load(layout: string, name: string): Promise<void>;
  /** Ends the service and removes all it stored. */
  stop(): Promise<void>;
}

/** Podman looks for its helpers in the system's directories only; set-up unpacks them beside it. */
async function podmanHelpers(): Promise<string[]> {
  const unpacked = join(places.setup, "tools/podman/usr/bin");
  const helper = (name: string) => findExecutable(name, [join(unpacked, name)], process.env.PATH ?? "");
  const [conmon, crun] = await Promise.all([helper("conmon"), helper("crun")]);
  return [...(conmon ? [`--conmon=${conmon}`] : []), ...(crun ? [`--runtime=${crun}`] : [])];
}

/** Starts podman's service with an empty store of its own. The caller stops it. */
export async function startDaemon(): Promise<TestDaemon> {
  const dir = await mkdtemp(join(tmpdir(), "boxer-podman-"));
  const program = found(podman, "podman");
  const store = ["--root", join(dir, "root"), "--runroot", join(dir, "run"), "--storage-driver=vfs"];
  // It only serves images: neither systemd nor cgroups are needed for that. What would run containers it wants to see.
  const flags = [...store, "--cgroup-manager=cgroupfs", "--events-backend=none", ...(await podmanHelpers())];
  const socket = join(dir, "podman.sock");
  const settings = join(dir, ".config/containers");
  await mkdir(settings, { recursive: true });
  // Without a policy, which a machine may lack, it takes no image.
  await writeFile(join(settings, "policy.json"), '{"default":[{"type":"insecureAcceptAnything"}]}');
  const env = { ...process.env, HOME: dir };
  const service = spawn(program, [...flags, "system", "service", "--time=0", `unix://${socket}`], {
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  service.stderr.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  let isOver = false;
  const exited = new Promise<void>((resolve) => service.on("close", () => resolve())).then(() => {
    isOver = true;
  });
  const stop = async () => {
    service.kill("SIGKILL");
    await exited;
    await rm(dir, { recursive: true, force: true });
  };
  for (let attempt = 0; !existsSync(socket); attempt++) {
    if (isOver || attempt === 1000) {
      await stop();
      throw new Error(`podman's service does not listen: ${log}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const load = async (layout: string, name: string) => {
    const archive = join(dir, "image.tar");
    await copyImage(layout, `docker-archive:${archive}:${name}`);
    await promisify(execFile)(program, [...flags, "load", "--quiet", "--input", archive], { env });
    await rm(archive);
  };
  return { socket, load, stop };
}

function found(path: string | null, name: string): string {
  if (path === null) throw new Error(`No ${name} here: run "npm test", or "npm run setup" first`);
  return path;
}
