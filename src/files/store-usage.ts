/** What was to come does not fit within the quota as the store is now. */
export class NoRoomError extends Error {
  override readonly name = "NoRoomError";
  /** By how much the store would have grown. */
  readonly growth_bytes: number;

  constructor(growth_bytes: number) {
    super(`there is no room for ${growth_bytes} bytes more`);
    this.growth_bytes = growth_bytes;
  }
}

/** How much a store holds and may hold. A kept count: no tree is walked to know it. */
export class StoreUsage {
  /** Of all files by their apparent sizes. */
  size_bytes: number;
  /** Infinity for no limit. */
  readonly quota_bytes: number;

  constructor(size_bytes: number, quota_bytes: number) {
    this.size_bytes = size_bytes;
    this.quota_bytes = quota_bytes;
  }

  /** How much is too much when the store grows; not above zero when it fits, or when it does not grow at all. */
  excess(growth_bytes: number): number {
    return growth_bytes <= 0 ? 0 : this.size_bytes + growth_bytes - this.quota_bytes;
  }

  /** @throws NoRoomError */
  refuseExcess(growth_bytes: number): void {
    if (this.excess(growth_bytes) > 0) throw new NoRoomError(growth_bytes);
  }
}
