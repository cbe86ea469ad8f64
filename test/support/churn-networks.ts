import assert from "node:assert/strict";
import { join } from "node:path";
import { until } from "./leftovers.ts";
import type { NetworkLab } from "./network-lab.ts";
import { platform } from "./platform.ts";
import { scriptArgv } from "./script-argv.ts";

const CHURN = join(import.meta.dirname, "scripts/churn-networks.ts");

/** Has a server make and remove networks in the lab, and kills it in the middle of that. */
export async function churnUntilKilled(lab: NetworkLab, home: string, record: string): Promise<void> {
  const argv = [...lab.prefix, ...scriptArgv(CHURN, home, record)];
  const child = platform.spawn(argv, { env: { PATH: process.env.PATH ?? "" } });
  for await (const chunk of child.stdout) {
    assert.equal(new TextDecoder().decode(chunk).trim(), "churning");
    break;
  }
  child.kill("SIGKILL");
  await child.exited;
  // What it had started ends by itself: only a start later than that can find all of it.
  await until(async () => (await lab.processes()).every((name) => name !== "ip" && name !== "nft"));
}
