import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pythonLayout, skopeoPath, startRegistry, umociPath } from "../../test/support/fixtures.ts";
import { archiveOf, LayeredLayout } from "../../test/support/layered-layout.ts";
import { file, tar } from "../../test/support/tar-builder.ts";
import { ARCHITECTURE } from "../../test/support/with-rootfs.ts";
import { median } from "./median.ts";
import { type Measured, runMeasured } from "./run-measured.ts";

const MIB = 1024 * 1024;
/** The image has so much, unpacked. */
const IMAGE_BYTES = 200 * MIB;
const FILE_BYTES = 64 * 1024;
const PULL = join(import.meta.dirname, "../../test/support/scripts/pull-image.ts");

/**
 * How long it takes, and how much memory, to pull an image of 200 MB from a registry on loopback into an empty store,
 * up to the finished EROFS file on the disk; against skopeo and umoci, up to the directory. In turn; prints medians
 * and their ratios.
 *
 * @param runs of each
 */
export async function benchImages(runs: number): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), "boxer-bench-images-"));
  const registry = await startRegistry();
  try {
    await registry.push(await makeImage(join(work, "layout")), "bench/image:1");
    const image = `${registry.host}/bench/image:1`;
    const measured = { boxer: [] as Measured[], others: [] as Measured[] };
    // The first of each warms the page cache and does not count.
    for (let run = -1; run < runs; run += 1) {
      const boxer = await pullWithBoxer(image, join(work, "boxer"));
      const others = await pullWithOthers(image, join(work, "others"));
      if (run < 0) continue;
      measured.boxer.push(boxer);
      measured.others.push(others);
    }
    console.log(`${runs} pulls of an image of ${IMAGE_BYTES / MIB} MiB, in turn; medians`);
    report("time in s", measured, ({ duration_ms }) => duration_ms / 1000);
    report("peak memory in MiB", measured, ({ peak_memory_bytes }) => peak_memory_bytes / MIB);
  } finally {
    await registry.stop();
    await rm(work, { recursive: true, force: true });
  }
}

async function pullWithBoxer(image: string, home: string): Promise<Measured> {
  const measured = await runMeasured([process.execPath, PULL, home, image]);
  await rm(home, { recursive: true });
  return measured;
}

async function pullWithOthers(image: string, directory: string): Promise<Measured> {
  await mkdir(directory);
  const copy = ["--insecure-policy", "copy", "--quiet", "--src-tls-verify=false", `docker://${image}`];
  const skopeo = await runMeasured([skopeoPath(), ...copy, `oci:${directory}/layout:latest`]);
  const umoci = await runMeasured([
    umociPath(),
    "unpack",
    "--image",
    `${directory}/layout`,
    `${directory}/bundle`,
  ]);
  await rm(directory, { recursive: true });
  return {
    duration_ms: skopeo.duration_ms + umoci.duration_ms,
    peak_memory_bytes: Math.max(skopeo.peak_memory_bytes, umoci.peak_memory_bytes),
  };
}

function report(
  what: string,
  { boxer, others }: { boxer: readonly Measured[]; others: readonly Measured[] },
  quantityOf: (measured: Measured) => number,
): void {
  const [ours, theirs] = [median(boxer.map(quantityOf)), median(others.map(quantityOf))];
  const columns = `skopeo + umoci ${theirs.toFixed(1)}  Boxer ${ours.toFixed(1)}`;
  console.log(`${what.padEnd(30)} ${columns}  ratio ${(ours / theirs).toFixed(3)}`);
}

/** Debian's Python, and above it a layer of files that make up for what it lacks and shrink by a quarter. */
async function makeImage(directory: string): Promise<string> {
  const python = await archiveOf(pythonLayout);
  const files: Buffer[] = [];
  for (let left = IMAGE_BYTES - python.length; left > 0; left -= FILE_BYTES) {
    files.push(file(`opt/data/${files.length}`, randomBytes((3 * FILE_BYTES) / 4).toString("base64")));
  }
  const layers = [python, tar(...files)].map((archive) => ({ archive, compression: "gzip" as const }));
  const layout = await LayeredLayout.create(directory);
  await layout.tag("latest", await layout.addImage(layers, ARCHITECTURE));
  return directory;
}
