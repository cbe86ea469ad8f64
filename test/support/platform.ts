import type { Platform } from "../../src/platform/platform.ts";

/** The platform of the runtime that the tests run under. */
export const platform: Platform =
  "Deno" in globalThis
    ? (await import("../../src/platform/deno.ts")).denoPlatform
    : (await import("../../src/platform/bun.ts")).bunPlatform;
