import assert from "node:assert/strict";
import { test } from "node:test";
import { findDockerSocket } from "../../../src/image/daemon/find-docker-socket.ts";

const cases: [
  what: string,
  configured: string | null | undefined,
  host: string | undefined,
  found: string | null,
][] = [
  ["a socket that is configured", "/run/mine.sock", "unix:///run/other.sock", "/run/mine.sock"],
  ["none when that is configured", null, "unix:///run/other.sock", null],
  ["that of DOCKER_HOST", undefined, "unix:///run/other.sock", "/run/other.sock"],
  ["none when DOCKER_HOST is of another kind", undefined, "tcp://127.0.0.1:2375", null],
  ["none when DOCKER_HOST has no absolute path", undefined, "unix://run/other.sock", null],
];
for (const [what, configured, host, found] of cases) {
  test(`the daemon's socket is ${what}`, async () => {
    assert.equal(await findDockerSocket(configured, host === undefined ? {} : { DOCKER_HOST: host }), found);
  });
}
