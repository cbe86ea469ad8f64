import type { SystemCalls } from "./system-calls.ts";
import { FAILED, IF_ERRNO, type TapeArgument, type TapeRecord } from "./tape.ts";

/** Makes one record; what failures are called is known already. */
export type WriteRecord = (
  call: keyof SystemCalls,
  args: readonly TapeArgument[],
  jumps?: Pick<TapeRecord, "label" | "ok" | "fail">,
) => TapeRecord;

/** Of openat(2): paths are absolute. */
export const AT_FDCWD = -100;

const S_IFREG = 0o100000;
const EEXIST = 17;

/**
 * The records that make a place to mount at, and the directories above it, as gVisor makes mount points: to be used with
 * a umask of 0. What is there stays; but no link is followed, which ends in a failure. Pure.
 * @param path absolute and normalised
 * @param made directories that need no more records; gets those of this place
 */
export function ensurePlace(
  write: WriteRecord,
  path: string,
  kind: "file" | "directory",
  made: Set<string> = new Set(),
): TapeRecord[] {
  const names = path.split("/").slice(1);
  const places = names.map((_, index) => `/${names.slice(0, index + 1).join("/")}`);
  const directories = (kind === "file" ? places.slice(0, -1) : places).filter((place) => !made.has(place));
  for (const directory of directories) made.add(directory);
  const file = write("mknodat", [AT_FDCWD, path, S_IFREG | 0o644, 0], { ok: 3, fail: 1 });
  return [
    ...directories.flatMap((each) =>
      unlessThere(write, write("mkdirat", [AT_FDCWD, each, 0o777], { ok: 3, fail: 1 })),
    ),
    ...(kind === "file" ? unlessThere(write, file) : []),
  ];
}

/** Does without the call where something is there that is not a link. */
function unlessThere(write: WriteRecord, make: TapeRecord): TapeRecord[] {
  const [, path = 0] = make.args;
  return [
    make,
    { call: IF_ERRNO, args: [EEXIST], step: make.step },
    write("readlinkat", [AT_FDCWD, path, new Uint8Array(1), 1], { ok: FAILED, fail: 1 }),
  ];
}
