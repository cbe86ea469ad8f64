/**
 * Reads a list of CPUs such as `0-2,5` (cpuset(7), list format). Pure.
 * @returns each number once; empty for anything else
 */
export function parseCpuList(text: string): number[] {
  const numbers = text.trim().split(",").flatMap(rangeOf);
  return [...new Set(numbers)];
}

/** The other way. Pure. */
export function formatCpuList(cpus: readonly number[]): string {
  return cpus.join(",");
}

function rangeOf(text: string): number[] {
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  if (first === undefined) return [];
  const length = Math.max(0, Number(last) - Number(first) + 1);
  return Array.from({ length }, (_, index) => Number(first) + index);
}
