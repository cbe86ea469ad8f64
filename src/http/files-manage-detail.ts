import type { Static } from "typebox";
import { answer, crossSite, failure, reboundRead } from "./detail.ts";
import { FilesResponse, RemovedResponse } from "./files-model.ts";

const parameter = (name: string, description: string, example: string, required = false) => ({
  name,
  in: "query" as const,
  required,
  schema: { type: "string" as const },
  description,
  example,
});

const EXEC_ID = "boxer-2ed7b76c-0eca-4f90-89e7-5e12e1db8f2d";
const whole = "By whole names: `a/b` stands for the file `a/b` and all below it, and not for `a/bc`.";
const badPrefix = {
  invalid_request: 'Unknown query parameter "x"',
  invalid_path: 'Cannot use prefix "../x": it contains ".."',
};
const list: Static<typeof FilesResponse> = {
  files: [
    {
      path: `output/${EXEC_ID}/result.txt`,
      size_bytes: 4,
      modified_at: "2026-01-02T03:04:05.000Z",
      used_at: "2026-01-02T03:04:05.000Z",
    },
    {
      path: "workspace/script.py",
      size_bytes: 13,
      modified_at: "2026-01-02T03:04:01.000Z",
      used_at: "2026-01-02T03:04:05.000Z",
    },
  ],
  next: "workspace/script.py",
  size_bytes: 14_680_064,
  quota_bytes: 10_737_418_240,
};

/** `GET /files/list` in the OpenAPI document. */
export const listDetail = {
  summary: "List the files",
  description: "Uploads and kept outputs, sorted by path, a page at a time.",
  tags: ["files"],
  parameters: [
    parameter("prefix", `Only files with it; default all. ${whole}`, "workspace"),
    parameter("limit", "Most files of a page, from 1 to 10000; default 1000.", "100"),
    parameter("after", "Only files that sort behind this path: `next` of the page before.", "workspace/a.py"),
  ],
  responses: {
    200: answer("The files; none where no file has the prefix.", FilesResponse, list),
    400: failure("The query is wrong.", {
      ...badPrefix,
      invalid_request: "limit must be a whole number from 1 to 10000",
    }),
    403: reboundRead,
  },
};

/** `DELETE /files` in the OpenAPI document. */
export const removeDetail = {
  summary: "Remove files",
  description:
    "One file by `path`, or all with a `prefix`, which vanish at once. Runs that have one of them as input go on with it " +
    "unharmed, and so do downloads under way.",
  tags: ["files"],
  parameters: [
    parameter("path", "One file.", "workspace/script.py"),
    parameter("prefix", `All files with it; not empty. ${whole}`, `output/${EXEC_ID}`),
  ],
  responses: {
    200: answer("What was removed.", RemovedResponse, { removed: 1, freed_bytes: 13 }),
    400: failure("The query or the path is wrong; nothing is removed.", {
      ...badPrefix,
      invalid_request: "Exactly one of the query parameters path and prefix is required",
    }),
    403: failure("A page of another site asks for it.", crossSite),
    404: failure("There is no such file; a directory is none, but for a prefix.", {
      not_found: 'There is no file "workspace/script.py"',
    }),
  },
};

/** `GET /files/archive` in the OpenAPI document. */
export const archiveDetail = {
  summary: "Download files as an archive",
  description:
    "All files with a prefix in one tar file (pax), compressed with gzip, in the order of their paths, with names below " +
    "the prefix. It is made while it is sent. A file that is removed meanwhile is in it whole, or not at all.",
  tags: ["files"],
  parameters: [parameter("prefix", `Default all files. ${whole}`, `output/${EXEC_ID}`)],
  responses: {
    200: {
      description: "The archive.",
      content: {
        "application/gzip": {
          schema: { type: "string" as const, format: "binary" },
          examples: { example: { value: "(a .tar.gz file)" } },
        },
      },
    },
    400: failure("The query is wrong.", badPrefix),
    403: reboundRead,
    404: failure("No file has the prefix.", { not_found: 'There is no file below "workspace"' }),
  },
};
