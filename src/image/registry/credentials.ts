import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import Type, { type Static } from "typebox";
import { errnoOf, messageOf } from "../../core/errors.ts";
import { compileSchema } from "../../core/schema.ts";
import type { Platform } from "../../platform/platform.ts";
import { askCredentialHelper } from "./credential-helper.ts";

/** What proves who we are to a registry. */
export type Credentials =
  | { readonly kind: "password"; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token, as `docker login` gets it from some registries. */
  | { readonly kind: "identity_token"; readonly token: string };

/** The user name under which helpers hand out an identity token. */
const TOKEN_USERNAME = "<token>";
/** What Docker Hub's credentials are filed under, for historical reasons. */
const DOCKER_HUB_KEY = "https://index.docker.io/v1/";
const DOCKER_HUB_HOSTS: ReadonlySet<string> = new Set([
  "docker.io",
  "index.docker.io",
  "registry-1.docker.io",
]);

const FileSchema = Type.Object({
  auths: Type.Optional(
    Type.Record(
      Type.String(),
      Type.Object({
        auth: Type.Optional(Type.String()),
        username: Type.Optional(Type.String()),
        password: Type.Optional(Type.String()),
        identitytoken: Type.Optional(Type.String()),
      }),
    ),
  ),
  credsStore: Type.Optional(Type.String()),
  credHelpers: Type.Optional(Type.Record(Type.String(), Type.String())),
});
type CredentialFile = Static<typeof FileSchema>;
const fileSchema = compileSchema(FileSchema);

/** Where credentials come from: the file that `docker login` writes, and the helpers it names. */
export interface CredentialOptions {
  readonly platform: Platform;
  /** The server's environment: DOCKER_CONFIG, HOME, and whatever the helpers need. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
}

/**
 * The credentials for a registry, by the rules of the Docker CLI: a helper for this registry, else the default
 * helper, else the file itself. Read anew each time, so that a new login counts at once.
 * @param host `registry-1.docker.io`, `localhost:5000`
 * @returns undefined where there are none; a file that cannot be read is logged and counts as none
 * @throws BoxerError `image_pull_failed` when a helper fails
 */
export async function findCredentials(
  host: string,
  options: CredentialOptions,
): Promise<Credentials | undefined> {
  const file = await readCredentialFile(options);
  const isDockerHub = DOCKER_HUB_HOSTS.has(host);
  const serverNames = isDockerHub ? [DOCKER_HUB_KEY, ...DOCKER_HUB_HOSTS] : [host];
  const named = serverNames.find((name) => Object.hasOwn(file.credHelpers ?? {}, name));
  const helper = (named && file.credHelpers?.[named]) || file.credsStore;
  if (helper) {
    const answer = await askCredentialHelper(helper, named ?? (isDockerHub ? DOCKER_HUB_KEY : host), options);
    if (answer) return toCredentials(answer.username, answer.secret);
  }
  return fromAuths(file.auths ?? {}, new Set(isDockerHub ? DOCKER_HUB_HOSTS : [host]));
}

async function readCredentialFile(options: CredentialOptions): Promise<CredentialFile> {
  const { DOCKER_CONFIG: directory, HOME: home } = options.env;
  if (!directory && !home) return {};
  const path = join(directory || join(home ?? "", ".docker"), "config.json");
  try {
    const content: unknown = JSON.parse(await readFile(path, "utf8"));
    if (fileSchema.fits(content)) return content;
    options.log.warn({ path, reason: fileSchema.complain(content)?.message }, "ignoring the credential file");
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") {
      // The message of a parse error quotes the content, which is secret.
      const reason = error instanceof SyntaxError ? "it is not JSON" : messageOf(error);
      options.log.warn({ path, reason }, "ignoring the credential file");
    }
  }
  return {};
}

function fromAuths(
  auths: NonNullable<CredentialFile["auths"]>,
  hosts: ReadonlySet<string>,
): Credentials | undefined {
  for (const [key, entry] of Object.entries(auths)) {
    if (!hosts.has(hostOfKey(key))) continue;
    if (entry.identitytoken) return { kind: "identity_token", token: entry.identitytoken };
    const decoded = Buffer.from(entry.auth ?? "", "base64")
      .toString("utf8")
      .replace(/\0+$/, "");
    const colon = decoded.indexOf(":");
    if (colon > 0) return toCredentials(decoded.slice(0, colon), decoded.slice(colon + 1));
    if (entry.username) return toCredentials(entry.username, entry.password ?? "");
  }
  return undefined;
}

/** Keys are hosts, or addresses from older times: `https://registry.example/v1/`. */
function hostOfKey(key: string): string {
  return key.replace(/^https?:\/\//, "").replace(/\/.*$/s, "");
}

function toCredentials(username: string, secret: string): Credentials {
  return username === TOKEN_USERNAME
    ? { kind: "identity_token", token: secret }
    : { kind: "password", username, password: secret };
}
