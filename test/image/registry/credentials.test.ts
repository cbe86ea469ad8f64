import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { findCredentials } from "../../../src/image/registry/credentials.ts";
import { platform } from "../../support/platform.ts";
import { testLog } from "../support/test-log.ts";

const HUB = "https://index.docker.io/v1/";
const basic = (text: string) => Buffer.from(text).toString("base64");
let directory = "";
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "boxer-credentials-"));
});
after(() => rm(directory, { recursive: true, force: true }));

async function find(host: string, content: unknown) {
  const { log, lines } = testLog();
  const text = typeof content === "string" ? content : JSON.stringify(content);
  await writeFile(join(directory, "config.json"), text);
  const credentials = await findCredentials(host, { platform, log, env: { DOCKER_CONFIG: directory } });
  return { credentials, lines };
}

describe("the credential file is read as docker reads it", () => {
  const password = (username: string, secret: string) => ({ kind: "password", username, password: secret });
  const cases: [name: string, host: string, content: unknown, expected: unknown][] = [
    [
      "by host",
      "r.example:5000",
      { auths: { "r.example:5000": { auth: basic("u:p") } } },
      password("u", "p"),
    ],
    [
      "another port is another host",
      "r.example",
      { auths: { "r.example:5000": { auth: basic("u:p") } } },
      undefined,
    ],
    [
      "a password with colons",
      "r.example",
      { auths: { "r.example": { auth: basic("u:p:q") } } },
      password("u", "p:q"),
    ],
    [
      "by an address from older times",
      "r.example",
      { auths: { "https://r.example/v1/": { auth: basic("u:p") } } },
      password("u", "p"),
    ],
    [
      "Docker Hub by its old address",
      "registry-1.docker.io",
      { auths: { [HUB]: { auth: basic("u:p") } } },
      password("u", "p"),
    ],
    [
      "Docker Hub by name",
      "registry-1.docker.io",
      { auths: { "docker.io": { auth: basic("u:p") } } },
      password("u", "p"),
    ],
    [
      "a host that only ends so",
      "r.example",
      { auths: { "evil-r.example": { auth: basic("u:p") } } },
      undefined,
    ],
    [
      "a mirror does not have Docker Hub's",
      "mirror.example",
      { auths: { [HUB]: { auth: basic("u:p") } } },
      undefined,
    ],
    [
      "in the clear",
      "r.example",
      { auths: { "r.example": { username: "u", password: "p" } } },
      password("u", "p"),
    ],
    [
      "an identity token goes before",
      "r.example",
      { auths: { "r.example": { auth: basic("u:p"), identitytoken: "t" } } },
      { kind: "identity_token", token: "t" },
    ],
    ["not base64 of user and password", "r.example", { auths: { "r.example": { auth: "!!" } } }, undefined],
    ["an entry of docker login with a helper", "r.example", { auths: { "r.example": {} } }, undefined],
    ["no entries", "r.example", {}, undefined],
  ];
  for (const [name, host, content, expected] of cases) {
    test(name, async () => assert.deepEqual((await find(host, content)).credentials, expected));
  }
});

for (const content of ['{"auths": {"r.example": {"auth": 5}}}', '{"secret": hunter2', "[]"]) {
  test(`a damaged file counts as none, and the log does not quote it: ${content}`, async () => {
    const { credentials, lines } = await find("r.example", content);
    assert.equal(credentials, undefined);
    assert.equal(lines[0]?.msg, "ignoring the credential file");
    assert.doesNotMatch(JSON.stringify(lines), /hunter2/);
  });
}

test("without a file, and without a home, there are no credentials and no complaints", async () => {
  const { log, lines } = testLog();
  for (const env of [
    {},
    { HOME: join(directory, "nowhere") },
    { DOCKER_CONFIG: join(directory, "nowhere") },
  ]) {
    assert.equal(await findCredentials("r.example", { platform, log, env }), undefined);
  }
  assert.deepEqual(lines, []);
});

test("the file is below the home directory unless DOCKER_CONFIG says otherwise", async () => {
  const { log } = testLog();
  await mkdir(join(directory, ".docker"), { recursive: true });
  await writeFile(
    join(directory, ".docker/config.json"),
    JSON.stringify({ auths: { r: { auth: basic("home:p") } } }),
  );
  const credentials = await findCredentials("r", { platform, log, env: { HOME: directory } });
  assert.deepEqual(credentials, { kind: "password", username: "home", password: "p" });
});

describe("credential helpers", () => {
  let env: Record<string, string> = {};
  before(async () => {
    env = { DOCKER_CONFIG: directory, PATH: `${directory}:${process.env.PATH}` };
    const helper = async (name: string, script: string) => {
      const path = join(directory, `docker-credential-${name}`);
      await writeFile(path, `#!/bin/sh\nread server || true\n${script}\n`);
      await chmod(path, 0o755);
    };
    await helper("echo", `printf '{"ServerURL":"%s","Username":"%s","Secret":"s"}' "$server" "$1:$server"`);
    await helper("token", `printf '{"Username":"<token>","Secret":"s"}'`);
    await helper("none", "echo credentials not found in native keychain; exit 1");
    await helper("broken", "echo secret thing went wrong; exit 3");
    await helper("garbage", "echo not json with a hunter2");
  });
  const ask = async (host: string, content: object) => {
    await writeFile(join(directory, "config.json"), JSON.stringify(content));
    return await findCredentials(host, { platform, log: testLog().log, env });
  };

  test("the helper of the registry is told its name on stdin", async () => {
    const content = { credHelpers: { "r.example": "echo" }, credsStore: "broken" };
    assert.deepEqual(await ask("r.example", content), {
      kind: "password",
      username: "get:r.example",
      password: "s",
    });
  });
  test("the default helper serves the others, and knows Docker Hub by its old address", async () => {
    const content = { credHelpers: { "r.example": "broken" }, credsStore: "echo" };
    assert.deepEqual(await ask("registry-1.docker.io", content), {
      kind: "password",
      username: `get:${HUB}`,
      password: "s",
    });
  });
  test("a helper hands out identity tokens under a name of their own", async () => {
    assert.deepEqual(await ask("r.example", { credsStore: "token" }), { kind: "identity_token", token: "s" });
  });
  test("a helper that has none is no fault", async () => {
    assert.equal(await ask("r.example", { credsStore: "none" }), undefined);
  });
  const failures: [helper: string, message: RegExp][] = [
    ["broken", /^credential helper broken failed: secret thing went wrong$/],
    ["garbage", /^credential helper garbage failed: its answer is not what the protocol asks for$/],
    ["absent", /^credential helper absent failed: /],
    ["../../bin/sh", /its name is not a plain word/],
    ["-x", /its name is not a plain word/],
  ];
  for (const [helper, message] of failures) {
    test(`a helper that fails is a failure: ${helper}`, async () => {
      await assert.rejects(ask("r.example", { credsStore: helper }), { code: "image_pull_failed", message });
    });
  }
});
