import Type from "typebox";
import { BoxerError } from "../../core/errors.ts";
import { compileSchema } from "../../core/schema.ts";
import type { Answer } from "./answer.ts";
import type { Credentials } from "./credentials.ts";
import { describeRefusal } from "./describe-refusal.ts";
import type { HttpRequest, Transport } from "./transport.ts";

/** A bearer token and for how long it may be used. */
export interface Token {
  readonly value: string;
  readonly lifetime_ms: number;
}

export interface TokenRequest {
  /** The token server, checked already. */
  readonly realm: URL;
  readonly service: string | undefined;
  /** What the token shall be good for: `repository:library/python:pull`. */
  readonly scope: string;
  readonly credentials: Credentials | undefined;
}

const CLIENT_ID = "boxer";
const MAX_ANSWER_BYTES = 1 << 20;
/** What a token is good for when the server does not say, and at least: by the specification. */
const DEFAULT_LIFETIME_SECS = 60;

const answerSchema = compileSchema(
  Type.Object({
    token: Type.Optional(Type.String()),
    access_token: Type.Optional(Type.String()),
    expires_in: Type.Optional(Type.Number()),
  }),
);

/**
 * Gets a token by the Docker registry token protocol (https://distribution.github.io/distribution/spec/auth/token/):
 * a GET, with the password if there is one, or the OAuth2 POST where there is an identity token.
 * @throws BoxerError `image_pull_failed` with the bare reason; TemporaryError
 */
export async function fetchToken(
  transport: Transport,
  request: TokenRequest,
  signal: AbortSignal,
): Promise<Token> {
  const answer = await transport.send(toHttpRequest(request, signal));
  if (answer.status !== 200) {
    throw await describeRefusal(answer, `token server ${answer.url.host}`, "image_pull_failed");
  }
  return readToken(answer);
}

function toHttpRequest(request: TokenRequest, signal: AbortSignal): HttpRequest {
  const { realm, service, scope, credentials } = request;
  const parameters = { ...(service === undefined ? {} : { service }), scope };
  const common = { headers: { accept: "application/json" }, signal };
  if (credentials?.kind === "identity_token") {
    const grant = { grant_type: "refresh_token", client_id: CLIENT_ID, refresh_token: credentials.token };
    const body = new URLSearchParams({ ...grant, ...parameters });
    return { ...common, method: "POST", url: realm, authorization: undefined, body };
  }
  const url = new URL(realm);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.append(name, value);
  return { ...common, method: "GET", url, authorization: credentials && basicAuthorization(credentials) };
}

async function readToken(answer: Answer): Promise<Token> {
  const fail = (): BoxerError =>
    new BoxerError("image_pull_failed", `token server ${answer.url.host} gave no token`);
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(await answer.bytes(MAX_ANSWER_BYTES)).toString("utf8"));
  } catch (error) {
    if (error instanceof SyntaxError) throw fail();
    throw error;
  }
  if (!answerSchema.fits(content)) throw fail();
  const value = content.token || content.access_token;
  // Only what may stand in a header: a token with a line break would be a header of the attacker's.
  if (!value || !/^[\x21-\x7e]+$/.test(value)) throw fail();
  return { value, lifetime_ms: 1000 * Math.max(content.expires_in ?? 0, DEFAULT_LIFETIME_SECS) };
}

/** The Authorization header of RFC 7617. */
export function basicAuthorization(credentials: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64")}`;
}
