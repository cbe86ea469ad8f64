import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import type { Clock } from "../../../src/image/clock.ts";
import { parseReference } from "../../../src/image/reference.ts";
import { type RegistryOptions, RegistrySource } from "../../../src/image/registry/registry-source.ts";
import { platform } from "../../support/platform.ts";
import { TestClock } from "./test-clock.ts";
import { testLog } from "./test-log.ts";

/** A source with a clock of its own and the credentials of `auths`, if any. */
export function sourceOf(
  reference: string,
  options: { auths?: Record<string, object>; clock?: Clock } & Partial<RegistryOptions> = {},
): RegistrySource {
  const { auths, ...rest } = options;
  return new RegistrySource(parseReference(reference), {
    platform,
    env: auths ? { DOCKER_CONFIG: dockerConfig({ auths }) } : {},
    log: testLog().log,
    clock: new TestClock(),
    insecure_registries: [],
    registry_mirrors: {},
    timeouts: { head_ms: 60_000, idle_ms: 60_000 },
    ...rest,
  });
}

const configs = mkdtempSync(join(tmpdir(), "boxer-docker-config-"));
after(() => rmSync(configs, { recursive: true, force: true }));

/** A directory for DOCKER_CONFIG; removed after the tests of the file. */
function dockerConfig(content: object): string {
  const directory = mkdtempSync(join(configs, "x"));
  writeFileSync(join(directory, "config.json"), JSON.stringify(content));
  return directory;
}

export function basic(username: string, password: string): string {
  return Buffer.from(`${username}:${password}`).toString("base64");
}
