import Type, { type Static } from "typebox";
import type { FileList, RemovedFiles } from "../files/file-store.ts";

const time = (description: string) => Type.String({ format: "date-time", description });

const ListedFile = Type.Object({
  path: Type.String({ description: "For `GET /files?path=` and for `files` of a run." }),
  size_bytes: Type.Integer(),
  modified_at: time("As the file says; a program may have set it to anything."),
  used_at: time("When it was last written, or a run last began or ended with it."),
});

/** The answer of `GET /files/list`. */
export const FilesResponse = Type.Object({
  files: Type.Array(ListedFile, { description: "Sorted by path." }),
  next: Type.Union([Type.String(), Type.Null()], {
    description: "To be given as `after` for the files that follow; null when there are none.",
  }),
  size_bytes: Type.Integer({ description: "Of all uploads and kept outputs, listed or not." }),
  quota_bytes: Type.Union([Type.Integer(), Type.Null()], {
    description: "The most that they may take (files_quota_bytes); null: no limit.",
  }),
});

/** The answer of `DELETE /files`. */
export const RemovedResponse = Type.Object({
  removed: Type.Integer({ description: "Files." }),
  freed_bytes: Type.Integer(),
});

/** From the domain to the wire. */
export function toFilesResponse(
  { files, next }: FileList,
  usage: { readonly size_bytes: number; readonly quota_bytes: number },
): Static<typeof FilesResponse> {
  return {
    files: files.map(({ path, size_bytes, modified_ms, used_ms }) => ({
      path,
      size_bytes,
      modified_at: iso(modified_ms),
      used_at: iso(used_ms),
    })),
    next: next ?? null,
    size_bytes: usage.size_bytes,
    quota_bytes: Number.isFinite(usage.quota_bytes) ? usage.quota_bytes : null,
  };
}

/** From the domain to the wire. */
export function toRemovedResponse({ files, bytes }: RemovedFiles): Static<typeof RemovedResponse> {
  return { removed: files, freed_bytes: bytes };
}

/** The largest distance from the epoch that a Date can have (ECMA-262, time values); a guest may say anything. */
const MAX_TIME_MS = 8.64e15;

function iso(time_ms: number): string {
  return new Date(Math.min(Math.max(time_ms, -MAX_TIME_MS), MAX_TIME_MS)).toISOString();
}
