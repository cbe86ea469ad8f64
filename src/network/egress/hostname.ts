/** Most characters of a name without its trailing dot (RFC 1035, 2.3.4, with the length bytes taken off). */
const MAX_LENGTH = 253;

/** Letters, digits, hyphens, and the underscore that host names of the wild have (RFC 1035, 2.3.1; RFC 8552). */
const LABEL = /^[a-z0-9_-]{1,63}$/;

/** Whether a lower-case name without trailing dot may be asked of DNS as the name of a host, in A-labels. */
export function isHostname(name: string): boolean {
  return name.length <= MAX_LENGTH && name.split(".").every((label) => LABEL.test(label));
}
