import { platform } from "../../test/support/platform.ts";
import type { Workload } from "./workloads.ts";

/**
 * Runs a command to its end, as Boxer does: with pipes that are read.
 * @throws Error when its exit code is not 0 or it does not say what the workload must say
 */
export async function runProgram(argv: readonly string[], workload: Workload): Promise<void> {
  const child = platform.spawn(argv, { env: { PATH: process.env.PATH ?? "" } });
  const [status, stdout, stderr] = await Promise.all([child.exited, read(child.stdout), read(child.stderr)]);
  if (status.code !== 0 || stdout.length !== workload.stdout_bytes) {
    const ended = `${JSON.stringify(status)}, ${stdout.length} bytes of stdout`;
    throw new Error(`${argv[0]} of "${workload.name}": ${ended}, ${stderr.toString()}`);
  }
}

async function read(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
