import { readdir } from "node:fs/promises";
import { join, relative, resolve } from "node:path";

/** Directories of tests that only one runtime can run. */
const ONLY_FOR = { bun: "test/runtime/bun/", deno: "test/runtime/deno/" } as const;

/**
 * Files whose runs mean the same in sandboxes booted ahead, and so are tried in those as well. The others look at what a run
 * leaves or holds where some wait for others, or do without runs.
 */
export const WARM_FILES = [
  "admission",
  "bombs",
  "cgroups",
  "conformance",
  "files-archive",
  "files-kill",
  "image-trees",
  "image-user",
  "images-api",
  "import",
  "isolation",
  "openapi",
  "output-limits",
  "registry",
  "runs",
  "service-kill",
].map((name) => `./test/integration/${name}.test.ts`);

/**
 * The test files below `test/` for one runtime, as paths like `./test/core/x.test.ts`, sorted.
 *
 * @param filters paths of files or directories; when there are any, only what they name is returned
 */
export async function testFiles(runtime: "bun" | "deno", filters: readonly string[]): Promise<string[]> {
  const entries = await readdir("test", { recursive: true });
  const files = entries.map((entry) => join("test", entry)).filter((path) => path.endsWith(".test.ts"));
  const other = ONLY_FOR[runtime === "bun" ? "deno" : "bun"];
  const wanted = filters.map((filter) => relative("", resolve(filter)));
  return files
    .filter((path) => !path.startsWith(other))
    .filter(
      (path) =>
        wanted.length === 0 || wanted.some((filter) => path === filter || path.startsWith(`${filter}/`)),
    )
    .map((path) => `./${path}`)
    .sort();
}
