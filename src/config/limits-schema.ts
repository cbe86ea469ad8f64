import Type, { type TSchema } from "typebox";

const limit = <S extends TSchema>(schema: S, description: string) =>
  Type.Optional(Type.Union([schema, Type.Null()], { description }));

/** `defaults`: null means no limit, 0 and absent mean the built-in value. */
export const DefaultLimits = Type.Object(
  {
    cpu_cores: limit(
      Type.Number({ minimum: 0, maximum: 1024 }),
      "CPU cores of a run, fractional. Default 1.",
    ),
    memory_mb: limit(
      Type.Integer({ minimum: 0, maximum: 1 << 24 }),
      "Memory of a run in MB (2^20 bytes). Default 256.",
    ),
    wall_clock_secs: limit(Type.Number({ minimum: 0, maximum: 86_400 }), "Wall clock of a run. Default 30."),
    pids_limit: limit(
      Type.Integer({ minimum: 0, maximum: 1 << 22 }),
      "Processes and threads of a run. Default 64.",
    ),
    nofile: limit(Type.Integer({ minimum: 0, maximum: 1 << 20 }), "Open files of each process. Default 256."),
  },
  { additionalProperties: false, description: "Limits of a run whose request names none." },
);

/** `max_limits`: null means no maximum. */
export const MaxLimits = Type.Object(
  {
    cpu_cores: limit(
      Type.Number({ exclusiveMinimum: 0, maximum: 1024 }),
      "Most CPU cores. Built-in: the machine's.",
    ),
    memory_mb: limit(
      Type.Integer({ minimum: 1, maximum: 1 << 24 }),
      "Most memory in MB (2^20 bytes). Built-in: max_reserved_memory_mb less the sentry's 64.",
    ),
    wall_clock_secs: limit(
      Type.Number({ exclusiveMinimum: 0, maximum: 86_400 }),
      "Longest wall clock. Built-in: 3600.",
    ),
    pids_limit: limit(
      Type.Integer({ minimum: 1, maximum: 1 << 22 }),
      "Most processes and threads. Built-in: 4096.",
    ),
    nofile: limit(
      Type.Integer({ minimum: 3, maximum: 1 << 20 }),
      "Most open files of each process. Built-in: 65536.",
    ),
  },
  {
    additionalProperties: false,
    description:
      "Most that a request may ask for; more is answered 400. Null: no maximum. A built-in maximum gives way to a " +
      "default that is more or null; a stated one holds, and takes the place of a default that is null.",
  },
);
