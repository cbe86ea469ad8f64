import { Elysia } from "elysia";
import Type from "typebox";
import type { Readiness } from "../run/readiness.ts";
import { answer, reboundRead } from "./detail.ts";

const Alive = Type.Object({ ok: Type.Literal(true) });
const Ready = Type.Object({
  ready: Type.Boolean(),
  reasons: Type.Array(Type.String(), { description: "Why not ready; empty when ready." }),
  notes: Type.Array(Type.String(), { description: "What an operator should know of it all the same." }),
  runsc_version: Type.Union([Type.String(), Type.Null()]),
  cgroup: Type.Object(
    {
      mode: Type.Enum(["v2", "v1", "hybrid", "none"]),
      unenforced: Type.Array(Type.String(), { description: "Limits that nothing enforces here, and why." }),
    },
    { description: "How the host holds runs to their limits." },
  ),
});

/** `GET /healthz` says that the process lives, `GET /readyz` whether it can serve runs. */
export function healthRoutes(options: { readiness(): Promise<Readiness> }) {
  return new Elysia({ name: "health" })
    .get("/healthz", () => ({ ok: true }), {
      detail: {
        summary: "Is the process alive?",
        tags: ["health"],
        responses: { 200: answer("It is.", Alive, { ok: true }), 403: reboundRead },
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
              notes: [],
              runsc_version: "runsc version release-20260101.0",
              cgroup: { mode: "v2", unenforced: [] },
            }),
            403: reboundRead,
            503: answer("Not ready, with the reasons.", Ready, {
              ready: false,
              reasons: ["runsc not found: install gVisor or set runsc_path"],
              notes: [],
              runsc_version: null,
              cgroup: { mode: "none", unenforced: ["memory_mb: no memory cgroup: ignore_cgroups is set"] },
            }),
          },
        },
      },
    );
}
