import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { until } from "./leftovers.ts";

/**
 * Waits until as many guests of a home have made `/output/up`: then they run, however long their sandboxes took.
 * @returns what is /output to them, as paths on the host
 */
export async function guestsUp(home: string, count = 1): Promise<string[]> {
  let outputs: string[] = [];
  await until(async () => {
    const runs = await readdir(join(home, "runs"));
    outputs = runs.map((name) => join(home, "runs", name, "output"));
    outputs = outputs.filter((output) => existsSync(join(output, "up")));
    return outputs.length >= count;
  });
  return outputs;
}
