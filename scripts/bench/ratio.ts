/** How many times the base a value is; null where there is no base to speak of. Pure. */
export function ratio(value: number, base: number | undefined): number | null {
  if (base === undefined || !Number.isFinite(base) || base === 0 || !Number.isFinite(value)) return null;
  return value / base;
}
