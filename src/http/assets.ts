import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Elysia } from "elysia";

const publicDirectory = join(import.meta.dirname, "..", "..", "public");
const swaggerUi = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));

/** Every file that can be fetched below /assets. Only these names exist, so no path can lead out of them. */
const ASSETS: Readonly<Record<string, { directory: string; type: string }>> = {
  "icon.svg": { directory: publicDirectory, type: "image/svg+xml" },
  "swagger.css": { directory: publicDirectory, type: "text/css; charset=utf-8" },
  "swagger.js": { directory: publicDirectory, type: "text/javascript; charset=utf-8" },
  "swagger-ui.css": { directory: swaggerUi, type: "text/css; charset=utf-8" },
  "swagger-ui-bundle.js": { directory: swaggerUi, type: "text/javascript; charset=utf-8" },
};

/** The pages' own scripts and styles. */
export function assetRoutes() {
  const routes = new Elysia({ name: "assets" });
  for (const [name, { directory, type }] of Object.entries(ASSETS)) {
    routes.get(
      `/assets/${name}`,
      async () =>
        new Response(await readFile(join(directory, name)), {
          headers: { "content-type": type, "cache-control": "public, max-age=3600" },
        }),
      { detail: { hide: true } },
    );
  }
  return routes;
}

/** Reads a page from the public directory. */
export function readPage(name: string): Promise<string> {
  return readFile(join(publicDirectory, name), "utf8");
}
