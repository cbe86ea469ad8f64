import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withImages } from "../../src/compose-images.ts";
import { silentLog } from "../../src/core/log.ts";
import type { Image } from "../../src/image/types.ts";
import { mergeEnvironment } from "../../src/sandbox/environment.ts";
import { type GuestNetwork, NO_NETWORK } from "../../src/sandbox/guest-network.ts";
import { runDirectoryAt, runscRunArgv } from "../../src/sandbox/runsc.ts";
import { buildSpec, NOBODY } from "../../src/sandbox/spec.ts";
import { runscPath } from "../../test/support/fixtures.ts";
import { platform } from "../../test/support/platform.ts";
import { provideImages, testConfig } from "../../test/support/service.ts";
import { type BenchContext, writeInputs } from "./bench-context.ts";
import { runProgram } from "./run-program.ts";
import type { Workload } from "./workloads.ts";

/** `runsc run` of the bundles that Boxer would make, with nothing around it: the yardstick. */
export interface RawRunsc {
  /** The images of the workloads. */
  imageOf(workload: Workload): Image;
  /**
   * One cold run in a bundle that is there already.
   * @param slot runs at the same time are in slots of their own; bundles are made at the first use of a slot
   */
  run(workload: Workload, slot?: number): Promise<void>;
  /** Makes the bundles of slots 0 to `slots` - 1, which is then in no run's time. */
  prepare(workload: Workload, slots: number): Promise<void>;
}

/** Where sandboxes run. */
export interface RawPlace {
  /** Tells the directories of one yardstick from those of another. */
  readonly name: string;
  readonly network: Pick<GuestNetwork, "mode" | "netns_path" | "files">;
  /** The command that runs another one there. */
  wrap(argv: readonly string[]): readonly string[];
}

const HERE: RawPlace = { name: "raw", network: NO_NETWORK, wrap: (argv) => argv };

/** Makes the yardstick, with the very root file systems that the services use. */
export async function openRawRunsc(context: BenchContext, place: RawPlace = HERE): Promise<RawRunsc> {
  const home = await context.directory(place.name);
  await provideImages(home);
  const config = testConfig(home);
  const inputs = await writeInputs(context, `${place.name}/inputs`);
  const empty = await context.directory(`${place.name}/empty`);
  const images = new Map<string, Image>();
  await withImages(config, platform, silentLog, async (store) => {
    for (const { image } of store
      .list()
      .flatMap(({ references }) => references.map(({ reference }) => ({ image: reference })))) {
      const lease = await store.acquire(image, { signal: new AbortController().signal });
      images.set(image, lease.image);
      lease.release();
    }
  });
  const imageOf = ({ image }: Workload): Image => {
    const found = images.get(image);
    if (!found) throw new Error(`No image ${image} among ${[...images.keys()].join(", ")}`);
    return found;
  };

  async function bundleOf(workload: Workload, slot: number) {
    const image = imageOf(workload);
    const directory = runDirectoryAt(await context.directory(`${place.name}/${bundles.size}`));
    await mkdir(directory.output);
    await chmod(directory.output, 0o777);
    const spec = buildSpec({
      args: workload.cmd,
      env: mergeEnvironment(image.config.env, []),
      cwd: "/",
      user: NOBODY,
      limits: config.defaults,
      rootfs: image.rootfs,
      rootfsType: image.rootfs_type,
      emptyRoot: empty,
      outputDirectory: directory.output,
      inputs: Object.keys(workload.files).map((path) => ({
        source: join(inputs, path),
        destination: `/${path}`,
      })),
      network: place.network,
      makeCwd: false,
    });
    await writeFile(join(directory.bundle, "config.json"), JSON.stringify(spec));
    const runsc = { path: runscPath(), platform: config.platform, rootless: process.geteuid?.() !== 0 };
    return place.wrap(runscRunArgv(runsc, directory, `bench-${slot}`, place.network.mode));
  }

  const bundles = new Map<string, Promise<readonly string[]>>();
  const argvOf = (workload: Workload, slot: number): Promise<readonly string[]> => {
    const key = `${slot} ${workload.name}`;
    const made = bundles.get(key) ?? bundleOf(workload, slot);
    bundles.set(key, made);
    return made;
  };
  return {
    imageOf,
    run: async (workload, slot = 0) => runProgram(await argvOf(workload, slot), workload),
    async prepare(workload, slots) {
      for (let slot = 0; slot < slots; slot += 1) await argvOf(workload, slot);
    },
  };
}
