import type { Platform } from "../platform/platform.ts";
import { COMMAND_ENV, readBeginning } from "../platform/run-command.ts";

/**
 * Runs find(1), and gives what it writes as it comes, cut at the NULs. Stopping early ends it.
 * @param args from which the output is records that end with NUL (`-printf "…\\0"`)
 * @param onComplaint told what find could not read, or that it did not come to its end
 */
export async function* findRecords(
  platform: Pick<Platform, "spawn">,
  args: readonly string[],
  onComplaint: (stderr: string) => void,
): AsyncGenerator<Buffer> {
  const child = platform.spawn(["find", ...args], { env: COMMAND_ENV });
  const stderr = readBeginning(child.stderr);
  try {
    yield* splitAtNul(child.stdout);
    const complaint = await stderr;
    const { code, signal } = await child.exited;
    if (code !== 0) onComplaint(complaint || `find ended with ${signal ?? code}`);
  } finally {
    child.kill("SIGKILL");
    await child.exited;
    await stderr;
  }
}

async function* splitAtNul(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) {
    rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = rest.indexOf(0); end !== -1; end = rest.indexOf(0, start)) {
      yield rest.subarray(start, end);
      start = end + 1;
    }
    rest = rest.subarray(start);
  }
}
