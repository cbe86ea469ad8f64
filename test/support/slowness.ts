/**
 * How many times slower than usual this machine is, as `BOXER_TEST_SLOWNESS` tells: 1 but in a machine that is itself
 * emulated. What a test waits for at most is multiplied by it.
 */
export const SLOWNESS = Number(process.env.BOXER_TEST_SLOWNESS ?? 1);
