import { Elysia } from "elysia";
import type { Logger } from "pino";
import type { Config } from "../config/config.ts";
import type { EventLoopDelay } from "../core/event-loop-delay.ts";
import type { FileStore } from "../files/file-store.ts";
import type { ImageStore } from "../image/types.ts";
import type { Connection } from "../platform/platform.ts";
import type { Readiness } from "../run/readiness.ts";
import type { RunRecords } from "../run/records/run-records.ts";
import type { RunTotals } from "../run/run-totals.ts";
import type { Runner } from "../run/runner.ts";
import type { WarmPoolStats } from "../sandbox/warm-pool/types.ts";
import { assetRoutes } from "./assets.ts";
import { errorPlugin } from "./errors.ts";
import { filesRoutes } from "./files.ts";
import { guard } from "./guard.ts";
import { healthRoutes } from "./health.ts";
import { imageRoutes } from "./images.ts";
import { imageImportRoutes } from "./images-import.ts";
import { metricsRoutes } from "./metrics.ts";
import { runRoutes } from "./run.ts";
import { runsRoutes } from "./runs.ts";
import { swaggerRoutes } from "./swagger.ts";

/** What the routes stand on. */
export interface AppParts {
  readonly runner: Runner;
  readonly records: RunRecords;
  readonly totals: RunTotals;
  readonly files: FileStore;
  readonly images: ImageStore;
  readonly readiness: () => Promise<Readiness>;
  /** What is ready for runs to come. */
  readonly warmPool: () => WarmPoolStats;
  /** Is told of every request. */
  readonly eventLoop: Pick<EventLoopDelay, "take" | "wake">;
  readonly config: Pick<
    Config,
    | "listen"
    | "dashboard"
    | "request_limit_bytes"
    | "upload_limit_bytes"
    | "image_archive_limit_bytes"
    | "client_header"
    | "defaults"
  >;
  readonly log: Logger;
  /** Answers what is its own before the routes are asked; undefined for the rest. */
  readonly dashboard?: (request: Request, connection: Connection) => Promise<Response | undefined>;
}

/** Answers HTTP requests. */
export type Handler = (request: Request, connection: Connection) => Promise<Response>;

/** The whole HTTP interface as one function. */
export function createHandler(parts: AppParts): Handler {
  const { runner, records, files, images, readiness, totals, warmPool, eventLoop, config, log, dashboard } =
    parts;
  const app = new Elysia({ name: "boxer" })
    .use(errorPlugin(log))
    .use(swaggerRoutes())
    .use(assetRoutes())
    .use(healthRoutes({ readiness, warmPool }))
    .use(metricsRoutes({ runner, totals, warmPool, images, eventLoop }))
    .use(runRoutes({ runner, ...config }))
    .use(runsRoutes({ runner, records, defaults: config.defaults }))
    .use(filesRoutes({ store: files, upload_limit_bytes: config.upload_limit_bytes }))
    .use(imageRoutes({ images, request_limit_bytes: config.request_limit_bytes }))
    .use(imageImportRoutes({ images, image_archive_limit_bytes: config.image_archive_limit_bytes }))
    .get("/", () => Response.redirect("/swagger"), { detail: { hide: true } });
  return guard(async (request, connection) => {
    eventLoop.wake();
    return (await dashboard?.(request, connection)) ?? app.handle(request);
  }, config);
}
