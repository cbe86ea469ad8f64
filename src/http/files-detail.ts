import Type from "typebox";
import { answer, crossSite, failure, reboundRead } from "./detail.ts";

const Stored = Type.Object({ path: Type.String({ description: "Where the file is, in its one spelling." }) });

const uploadForm = {
  type: "object" as const,
  required: ["file", "path"],
  properties: {
    file: { type: "string" as const, format: "binary", description: "The contents." },
    path: {
      type: "string" as const,
      description:
        "Relative, without `..`; not below `output/`. `./a//b` is the same as `a/b`. A file that is there is replaced.",
    },
  },
};

/** `POST /files` in the OpenAPI document. */
export const uploadDetail = {
  summary: "Upload a file",
  description:
    "Stores a file for runs that name it in `files`; they find it at `/{path}`, readable and executable. " +
    "The parts may come in either order. It is removed when nobody has used it for `files_ttl_secs`, or, after ten " +
    "minutes without use, when others need the room (`files_quota_bytes`).",
  tags: ["files"],
  requestBody: {
    required: true,
    content: {
      "multipart/form-data": {
        schema: uploadForm,
        example: { file: "print(6 * 7)\n", path: "workspace/script.py" },
      },
    },
  },
  responses: {
    200: answer("Stored, whole.", Stored, { path: "workspace/script.py" }),
    400: failure("The form or the path is wrong; nothing is stored.", {
      invalid_request: "Cannot store the file: the form has no part path",
      invalid_path: 'Cannot use path "../x": it contains ".."',
    }),
    403: failure("A page of another site asks for it.", crossSite),
    413: failure("The file is too large; nothing is stored.", {
      payload_too_large: "The upload is larger than 10485760 bytes (upload_limit_bytes)",
    }),
    415: failure("The body is not a form.", {
      unsupported_media_type: 'Content-Type must be multipart/form-data, not "application/json"',
    }),
    500: failure("A fault of Boxer or its host.", {
      disk_full: "Cannot store the file: the disk is full",
      internal: "Internal error",
    }),
    507: failure(
      "The store is full, and none of its files has lain unused for long enough; nothing is stored.",
      {
        files_quota_exceeded:
          "There is no room: the files take 1048576000 of 1048576000 bytes (files_quota_bytes), and none of them may go yet",
      },
    ),
  },
};

const contents = (description: string) => ({
  description,
  content: {
    "application/octet-stream": {
      schema: { type: "string" as const, format: "binary" },
      examples: { example: { value: "print(6 * 7)\n" } },
    },
  },
});

/** `GET /files` in the OpenAPI document. */
export const downloadDetail = {
  summary: "Download a file",
  description:
    "Gives the contents of an upload, or of a file that a run with `persist` left, at " +
    "`output/{exec_id}/{path below /output}`. One range may be asked for. `HEAD` gives the headers alone.",
  tags: ["files"],
  parameters: [
    {
      name: "path",
      in: "query" as const,
      required: true,
      schema: { type: "string" as const },
      example: "workspace/script.py",
    },
    {
      name: "Range",
      in: "header" as const,
      required: false,
      schema: { type: "string" as const },
      description: "One range of bytes, such as `bytes=0-1023`.",
    },
  ],
  responses: {
    200: contents("The whole file."),
    206: contents("The range asked for."),
    304: { description: "The client has these contents (If-None-Match)." },
    400: failure("The query or the path is wrong.", {
      invalid_request: "The query parameter path is required",
      invalid_path: 'Cannot use path "/etc/passwd": it is absolute, and must be relative',
    }),
    403: reboundRead,
    404: failure("There is no such file; a directory is none.", {
      not_found: 'There is no file "workspace/script.py"',
    }),
    416: failure("The range lies outside the file; Content-Range tells its size.", {
      range_not_satisfiable: "The range lies outside the file's 13 bytes",
    }),
  },
};
