import type { ImagePlatform } from "../types.ts";

/** What runs on this machine, in Go's words. */
export const MACHINE_PLATFORM: ImagePlatform = {
  os: "linux",
  architecture: process.arch === "x64" ? "amd64" : process.arch,
};

/** Reads `linux/arm64` or `linux/arm/v7`, as `image_platform` has it in a shape that was checked. Pure. */
export function parsePlatform(text: string): ImagePlatform {
  const [os = "", architecture = "", variant] = text.split("/");
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}
