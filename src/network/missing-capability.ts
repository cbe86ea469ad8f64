/** Bits of capabilities(7): networks are made with the one, and namespaces mounted with the other. */
const NEEDED = { CAP_NET_ADMIN: 12n, CAP_SYS_ADMIN: 21n } as const;

/** The first capability that a process lacks for making networks, by its /proc/self/status; null when it has all. */
export function missingCapability(status: string): string | null {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  for (const [name, bit] of Object.entries(NEEDED)) {
    if (((effective >> bit) & 1n) === 0n) return name;
  }
  return null;
}
