import { Elysia } from "elysia";
import Type from "typebox";
import type { Readiness } from "../run/readiness.ts";
import type { WarmPoolStats } from "../sandbox/warm-pool/types.ts";
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
  network_sandbox: Type.Object(
    {
      available: Type.Boolean(),
      reason: Type.Union([Type.String(), Type.Null()], { description: "Why not; null where they can." }),
    },
    { description: "Whether runs can have a network of their own." },
  ),
  warm_pool: Type.Object(
    {
      ready: Type.Integer({ description: "Sandboxes that wait." }),
      booting: Type.Integer(),
      memory_mb: Type.Integer({ description: "What the pool counts for." }),
      hits: Type.Integer({ description: "Runs that got one, since the start." }),
      misses: Type.Integer({ description: "Runs for which there was none." }),
      failed: Type.Integer({
        description: "Boots that failed, and sandboxes that were gone before a run came.",
      }),
      discarded: Type.Integer({ description: "Sandboxes that were booted and that no run ever had." }),
    },
    { description: "Sandboxes that have been booted ahead." },
  ),
});

const EMPTY_POOL = { ready: 0, booting: 0, memory_mb: 0, hits: 0, misses: 0, failed: 0, discarded: 0 };

/** `GET /healthz` says that the process lives, `GET /readyz` whether it can serve runs. */
export function healthRoutes(options: { readiness(): Promise<Readiness>; warmPool(): WarmPoolStats }) {
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
        return Response.json(
          { ...readiness, warm_pool: options.warmPool() },
          { status: readiness.ready ? 200 : 503 },
        );
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
              network_sandbox: { available: true, reason: null },
              warm_pool: { ...EMPTY_POOL, ready: 3, memory_mb: 96, hits: 120, misses: 4 },
            }),
            403: reboundRead,
            503: answer("Not ready, with the reasons.", Ready, {
              ready: false,
              reasons: ["runsc not found: install gVisor or set runsc_path"],
              notes: [],
              runsc_version: null,
              cgroup: { mode: "none", unenforced: ["memory_mb: no memory cgroup: ignore_cgroups is set"] },
              network_sandbox: { available: false, reason: "the server lacks CAP_NET_ADMIN" },
              warm_pool: EMPTY_POOL,
            }),
          },
        },
      },
    );
}
