/** Two full packets: less, and nothing larger than the bucket would ever leave it. */
const LEAST_BURST_BYTES = 3_200;
/** What may go at once after a pause, and what of it may wait. */
const BURST_SECS = 0.02;
const LONGEST_WAIT_MS = 100;

/**
 * A script for `tc -batch` that limits what leaves by an interface (tc-tbf(8)): at the host's end what the run receives, at
 * the guest's end what it sends. gVisor sends by a packet socket, which goes through the queue, and cannot change it.
 * @param kbps bits a second / 1000
 */
export function bandwidthScript(name: string, kbps: number): string {
  const burst = Math.max(LEAST_BURST_BYTES, Math.ceil(((kbps * 1000) / 8) * BURST_SECS));
  return `qdisc add dev ${name} root tbf rate ${Math.ceil(kbps * 1000)}bit burst ${burst} latency ${LONGEST_WAIT_MS}ms\n`;
}
