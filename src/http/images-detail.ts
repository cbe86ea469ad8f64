import type { Static } from "typebox";
import { answer, crossSite, failure, reboundRead } from "./detail.ts";
import {
  ImageResponse as Image,
  type ImageResponse,
  ImagesResponse,
  PruneResponse,
  type PullResponse,
} from "./images-model.ts";

const digest = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const reference = "docker.io/library/python:3.12-slim";

const image: Static<typeof ImageResponse> = {
  digest,
  references: [{ reference, imported: false, checked_at: "2026-01-02T03:04:05.000Z", unreachable: null }],
  size_bytes: 148_721_664,
  layers: 4,
  created: "2025-12-30T22:11:00.000Z",
  pulled_at: "2026-01-02T03:04:05.000Z",
  last_used_at: "2026-01-02T03:09:10.000Z",
  uses: 17,
  in_use: 1,
};

const pull: Static<typeof PullResponse> = {
  reference,
  phase: "downloading",
  started_at: "2026-01-02T03:04:01.000Z",
  digest,
  downloaded_bytes: 12_582_912,
  size_bytes: 29_772_537,
  layers: [
    {
      digest: "sha256:0f4b478fc3f3bb9c0b0b822cd15d6c15b0f00a089f86d081884c7d659a2feaa0",
      phase: "downloading",
      downloaded_bytes: 12_582_912,
      size_bytes: 29_772_537,
    },
  ],
};

const badReference = failure("The request is wrong; the message names the field.", {
  invalid_request: "image is required",
  invalid_image_reference: 'Cannot parse image reference "UPPER": the name must be in lower case',
});
const pullFailure = failure("A fault of Boxer, its host or a registry.", {
  image_not_found: "Cannot pull docker.io/library/nosuch:latest: registry answered 404 MANIFEST_UNKNOWN",
  image_pull_failed: "Cannot pull registry.local:5000/x:y: connection refused",
  image_invalid: "Cannot pull docker.io/library/x:1: layer sha256:… cannot be unpacked",
  disk_full: "Cannot pull docker.io/library/x:1: no space left",
});

/** `GET /images` in the OpenAPI document. */
export const listDetail = {
  summary: "List the images",
  description: "All images that are here, and the pulls and imports under way.",
  tags: ["images"],
  responses: {
    200: answer("The images.", ImagesResponse, {
      images: [image],
      pulls: [pull],
      size_bytes: image.size_bytes,
      quota_bytes: 100_000_000_000,
    }),
    403: reboundRead,
  },
};

const progressEvents = [
  `event: progress\ndata: ${JSON.stringify(pull)}\n\n`,
  `event: done\ndata: ${JSON.stringify(image)}\n\n`,
].join("");

/** `POST /images/pull` in the OpenAPI document. */
export const pullDetail = {
  summary: "Pull an image",
  description:
    "Asks the registry what the reference stands for now, gets that image unless it is here, and answers when it is. " +
    "With `Accept: text/event-stream` the answer is a stream: `progress` events whose data is as in `pulls` of " +
    "`GET /images`, at most four a second, then `done` with the image or `failed` with `error` and `code`. " +
    "Concurrent pulls of an image are one; it goes on while anybody waits for it.",
  tags: ["images"],
  responses: {
    200: {
      ...answer("The image is here.", Image, image),
      content: {
        ...answer("", Image, image).content,
        "text/event-stream": {
          schema: { type: "string" as const },
          examples: { example: { value: progressEvents } },
        },
      },
    },
    400: badReference,
    403: failure("The operator does not allow it.", {
      image_not_allowed:
        'Image docker.io/library/x:1 is not allowed by this server: image_deny has "docker.io/**"',
      ...crossSite,
    }),
    413: failure("The body is too large.", {
      payload_too_large: "The request body is larger than 16777216 bytes (request_limit_bytes)",
    }),
    415: failure("The body is not JSON.", {
      unsupported_media_type: "Content-Type must be application/json, not text/plain",
    }),
    500: pullFailure,
    503: failure("The server is shutting down.", {
      draining: "Cannot pull docker.io/library/python:3.12-slim: the server is going down",
    }),
  },
};

/** `DELETE /images` in the OpenAPI document. */
export const removeDetail = {
  summary: "Remove an image",
  description:
    "By reference: removes this name, and the image with its last one. By digest: the image with all its names. " +
    "An image in use is kept, and so is its last name.",
  tags: ["images"],
  parameters: [
    {
      name: "reference",
      in: "query" as const,
      required: true,
      schema: { type: "string" as const },
      description: "An OCI image reference, or the digest of an image alone (`sha256:…`).",
      example: "python:3.12-slim",
    },
  ],
  responses: {
    204: { description: "It is removed." },
    400: failure("The query is wrong.", {
      invalid_request: "The query parameter reference is required",
      invalid_image_reference: 'Cannot parse image reference "UPPER": the name must be in lower case',
    }),
    403: failure("A page of another site asks for it.", crossSite),
    404: failure("It is not here.", { not_found: "There is no image python:3.12-slim here" }),
    409: failure("Runs have it in use; try again when they have ended.", {
      image_in_use: "Cannot remove image python:3.12-slim: it is in use",
    }),
  },
};

/** `POST /images/prune` in the OpenAPI document. */
export const pruneDetail = {
  summary: "Remove images that nobody uses",
  description:
    "Images in use are kept always. Imported images, which no pull brings back, and those of images_prepull are kept " +
    "unless `all` is true. The body may be left out.",
  tags: ["images"],
  responses: {
    200: answer("What was removed.", PruneResponse, {
      removed: [{ digest, references: [reference], size_bytes: image.size_bytes }],
      freed_bytes: image.size_bytes,
    }),
    400: failure("The request is wrong; the message names the field.", {
      invalid_request: "unused_for_secs must be >= 0",
      invalid_json: "The request body is not valid JSON",
    }),
    403: failure("A page of another site asks for it.", crossSite),
    413: failure("The body is too large.", {
      payload_too_large: "The request body is larger than 16777216 bytes (request_limit_bytes)",
    }),
    415: failure("There is a body, and it is not JSON.", {
      unsupported_media_type: "Content-Type must be application/json, not text/plain",
    }),
  },
};
