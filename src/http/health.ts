import { Elysia } from "elysia";
import Type from "typebox";
import type { Readiness } from "../run/readiness.ts";
import { answer } from "./detail.ts";

const Alive = Type.Object({ ok: Type.Literal(true) });
const Ready = Type.Object({
  ready: Type.Boolean(),
  reasons: Type.Array(Type.String(), { description: "Why not ready; empty when ready." }),
  runsc_version: Type.Union([Type.String(), Type.Null()]),
});

/** `GET /healthz` says that the process lives, `GET /readyz` whether it can serve runs. */
export function healthRoutes(options: { readiness(): Promise<Readiness> }) {
  return new Elysia({ name: "health" })
    .get("/healthz", () => ({ ok: true }), {
      detail: {
        summary: "Is the process alive?",
        tags: ["health"],
        responses: { 200: answer("It is.", Alive, { ok: true }) },
      },
    })
    .get(
      "/readyz",
      async () => {
        const readiness = await options.readiness();
        return Response.json(readiness, { status: readiness.ready ? 200 : 503 });
      },
      {
        detail: {
          summary: "Can it serve runs?",
          tags: ["health"],
          responses: {
            200: answer("Ready.", Ready, {
              ready: true,
              reasons: [],
              runsc_version: "runsc version release-20260101.0",
            }),
            503: answer("Not ready, with the reasons.", Ready, {
              ready: false,
              reasons: ["runsc not found: install gVisor or set runsc_path"],
              runsc_version: null,
            }),
          },
        },
      },
    );
}
