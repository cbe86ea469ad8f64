import Type from "typebox";

/** `warm_pool`: how many sandboxes are booted ahead, and for what. */
export const WarmPool = Type.Object(
  {
    max: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 256,
        description:
          "Most sandboxes that wait for a run. 0: none, each run boots its own. Default 2 for each core, 16 at most.",
      }),
    ),
    max_memory_mb: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 1 << 24,
        description:
          "Most MB (2^20 bytes) that they may take; each counts for 32. It is not part of max_reserved_memory_mb. " +
          "Default: 5 % of the machine's memory, or of the service's cgroup limit where that is less; 512 at most.",
      }),
    ),
    max_age_secs: Type.Optional(
      Type.Number({
        minimum: 1,
        maximum: 86_400,
        description: "Age after which one that waits is discarded. Default 600.",
      }),
    ),
    images: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        description:
          "Images of which one sandbox with the default limits is kept ready from the start, as far as there is room. " +
          "Those of others are booted when they are asked for again and again. Default none.",
      }),
    ),
  },
  {
    additionalProperties: false,
    description: "Sandboxes that are booted ahead of the runs that get them, each for one run.",
  },
);
