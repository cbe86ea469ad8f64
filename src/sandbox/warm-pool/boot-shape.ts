/** What a booted sandbox cannot change any more: only a run that needs the very same can have it. */
export interface BootShape {
  /** Digest of the image. */
  readonly image: string;
  /** Where its root file system lies on the host. */
  readonly rootfs: string;
  readonly rootfsType: "erofs" | "directory";
  /** What the guest sees as its memory, in MB (2^20 bytes); null: the machine's. */
  readonly memory_mb: number | null;
  /** How many CPUs the guest sees; null: the machine's. */
  readonly cpus: number | null;
}

/** The same for two shapes if and only if all of their fields are, also those that are added some day. Pure. */
export function keyOfShape(shape: BootShape): string {
  return JSON.stringify(Object.entries(shape).sort(([a], [b]) => (a < b ? -1 : 1)));
}
