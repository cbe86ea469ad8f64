import Type from "typebox";
import { answer, crossSite, failure } from "./detail.ts";

/** An image that was imported, on the wire. */
export const ImportResponse = Type.Object({
  reference: Type.String({ description: "The name that runs give as `image`." }),
  digest: Type.String({ description: "Of the manifest." }),
  size_bytes: Type.Integer({ description: "On disk." }),
});

const archive = { schema: { type: "string" as const, format: "binary" } };

/** `POST /images/import` in the OpenAPI document. */
export const importDetail = {
  summary: "Import an image archive",
  description:
    "Takes an image from an archive as `docker save`, `podman save` and `skopeo copy` write it: an OCI image layout or a " +
    "Docker archive in a tar file, plain or compressed with gzip or zstd. The body is the archive itself: " +
    "`docker save app:1 | curl -X POST -T - 'http://…/images/import'`. An imported image is not looked up in a registry " +
    "unless a pull is asked for.",
  tags: ["images"],
  parameters: [
    {
      name: "reference",
      in: "query" as const,
      required: false,
      schema: { type: "string" as const },
      description:
        "The name that the image gets; where the archive holds several images, the one of this name is taken. " +
        "Default: the name that the archive has, if it has exactly one.",
      example: "local/app:1",
    },
  ],
  requestBody: {
    required: true,
    description: "Whatever the type says, the content decides.",
    content: {
      "application/x-tar": archive,
      "application/gzip": archive,
      "application/octet-stream": archive,
    },
  },
  responses: {
    200: answer("The image is here.", ImportResponse, {
      reference: "local/app:1",
      digest: "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
      size_bytes: 148_721_664,
    }),
    400: failure("The archive or the name is wrong; nothing is kept.", {
      image_invalid: "Cannot import local/app:1: the archive is damaged: its tar archive is truncated",
      invalid_request: "Cannot import the archive: it does not say what the image is called; reference must",
      invalid_image_reference: 'Cannot parse image reference "UPPER": the name must be in lower case',
    }),
    403: failure("The operator does not allow the name.", {
      image_not_allowed:
        'Image docker.io/library/x:1 is not allowed by this server: image_deny has "docker.io/**"',
      ...crossSite,
    }),
    413: failure("The archive is too large; nothing is kept.", {
      payload_too_large:
        "Cannot import local/app:1: the archive is larger than 17179869184 bytes (image_archive_limit_bytes)",
    }),
    415: failure("The body is a form.", {
      unsupported_media_type:
        "The body must be the archive itself, not a form: curl -X POST --upload-file FILE",
    }),
    500: failure("A fault of Boxer or its host, or it took too long.", {
      image_pull_failed: "Cannot import local/app:1: it took longer than 600 s (pull_timeout_secs)",
      disk_full: "Cannot import local/app:1: no space left",
      internal: "Internal error",
    }),
    503: failure("The server is shutting down.", {
      draining: "Cannot import local/app:1: the server is going down",
    }),
  },
};
