import type { Config } from "../../src/config/config.ts";
import { AptArchive } from "./apt-archive.ts";
import type { Architecture } from "./architecture.ts";
import type { Places } from "./places.ts";
import type { Progress } from "./progress.ts";
import type { SetupState } from "./setup-state.ts";
import type { Workspace } from "./workspace.ts";

/** What set-up must know of the server's configuration. */
export type Settings = Pick<Config, "home" | "runsc_path" | "mkfs_erofs_path" | "platform">;

/** What every step of set-up is given. */
export interface SetupContext {
  settings: Settings;
  places: Places;
  state: SetupState;
  progress: Progress;
  workspace: Workspace;
  architecture: Architecture;
  /** One suite of the Debian archive; fetched once, when first asked for. */
  archive(suite: string): Promise<AptArchive>;
  /** The machine's own Debian release; see `machineSuite`. */
  suite: string;
  /** Where programs are looked for, as `$PATH`. */
  searchPath: string;
  /** Base address of gVisor's releases. */
  runscReleases: string;
}

/** Opens archives on demand, each once. */
export function archiveCache(workspace: Workspace, architecture: Architecture): SetupContext["archive"] {
  const opened = new Map<string, Promise<AptArchive>>();
  return (suite) => {
    const known = opened.get(suite);
    if (known) return known;
    const opening = workspace
      .dir(`apt-${suite}`)
      .then((dir) => AptArchive.open(dir, suite, architecture.debian));
    opened.set(suite, opening);
    return opening;
  };
}
