import { dlopen, type Pointer, read } from "bun:ffi";
import { close, constants, openSync } from "node:fs";
import { promisify } from "node:util";
import type { MountCalls } from "./mounts.ts";

/** The C library's calls by Bun's foreign function interface; null where that library is another one than glibc. */
export function bunMountCalls(): MountCalls | null {
  try {
    const { symbols } = dlopen("libc.so.6", {
      mount: { args: ["ptr", "ptr", "ptr", "u64", "ptr"], returns: "i32" },
      umount2: { args: ["ptr", "i32"], returns: "i32" },
      __errno_location: { args: [], returns: "ptr" },
    });
    const errnoOf = (result: number) =>
      result === 0 ? 0 : read.i32(symbols.__errno_location() as Pointer, 0);
    return {
      mount: (source, target, type, flags, data) => errnoOf(symbols.mount(source, target, type, flags, data)),
      async umount(target, flags) {
        const pin = holdMount(target);
        const errno = errnoOf(symbols.umount2(target, flags));
        if (pin !== null) await closeInPool(pin);
        return errno;
      },
    };
  } catch {
    return null;
  }
}

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
const closeInPool = promisify(close);

/** Keeps a file system until after it was detached: then the last close(2) frees its memory, in a thread of Bun's pool. */
function holdMount(target: Uint8Array): number | null {
  try {
    return openSync(Buffer.from(target.subarray(0, -1)), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  } catch {
    return null;
  }
}
