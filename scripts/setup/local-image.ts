import { existsSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import type { AptArchive } from "./apt-archive.ts";
import { writeOciLayout } from "./oci-layout.ts";
import type { SetupContext } from "./setup-context.ts";
import { installPath } from "./workspace.ts";

/** An image that is made here from packages of the machine's own Debian release. */
export interface LocalImage {
  name: string;
  /** Directory of the OCI image layout. */
  layout: string;
  /** Changes whenever the image would come out differently for reasons of ours. */
  recipe: string;
  env: string[];
  cmd: string[];
  /** Fills an empty directory with the image's files. */
  fill(rootfs: string, archive: AptArchive): Promise<void>;
}

/** Makes the image's OCI layout unless it is there by the same recipe. Returns the layout's directory. */
export async function ensureLocalImage(context: SetupContext, image: LocalImage): Promise<string> {
  const { state, workspace, suite, architecture, progress } = context;
  const key = `${suite} ${architecture.debian} ${image.recipe}`;
  if (state.is(image.name, key) && existsSync(join(image.layout, "index.json"))) return image.layout;
  progress.note(`fetching packages of Debian ${suite}`);
  const archive = await context.archive(suite);
  const rootfs = await workspace.dir("rootfs");
  await chmod(rootfs, 0o755);
  await image.fill(rootfs, archive);
  progress.note("packing the image");
  const made = await workspace.dir("layout");
  await writeOciLayout(made, rootfs, {
    architecture: architecture.debian,
    created: await archive.date(),
    env: image.env,
    cmd: image.cmd,
  });
  await installPath(made, image.layout);
  await state.remember(image.name, key);
  return image.layout;
}
