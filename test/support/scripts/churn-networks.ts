import { CleanupStack } from "../../../src/core/cleanup-stack.ts";
import { thisHost } from "../../../src/network/host-tools.ts";
import { openNetworks } from "../../../src/network/networks.ts";
import { PUBLIC } from "../networks.ts";
import { platform } from "../platform.ts";

/** Makes networks for a home and removes them again, eight at a time, until it is killed. */
const [, , home = "", record = ""] = process.argv;
const networks = await openNetworks({
  host: thisHost(platform),
  home,
  record,
  config: { network_cidr: undefined, enable_forwarding: true, prepared_runs: 2 },
});
let made = 0;
const churn = async (): Promise<never> => {
  for (;;) {
    const cleanup = new CleanupStack((label, error) => console.log(label, error));
    await networks.create(PUBLIC, cleanup);
    made += 1;
    if (made === 12) console.log(networks.unavailable ?? "churning");
    await cleanup.run();
  }
};
await Promise.all(Array.from({ length: 8 }, churn));
