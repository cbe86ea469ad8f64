import { openapi } from "@elysiajs/openapi";
import { Elysia } from "elysia";
import packageJson from "../../package.json" with { type: "json" };
import { readPage } from "./assets.ts";
import type { WireSchema } from "./wire-schema.ts";

/** `GET /swagger` shows Swagger UI of the document at `GET /swagger/json` (OpenAPI 3.1), without any other host. */
export function swaggerRoutes() {
  return new Elysia({ name: "swagger" })
    .use(
      openapi({
        path: "/swagger",
        provider: null,
        mapJsonSchema: { typebox: ({ schema }: WireSchema<unknown>) => schema },
        documentation: {
          info: {
            title: "Boxer",
            version: packageJson.version,
            description: packageJson.description,
            license: { name: "Apache-2.0", identifier: "Apache-2.0" },
          },
          tags: [
            { name: "run", description: "Run commands in sandboxes." },
            { name: "files", description: "Files for runs, and files that runs left." },
            { name: "images", description: "Images: here, on their way, and gone." },
            { name: "health", description: "For load balancers and operators." },
          ],
        },
      }),
    )
    .get(
      "/swagger",
      async () =>
        new Response(await readPage("swagger.html"), {
          headers: { "content-type": "text/html; charset=utf-8" },
        }),
      { detail: { hide: true } },
    );
}
