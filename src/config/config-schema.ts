import Type, { type Static, type TSchema } from "typebox";

const positive = (description: string) => Type.Optional(Type.Integer({ minimum: 1, description }));
const text = (description: string) => Type.Optional(Type.String({ minLength: 1, description }));

/**
 * Patterns of normalised references. Those do begin with a registry, or `local/`: a pattern that does not would never
 * fit anything, and a rule that silently does nothing is worse than none.
 */
const patterns = (description: string) =>
  Type.Optional(
    Type.Array(Type.String({ pattern: String.raw`^(\*\*|(local|localhost|[^/\s]*[.:*][^/\s]*)/[^\s]+)$` }), {
      description:
        `${description} Patterns such as \`docker.io/library/*\`, \`ghcr.io/acme/**\`: \`*\` within a ` +
        "component, `**` across; without a tag all of them.",
    }),
  );

/** A default limit: null means none, 0 and absent mean the built-in value. */
const limit = <S extends TSchema>(schema: S, description: string) =>
  Type.Optional(Type.Union([schema, Type.Null()], { description }));

const DefaultLimits = Type.Object(
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

/** What a configuration file may hold. An unknown key stops the start. */
export const ConfigSchema = Type.Object(
  {
    home: text("Base directory of all data; `~` is the home directory. Default `~/.boxer`."),
    runsc_path: text(
      "Path of runsc. Default: `<home>/bin/runsc` where set-up put one, else looked up in PATH.",
    ),
    mkfs_erofs_path: text(
      "Path of mkfs.erofs. Default: `<home>/bin/mkfs.erofs` where set-up put one, else PATH.",
    ),
    platform: Type.Optional(
      Type.Enum(["systrap", "ptrace", "kvm"], { description: "gVisor platform. Default `systrap`." }),
    ),
    listen_addr: text("`:8080`, `127.0.0.1:8080` or `[::1]:8080`. Default `:8080`."),
    ignore_cgroups: Type.Optional(
      Type.Boolean({
        description: "Skip cgroups: CPU and memory limits are then not enforced. Default false.",
      }),
    ),
    output_limit_bytes: positive("Most bytes taken from each of stdout and stderr. Default 10485760."),
    upload_limit_bytes: positive("Most bytes of one uploaded file. Default 10485760."),
    request_limit_bytes: positive("Most bytes of a JSON request body. Default 16777216."),
    output_files_limit_bytes: positive(
      "Most bytes captured from /output, all files together. Default 104857600.",
    ),
    output_files_limit_count: positive("Most files captured from /output. Default 1000."),
    allow_root_user: Type.Optional(
      Type.Boolean({ description: "Let requests run the guest as root of its own sandbox. Default false." }),
    ),
    dns_servers: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), { description: "Name servers for network=sandbox." }),
    ),
    max_concurrent_runs: positive("Sandboxes at the same time. Default 4 for each core."),
    max_queued_runs: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: "Runs that may wait for a sandbox; one more is answered 429. Default 256.",
      }),
    ),
    shutdown_grace_secs: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 86_400,
        description: "How long running sandboxes may go on after SIGTERM. Default 30.",
      }),
    ),
    insecure_registries: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        description:
          "Registries (`host:port`) spoken to over plain HTTP. Loopback always may be. Default none.",
      }),
    ),
    registry_mirrors: Type.Optional(
      Type.Record(Type.String(), Type.Array(Type.String({ minLength: 1 })), {
        description: 'Mirrors tried before a registry, by registry: `{"docker.io": ["mirror.local:5000"]}`.',
      }),
    ),
    image_tag_ttl_secs: Type.Optional(
      Type.Number({ minimum: 0, description: "Age after which a tag is looked up again. Default 300." }),
    ),
    pull_timeout_secs: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 86_400,
        description: "Longest time of one image pull. Default 600.",
      }),
    ),
    max_image_bytes: positive("Most bytes of one image, unpacked. Default 17179869184 (16 GiB)."),
    max_image_entries: positive("Most files, directories and links of one image. Default 1000000."),
    image_archive_limit_bytes: positive(
      "Most bytes of one image archive sent to `POST /images/import`. Default 17179869184 (16 GiB).",
    ),
    docker_socket: Type.Optional(
      Type.Union([Type.String(), Type.Null()], {
        description:
          "Socket of the local Docker daemon (or podman's service), which is asked for what no registry has. Default " +
          "`$DOCKER_HOST` where that is a `unix://` address, else /var/run/docker.sock if it is there at start. Null " +
          "or empty: no daemon is asked.",
      }),
    ),
    images_quota_bytes: Type.Optional(
      Type.Union([Type.Integer({ minimum: 1 }), Type.Null()], {
        description:
          "Most bytes of all images together; the least recently used ones go. Null: no limit. Default: 80 % of " +
          "what images take at start and the file system has left.",
      }),
    ),
    image_allow: patterns("Images that may be used; default all."),
    image_deny: patterns("Images that may not be used, whatever is allowed. Default none."),
    images_prepull: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        description: "Images pulled in the background at start, and kept. Default none.",
      }),
    ),
    defaults: Type.Optional(DefaultLimits),
  },
  { additionalProperties: false },
);

/** A configuration file's content. */
export type ConfigFile = Static<typeof ConfigSchema>;
