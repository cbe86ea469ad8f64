/** The ports of a rule, TCP and UDP alike; null is every port. */
export type Ports = readonly number[] | null;

/** The ports that rules which fit allow together; undefined when none fits. */
export function unitePorts(rules: readonly { readonly port: number | null }[]): Ports | undefined {
  if (rules.length === 0) return undefined;
  const ports = rules.map(({ port }) => port).filter((port) => port !== null);
  return ports.length < rules.length ? null : [...new Set(ports)];
}

/** The ports that are in both; undefined when none is, and where one of the two is undefined. */
export function commonPorts(a: Ports | undefined, b: Ports | undefined): Ports | undefined {
  if (a === undefined || b === undefined) return undefined;
  if (a === null) return b;
  if (b === null) return a;
  const common = a.filter((port) => b.includes(port));
  return common.length > 0 ? common : undefined;
}
