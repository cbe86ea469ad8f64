import type { MountCalls } from "./mounts.ts";

/** The part of Deno's own API that calling the C library needs. */
interface DenoApi {
  dlopen(path: string, symbols: object): { symbols: LibcSymbols };
  UnsafePointerView: new (pointer: object) => { getInt32(): number };
}

interface LibcSymbols {
  mount(source: Uint8Array, target: Uint8Array, type: Uint8Array, flags: bigint, data: Uint8Array): number;
  umount2(target: Uint8Array, flags: number): number;
  umount2Aside(target: Uint8Array, flags: number): Promise<number>;
  __errno_location(): object;
}

/** The C library's calls by Deno's foreign function interface; null without glibc or the permission `--allow-ffi`. */
export function denoMountCalls(): MountCalls | null {
  const { Deno } = globalThis as unknown as { Deno: DenoApi };
  try {
    const { symbols } = Deno.dlopen("libc.so.6", {
      mount: { parameters: ["buffer", "buffer", "buffer", "u64", "buffer"], result: "i32" },
      umount2: { parameters: ["buffer", "i32"], result: "i32" },
      umount2Aside: { name: "umount2", parameters: ["buffer", "i32"], result: "i32", nonblocking: true },
      __errno_location: { parameters: [], result: "pointer" },
    });
    const errnoOf = (result: number) =>
      result === 0 ? 0 : new Deno.UnsafePointerView(symbols.__errno_location()).getInt32();
    return {
      mount: (source, target, type, flags, data) =>
        errnoOf(symbols.mount(source, target, type, BigInt(flags), data)),
      async umount(target, flags) {
        if ((await symbols.umount2Aside(target, flags)) === 0) return 0;
        // The errno stayed in that other thread; what failed there fails here too, and at once.
        return errnoOf(symbols.umount2(target, flags));
      },
    };
  } catch {
    return null;
  }
}
