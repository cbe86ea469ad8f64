/** Why tests that mount cannot run here, or false where they can. */
export function noMounts(): string | false {
  return process.geteuid?.() === 0 ? false : "only root may mount";
}
