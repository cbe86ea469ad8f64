import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CleanupStack } from "../core/cleanup-stack.ts";
import { settleAll } from "../core/settle-all.ts";
import { normalisePath } from "../files/file-path.ts";
import type { FileStore } from "../files/file-store.ts";
import { checkMountDestinations } from "../sandbox/mount-destinations.ts";
import type { ControlDirectory } from "../sandbox/warm/control-directory.ts";
import type { InlineFile, RunRequest } from "./types.ts";

/** A host file and where the guest finds it. */
export interface InputMount {
  readonly source: string;
  readonly destination: string;
}

/** The inputs of one run, pinned for as long as it lasts. */
export interface Inputs {
  readonly mounts: readonly InputMount[];
  /** To be called when the run has a result: without `persist`, its files go from the store. */
  settle(): Promise<void>;
}

/** What both runs and uploads make of a script: the guest may execute it. */
const INLINE_FILE_MODE = 0o755;

/**
 * Checks the paths of a request's files.
 * @throws BoxerError `invalid_path`, naming the field
 */
export function checkInputs(request: RunRequest): void {
  const stored = request.files.map((path, index) => `/${normalisePath(path, `files[${index}]`)}`);
  const inline = request.inlineFiles.map((file, index) => inlineDestination(file, index));
  checkMountDestinations([...stored, ...inline], (index) =>
    index < stored.length ? `files[${index}]` : `inline_files[${index - stored.length}].path`,
  );
}

/**
 * Pins the request's files in the run's own directory, so that an overwrite or a removal changes nothing for this run.
 * @param control its directories are made if they are needed, and then removed by the cleanup
 * @throws BoxerError `unknown_file`, naming the field
 */
export async function provideInputs(
  store: FileStore,
  request: RunRequest,
  control: Pick<ControlDirectory, "in" | "inputs">,
  cleanup: CleanupStack,
): Promise<Inputs> {
  if (request.files.length + request.inlineFiles.length === 0) return { mounts: [], settle: async () => {} };
  const directory = control.inputs;
  cleanup.defer("inputs", () => rm(control.in, { recursive: true, force: true }));
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const hold = await store.hold(request.files, directory);
  // A run that fails by a fault of ours keeps its inputs, since the client may want to try again. After
  // the first release that works, others do nothing.
  cleanup.defer("input files", () => hold.release({ remove: false }));
  const stored = hold.paths.map(({ path, source }) => ({ source, destination: `/${path}` }));
  const inline = await writeInlineFiles(request.inlineFiles, directory);
  return { mounts: [...stored, ...inline], settle: () => hold.release({ remove: !request.persist }) };
}

function inlineDestination({ path }: InlineFile, index: number): string {
  return `/${normalisePath(path, `inline_files[${index}].path`)}`;
}

function writeInlineFiles(files: readonly InlineFile[], directory: string): Promise<InputMount[]> {
  return settleAll(
    files.map(async (file, index) => {
      const source = join(directory, `inline-${index}`);
      await writeFile(source, file.content, { mode: INLINE_FILE_MODE });
      return { source, destination: inlineDestination(file, index) };
    }),
  );
}
