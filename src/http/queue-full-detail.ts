import Type from "typebox";
import { QueueFullError } from "../run/admission/queue-full-error.ts";
import { answer, ErrorSchema } from "./detail.ts";

const QueueFull = Type.Intersect([
  ErrorSchema,
  Type.Object({
    active: Type.Integer({ description: "Runs under way." }),
    queue_length: Type.Integer({ description: "Runs that wait." }),
  }),
]);

const { message, code, busy } = new QueueFullError({ active: 8, queue_length: 256, retry_after_secs: 12 });
const { active, queue_length, retry_after_secs } = busy;

/** A full queue in the OpenAPI document. */
export const queueFullDetail = {
  ...answer(
    "As many runs wait as may. When the queue is full, a run of a client with fewer waiting takes the place of the " +
      "newest run of the client with most, which is then answered this, too (with `exec_id`).",
    QueueFull,
    { error: message, code, active, queue_length },
  ),
  headers: {
    "Retry-After": {
      description:
        "When to come again, in seconds, from 1 to 600: estimated from how long the latest runs took.",
      schema: Type.Integer({ minimum: 1, maximum: 600 }),
      example: retry_after_secs,
    },
  },
};
