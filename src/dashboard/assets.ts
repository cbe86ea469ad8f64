import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const publicDirectory = join(import.meta.dirname, "..", "..", "public");
const htmx = join(dirname(createRequire(import.meta.url).resolve("htmx.org/package.json")), "dist");

/**
 * Every file that can be fetched below /dashboard/assets. Only these names exist, so no path can lead out of them. The
 * scripts are one file: htmx starts in a task of its own, by then its extension and the listeners have to be there.
 */
const ASSETS: ReadonlyMap<string, { paths: readonly string[]; type: string }> = new Map([
  ["dashboard.css", { paths: [join(publicDirectory, "dashboard.css")], type: "text/css; charset=utf-8" }],
  [
    "dashboard.js",
    {
      paths: [
        join(htmx, "htmx.min.js"),
        join(htmx, "ext", "hx-sse.min.js"),
        join(publicDirectory, "dashboard.js"),
      ],
      type: "text/javascript; charset=utf-8",
    },
  ],
  ["icon.svg", { paths: [join(publicDirectory, "icon.svg")], type: "image/svg+xml" }],
]);

/** A file of the pages, or null when there is none of that name. */
export async function assetReply(name: string): Promise<Response | null> {
  const asset = ASSETS.get(name);
  if (!asset) return null;
  const parts = await Promise.all(asset.paths.map((path) => readFile(path, "utf8")));
  return new Response(parts.join("\n"), {
    headers: { "content-type": asset.type, "cache-control": "public, max-age=300" },
  });
}
