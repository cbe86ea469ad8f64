import { addMountPoints, unpackPackages } from "./debian-rootfs.ts";
import type { LocalImage } from "./local-image.ts";
import type { SetupContext } from "./setup-context.ts";

const PACKAGES = ["nodejs", "base-files"];

/** Only scripts of packages need these, and they are not run. */
const NOT_NEEDED = ["awk", "mawk", "original-awk", "debconf", "dpkg", "perl", "perl-base"];

/** An image for tests: Debian's Node.js with the libraries it needs, on an otherwise empty root. */
export function nodeImage(context: SetupContext): LocalImage {
  return {
    name: "node",
    layout: context.places.nodeLayout,
    recipe: "1",
    env: ["PATH=/usr/bin:/bin"],
    cmd: ["node"],
    async fill(rootfs, archive) {
      const empty = { like: "an empty machine", except: NOT_NEEDED } as const;
      await unpackPackages(await archive.downloadWithDependencies(PACKAGES, empty), rootfs);
      await addMountPoints(rootfs);
    },
  };
}
