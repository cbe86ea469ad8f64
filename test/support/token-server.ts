import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

const SERVICE = "test registry";
const ISSUER = "test token server";
const LIFETIME_SECS = 300;

/**
 * A token server as of https://distribution.github.io/distribution/spec/auth/jwt/, which gives anybody a token, and
 * the one who has the right password a token with which he can do all that he asks for.
 */
export interface TokenServer {
  /** For the configuration of the registry that trusts it. */
  readonly auth: object;
  /** The scopes that were asked for, with the user who did and whether he was let in. */
  readonly seen: { scope: string; user: string | undefined; isLetIn: boolean }[];
  stop(): Promise<void>;
}

/**
 * @param credentials `user:password`
 * @param certificate path of a file to write the registry's `rootcertbundle` to
 */
export async function startTokenServer(credentials: string, certificate: string): Promise<TokenServer> {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await writeFile(certificate, certificateOf(publicKey, privateKey));
  const seen: TokenServer["seen"] = [];
  const server = createServer((request, response) => {
    const scope = new URL(request.url ?? "", "http://localhost").searchParams.get("scope") ?? "";
    const given = credentialsOf(request);
    const isLetIn = given === credentials;
    seen.push({ scope, user: given?.split(":")[0], isLetIn });
    response.setHeader("content-type", "application/json");
    if (given !== undefined && !isLetIn) {
      response.writeHead(401).end('{"errors":[{"code":"UNAUTHORIZED","message":"wrong password"}]}');
      return;
    }
    const token = tokenFor(isLetIn ? scope : "", publicKey, privateKey);
    response.end(JSON.stringify({ token, expires_in: LIFETIME_SECS }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const realm = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
  return {
    auth: { token: { realm, service: SERVICE, issuer: ISSUER, rootcertbundle: certificate } },
    seen,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function credentialsOf({ headers }: IncomingMessage): string | undefined {
  const [, encoded] = /^Basic (.+)$/.exec(headers.authorization ?? "") ?? [];
  return encoded === undefined ? undefined : Buffer.from(encoded, "base64").toString("utf8");
}

/** A JSON Web Token (RFC 7519) for `repository:NAME:ACTION,ACTION`. */
function tokenFor(scope: string, publicKey: KeyObject, privateKey: KeyObject): string {
  const [type, name, actions] = scope.split(":");
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: ISSUER,
    aud: SERVICE,
    sub: "user",
    iat: now,
    nbf: now - 10,
    exp: now + LIFETIME_SECS,
    jti: randomUUID(),
    access: actions ? [{ type, name, actions: actions.split(",") }] : [],
  };
  const header = { typ: "JWT", alg: "RS256", kid: keyId(publicKey) };
  const signed = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  return `${signed}.${sign("sha256", Buffer.from(signed), privateKey).toString("base64url")}`;
}

/** The name by which the registry knows a key: the first 240 bits of its SHA-256 in base 32, in groups of four. */
function keyId(publicKey: KeyObject): string {
  const hash = createHash("sha256").update(spkiOf(publicKey)).digest();
  const bits = Array.from(hash.subarray(0, 30), (byte) => byte.toString(2).padStart(8, "0")).join("");
  const letters = bits.match(/.{5}/g) ?? [];
  const text = letters.map((five) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[Number.parseInt(five, 2)]).join("");
  return (text.match(/.{4}/g) ?? []).join(":");
}

function spkiOf(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: "spki", format: "der" });
}

/** A self-signed X.509 certificate (RFC 5280) of nobody, valid until the end of 2049, as PEM. */
function certificateOf(publicKey: KeyObject, privateKey: KeyObject): string {
  const SHA256_WITH_RSA = der(0x30, der(0x06, Buffer.from("2a864886f70d01010b", "hex")), der(0x05));
  const nobody = der(0x30);
  const time = (text: string): Buffer => der(0x17, Buffer.from(text));
  const validity = der(0x30, time("200101000000Z"), time("491231235959Z"));
  const serial = der(0x02, Buffer.of(1));
  const content = der(0x30, serial, SHA256_WITH_RSA, nobody, validity, nobody, spkiOf(publicKey));
  const signature = der(0x03, Buffer.of(0), sign("sha256", content, privateKey));
  const base64 = der(0x30, content, SHA256_WITH_RSA, signature).toString("base64");
  return `-----BEGIN CERTIFICATE-----\n${base64.match(/.{1,64}/g)?.join("\n")}\n-----END CERTIFICATE-----\n`;
}

/** One element of ASN.1's distinguished encoding (X.690). */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const length = body.length < 128 ? [body.length] : [0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}
