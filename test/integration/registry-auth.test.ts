import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { busyboxLayout, noRegistry, startRegistry, type TestRegistry } from "../support/fixtures.ts";
import { startTestService, type TestService } from "../support/service.ts";
import { startTokenServer, type TokenServer } from "../support/token-server.ts";

const GOOD = "user:secret";
/** The same in bcrypt, as `htpasswd -B` writes it. */
const HTPASSWD = "user:$2b$04$H3fOmDdWHrFmprNDoSylsel0kmrmYUge4tTAViBnxGkdwWPw9y3/2\n";

let work = "";
let service: TestService;
const dockerConfig = process.env.DOCKER_CONFIG;
before(async () => {
  work = await mkdtemp(join(tmpdir(), "boxer-auth-"));
  // What the service's own environment says counts, as for the tools of Docker.
  process.env.DOCKER_CONFIG = work;
  service = await startTestService();
});
after(async () => {
  await service?.stop();
  if (dockerConfig === undefined) delete process.env.DOCKER_CONFIG;
  else process.env.DOCKER_CONFIG = dockerConfig;
  await rm(work, { recursive: true, force: true });
});

/** Runs an image with these credentials for its registry in the file that `docker login` writes. */
async function runWith(credentials: string | undefined, host: string) {
  const auth = credentials && Buffer.from(credentials).toString("base64");
  await writeFile(join(work, "config.json"), JSON.stringify({ auths: auth ? { [host]: { auth } } : {} }));
  const { status, body } = await service.run({ image: `${host}/some/private:1`, cmd: ["echo", "in"] });
  return { status, said: body.stdout ?? body.error, code: body.code };
}

describe("a registry that asks for a password", { skip: noRegistry }, () => {
  let registry: TestRegistry;
  before(async () => {
    const path = join(work, "htpasswd");
    await writeFile(path, HTPASSWD);
    registry = await startRegistry({ htpasswd: { realm: "test", path } }, GOOD);
    await registry.push(busyboxLayout, "some/private:1");
  });
  after(() => registry?.stop());

  for (const [what, credentials] of [
    ["without one", undefined],
    ["with a wrong one", "user:guess"],
  ] as const) {
    it(`gives nothing ${what}, and says so`, async () => {
      const { status, said, code } = await runWith(credentials, registry.host);
      assert.deepEqual([status, code], [500, "image_pull_failed"], said);
      assert.match(said, /registry answered 401 UNAUTHORIZED: authentication required/);
    });
  }

  it("gives the image with the right one", async () => {
    assert.deepEqual(await runWith(GOOD, registry.host), { status: 200, said: "in\n", code: undefined });
  });
});

describe("a registry that asks for a token", { skip: noRegistry }, () => {
  let registry: TestRegistry;
  let tokens: TokenServer;
  before(async () => {
    tokens = await startTokenServer(GOOD, join(work, "certificate.pem"));
    registry = await startRegistry(tokens.auth, GOOD);
    await registry.push(busyboxLayout, "some/private:1");
    tokens.seen.length = 0;
  });
  after(async () => {
    await registry?.stop();
    await tokens?.stop();
  });

  it("gives nothing with the token that anybody gets", async () => {
    const { status, said, code } = await runWith(undefined, registry.host);
    assert.deepEqual([status, code], [500, "image_pull_failed"], said);
    assert.match(said, /registry answered 401 UNAUTHORIZED: authentication required/);
    assert.ok(tokens.seen.length > 0 && tokens.seen.every(({ user }) => user === undefined));
  });

  it("gives nothing when its token server refuses the password", async () => {
    const { status, said, code } = await runWith("user:guess", registry.host);
    assert.deepEqual([status, code], [500, "image_pull_failed"], said);
    assert.match(said, /token server 127\.0\.0\.1:\d+ answered 401 UNAUTHORIZED: wrong password/);
  });

  it("gives the image with a token for the right password, which is good for that alone", async () => {
    tokens.seen.length = 0;
    assert.deepEqual(await runWith(GOOD, registry.host), { status: 200, said: "in\n", code: undefined });
    assert.deepEqual(tokens.seen, [{ scope: "repository:some/private:pull", user: "user", isLetIn: true }]);
  });
});
