import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { architectureOf } from "../../scripts/setup/architecture.ts";
import { placesAt } from "../../scripts/setup/places.ts";
import { Progress } from "../../scripts/setup/progress.ts";
import type { Settings, SetupContext } from "../../scripts/setup/setup-context.ts";
import { SetupState } from "../../scripts/setup/setup-state.ts";
import { Workspace } from "../../scripts/setup/workspace.ts";

/** A set-up of a home in `dir`, with nothing in PATH, no Debian archive and nobody who has releases. */
export async function offlineContext(dir: string, settings: Partial<Settings> = {}): Promise<SetupContext> {
  const home = join(dir, "home");
  const places = placesAt(home);
  return {
    settings: { home, runsc_path: undefined, mkfs_erofs_path: undefined, platform: "systrap", ...settings },
    places,
    state: await SetupState.load(places.state),
    progress: new Progress(() => {}),
    workspace: new Workspace(places.work),
    architecture: architectureOf(process.arch),
    archive: () => Promise.reject(new Error("no archive here")),
    suite: "bookworm",
    searchPath: join(dir, "path"),
    runscReleases: "http://127.0.0.1:1",
  };
}

/** Writes a shell script that stands for a program. Returns its path. */
export async function fakeProgram(path: string, script: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
}
