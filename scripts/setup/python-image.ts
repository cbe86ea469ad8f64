import { createHash } from "node:crypto";
import { addMountPoints, runInRootfs, unpackPackages } from "./debian-rootfs.ts";
import type { LocalImage } from "./local-image.ts";
import type { SetupContext } from "./setup-context.ts";

const PACKAGES = [
  ["python3", "python-is-python3", "ca-certificates", "netbase", "tzdata", "media-types"],
  ["base-files", "base-passwd", "bash", "dash", "coreutils", "debianutils", "diffutils", "findutils", "grep"],
  ["gzip", "hostname", "libc-bin", "mawk", "procps", "sed", "tar"],
].flat();

/** Only scripts of packages need these, and they are not run. */
const NOT_NEEDED = ["debconf", "dpkg", "init-system-helpers", "perl", "perl-base"];

/** What the packages' scripts would have done, as far as a sandbox needs it. Run inside one. */
const FINISH = `
sed 's/:\\*:/:x:/' /usr/share/base-passwd/passwd.master > /etc/passwd
sed 's/:\\*:/:x:/' /usr/share/base-passwd/group.master > /etc/group
cp /usr/share/base-files/profile /etc/profile
[ -e /etc/nsswitch.conf ] || cp /usr/share/libc-bin/nsswitch.conf /etc/nsswitch.conf
printf '127.0.0.1 localhost\\n::1 localhost ip6-localhost\\n' > /etc/hosts
ln -sf /usr/share/zoneinfo/Etc/UTC /etc/localtime
ln -sf mawk /usr/bin/awk
ln -sf which.debianutils /usr/bin/which
ln -s /usr/share/ca-certificates/*/*.crt /etc/ssl/certs/
openssl rehash /etc/ssl/certs
cat /usr/share/ca-certificates/*/*.crt > /etc/ssl/certs/ca-certificates.crt
ldconfig
rm -rf /var/cache/ldconfig
PYTHONHASHSEED=0 python3 -I -m compileall -q /usr/lib/python3*
python3 -I -c 'import bz2, ctypes, curses, hashlib, json, lzma, readline, sqlite3, ssl, uuid, zlib, zoneinfo'
`;

/**
 * `local/python:3`, from Debian's packages alone: Python with its whole standard library compiled, a shell and the
 * usual small programs. The given `runsc` is where they are configured, so no root is needed.
 */
export function pythonImage(context: SetupContext, runsc: string): LocalImage {
  return {
    name: "python",
    layout: context.places.pythonLayout,
    recipe: createHash("sha256")
      .update(JSON.stringify([PACKAGES, NOT_NEEDED, FINISH]))
      .digest("hex")
      .slice(0, 16),
    env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"],
    cmd: ["python3"],
    async fill(rootfs, archive) {
      const empty = { like: "an empty machine", except: NOT_NEEDED } as const;
      const debs = await archive.downloadWithDependencies(PACKAGES, empty);
      context.progress.note(`unpacking ${debs.length} packages`);
      await unpackPackages(debs, rootfs);
      await addMountPoints(rootfs);
      context.progress.note("configuring them in a sandbox");
      const bundle = await context.workspace.dir("bundle");
      await runInRootfs(runsc, context.settings.platform, { rootfs, script: FINISH, bundle });
    },
  };
}
