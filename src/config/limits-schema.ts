import Type from "typebox";
import { optional } from "../core/nullable.ts";

/** What a limit may be, in a request as in the configuration; 0 stands for the default. */
export const LIMIT = {
  cpu_cores: Type.Number({ minimum: 0, maximum: 1024 }),
  memory_mb: Type.Integer({ minimum: 0, maximum: 1 << 24 }),
  wall_clock_secs: Type.Number({ minimum: 0, maximum: 86_400 }),
  pids_limit: Type.Integer({ minimum: 0, maximum: 1 << 22 }),
  nofile: Type.Integer({ minimum: 0, maximum: 1 << 20 }),
};

/** `defaults`: null means no limit, 0 and absent mean the built-in value. */
export const DefaultLimits = Type.Object(
  {
    cpu_cores: optional(LIMIT.cpu_cores, "CPU cores of a run, fractional. Default 1."),
    memory_mb: optional(LIMIT.memory_mb, "Memory of a run in MB (2^20 bytes). Default 256."),
    wall_clock_secs: optional(LIMIT.wall_clock_secs, "Wall clock of a run. Default 30."),
    pids_limit: optional(LIMIT.pids_limit, "Processes and threads of a run. Default 64."),
    nofile: optional(LIMIT.nofile, "Open files of each process. Default 256."),
  },
  { additionalProperties: false, description: "Limits of a run whose request names none." },
);

/** `max_limits`: null means no maximum. */
export const MaxLimits = Type.Object(
  {
    cpu_cores: optional(
      Type.Number({ exclusiveMinimum: 0, maximum: 1024 }),
      "Most CPU cores. Built-in: the machine's.",
    ),
    memory_mb: optional(
      Type.Integer({ minimum: 1, maximum: 1 << 24 }),
      "Most memory in MB (2^20 bytes). Built-in: max_reserved_memory_mb less the sentry's 64.",
    ),
    wall_clock_secs: optional(
      Type.Number({ exclusiveMinimum: 0, maximum: 86_400 }),
      "Longest wall clock. Built-in: 3600.",
    ),
    pids_limit: optional(
      Type.Integer({ minimum: 1, maximum: 1 << 22 }),
      "Most processes and threads. Built-in: 4096.",
    ),
    nofile: optional(
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
