import Type, { type Static } from "typebox";
import { optional } from "../core/nullable.ts";
import { Egress } from "./egress-schema.ts";
import { DefaultLimits, MaxLimits } from "./limits-schema.ts";
import { WarmPool } from "./warm-pool-schema.ts";

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

const Dashboard = Type.Object(
  {
    auth: Type.Optional(
      Type.Enum(["none", "token", "basic"], {
        description: "How those who look at it are asked who they are.",
      }),
    ),
    token: Type.Optional(Type.String({ minLength: 16, description: "Secret of `token`." })),
    user: Type.Optional(Type.String({ pattern: "^[^:]+$", description: "Name of `basic`." })),
    password: Type.Optional(Type.String({ minLength: 8, description: "Password of `basic`." })),
  },
  {
    additionalProperties: false,
    description:
      "Who may see the dashboard. Without it nobody is asked, and it is shown to this machine only: not beyond " +
      "loopback, and not through a proxy.",
  },
);

/** What a configuration file may hold. An unknown key stops the start. */
export const ConfigSchema = Type.Object(
  {
    home: text("Base directory of all data; `~` is the home directory. Default `~/.boxer`."),
    runsc_path: text(
      "Path of runsc. Default: `<home>/bin/runsc` where set-up put one, else looked up in PATH.",
    ),
    mkfs_erofs_path: optional(
      Type.String({ minLength: 1 }),
      "Path of mkfs.erofs. Default: `<home>/bin/mkfs.erofs` where set-up put one, else PATH. Null: images are " +
        "kept as directories.",
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
    unenforced_limits: Type.Optional(
      Type.Enum(["warn", "refuse"], {
        description:
          "What becomes of a run with a limit, stated or by default, that this host cannot enforce: it runs and its " +
          "answer says so, or it is refused. Default `warn`.",
      }),
    ),
    output_limit_bytes: positive("Most bytes taken from each of stdout and stderr. Default 10485760."),
    upload_limit_bytes: positive("Most bytes of one uploaded file. Default 10485760."),
    request_limit_bytes: positive("Most bytes of a JSON request body. Default 16777216."),
    output_files_limit_bytes: positive("Most bytes in /output, all files together. Default 104857600."),
    output_files_limit_count: positive("Most files in /output. Default 1000."),
    allow_root_user: Type.Optional(
      Type.Boolean({ description: "Let requests run the guest as root of its own sandbox. Default false." }),
    ),
    run_records_max: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 10_000_000,
        description: "Most records of ended runs that are kept. 0: none are. Default 10000.",
      }),
    ),
    run_records_days: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 36_500,
        description: "Longest time that they are kept. Default 7.",
      }),
    ),
    dns_servers: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        description: "IP addresses of the name servers for network=sandbox. Default: 8.8.8.8 and 8.8.4.4.",
      }),
    ),
    network_cidr: Type.Optional(
      Type.String({
        pattern: String.raw`^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(?!/)|(?=/))){4}/([89]|[12]\d|30)$`,
        description:
          "IPv4 network that the links of runs lie in, four addresses each, nowhere else in use: `10.231.0.0/16`. " +
          "Default: the first of 10.231.0.0/16, 172.29.0.0/16 and 192.168.224.0/19 that the host does not route.",
      }),
    ),
    enable_forwarding: Type.Optional(
      Type.Boolean({
        description:
          "Where the host does not forward packets, let Boxer have its uplinks do so for network=sandbox, for its own " +
          "interfaces only, and back again at the end. Default false.",
      }),
    ),
    egress: Type.Optional(Egress),
    max_bandwidth_kbps: Type.Optional(
      Type.Integer({
        minimum: 8,
        maximum: 10_000_000,
        description:
          "Bits a second / 1000 that a run with network=sandbox may send, and may receive: most that a request may state " +
          "as bandwidth_kbps, and what one has that states none. Default: no limit.",
      }),
    ),
    allow_host_network: Type.Optional(
      Type.Boolean({
        description:
          "Let requests run on the host's own network (network=host): the run then reaches all that the host does, its " +
          "loopback and private networks too. Default false.",
      }),
    ),
    max_concurrent_runs: positive(
      "Sandboxes at the same time. Default 4 for each core, but no more than runs of the default memory fit into " +
        "max_reserved_memory_mb.",
    ),
    max_reserved_memory_mb: positive(
      "MB (2^20 bytes) that the runs under way may reserve together. Each reserves its memory_mb and 64 for the " +
        "sentry, without a limit 320; it waits until that is free. Default: 80 % of the machine's memory, or of the " +
        "service's cgroup limit where that is less.",
    ),
    client_header: Type.Optional(
      Type.String({
        pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$",
        description:
          "Header that names the client, for servers behind a proxy that sets it: waiting runs are shared out fairly " +
          "by client. Never set it unless the proxy overwrites what clients send. Default: the connection's address.",
      }),
    ),
    prepared_runs: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 64,
        description:
          "Runs whose directory, mount of /output, cgroups and waiting process are made ahead, each some 2 MB: what " +
          "takes 10 to 15 ms has been done when a request comes. 0: none are. Default: one more than there are cores.",
      }),
    ),
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
    docker_socket: optional(
      Type.String(),
      "Socket of the local Docker daemon (or podman's service), which is asked for what no registry has. Default " +
        "`$DOCKER_HOST` where that is a `unix://` address, else /var/run/docker.sock if it is there at start. Null " +
        "or empty: no daemon is asked.",
    ),
    images_quota_bytes: optional(
      Type.Integer({ minimum: 1 }),
      "Most bytes of all images together; the least recently used ones go. Null: no limit. Default: 80 % of " +
        "what images take at start and the file system has left.",
    ),
    files_ttl_secs: optional(
      Type.Number({ minimum: 1 }),
      "Age since their last write or use by a run after which uploads and kept outputs are removed. Null: never. " +
        "Default 86400.",
    ),
    files_quota_bytes: optional(
      Type.Integer({ minimum: 1 }),
      "Most bytes of uploads and kept outputs together. Null: no limit. Default: 10 % of what they take at start " +
        "and the file system has left.",
    ),
    files_fsync: Type.Optional(
      Type.Boolean({
        description: "Answer an upload when it is on the disk, and survives a power cut. Default true.",
      }),
    ),
    image_allow: patterns("Images that may be used; default all."),
    image_deny: patterns("Images that may not be used, whatever is allowed. Default none."),
    image_platform: Type.Optional(
      Type.String({
        pattern: "^linux/[a-z0-9]+(/v[0-9]{1,2})?$",
        description:
          "Of images for several platforms, the one taken: `linux/arm64`. Default the machine's own.",
      }),
    ),
    images_prepull: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        description: "Images pulled in the background at start, and kept. Default none.",
      }),
    ),
    warm_pool: Type.Optional(WarmPool),
    dashboard: Type.Optional(Dashboard),
    defaults: Type.Optional(DefaultLimits),
    max_limits: Type.Optional(MaxLimits),
  },
  { additionalProperties: false },
);

/** A configuration file's content. */
export type ConfigFile = Static<typeof ConfigSchema>;
