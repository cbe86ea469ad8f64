import type { Logger } from "pino";
import { BoxerError, messageOf } from "../core/errors.ts";
import type { Connection } from "../platform/platform.ts";
import { isSameOrigin } from "./access/check-origin.ts";
import { type DashboardAuth, isSame } from "./access/dashboard-auth.ts";
import * as actions from "./actions.ts";
import { assetReply } from "./assets.ts";
import type { Context } from "./context.ts";
import type { DashboardSource } from "./dashboard-data.ts";
import { signalStream } from "./live/signal-stream.ts";
import * as pages from "./pages.ts";
import { readForm } from "./read-form.ts";
import { htmlReply, seeOther } from "./reply.ts";
import { forged, logIn, refusal } from "./sessions.ts";
import { messagePage } from "./views/page.ts";

/** What the dashboard stands on. */
export interface DashboardParts {
  readonly source: DashboardSource;
  readonly auth: DashboardAuth;
  /** Most bytes of a form. */
  readonly request_limit_bytes: number;
  /** Who asks: wrong secrets make the client wait. */
  readonly clientOf: (request: Request, connection: Connection) => string;
  readonly log: Logger;
}

/** Answers the requests of the dashboard; undefined for those that are not its own. */
export type DashboardHandler = (request: Request, connection: Connection) => Promise<Response | undefined>;

type Route = readonly ["GET" | "POST", RegExp, (context: Context) => Response | Promise<Response>];

/** The group of a pattern, if any, is the context's `id`. */
const ROUTES: readonly Route[] = [
  ["GET", /^\/dashboard$/, (context) => pages.overviewPage(context)],
  ["GET", /^\/dashboard\/runs$/, pages.runsPage],
  ["GET", /^\/dashboard\/runs\/([^/]+)$/, pages.runPage],
  ["GET", /^\/dashboard\/images$/, (context) => pages.imagesPage(context)],
  ["GET", /^\/dashboard\/try$/, (context) => pages.tryFormPage(context)],
  ["GET", /^\/dashboard\/try\/([^/]+)$/, pages.tryRunPage],
  ["GET", /^\/dashboard\/fragments\/try\/([^/]+)$/, pages.tryFragment],
  ["GET", /^\/dashboard\/fragments\/([^/]+)$/, pages.fragment],
  ["GET", /^\/dashboard\/events$/, events],
  ["POST", /^\/dashboard\/runs\/([^/]+)\/stop$/, actions.stopRun],
  ["POST", /^\/dashboard\/images\/pull$/, actions.pullImage],
  ["POST", /^\/dashboard\/images\/remove$/, actions.removeImage],
  ["POST", /^\/dashboard\/images\/prune$/, actions.pruneImages],
  ["POST", /^\/dashboard\/try$/, actions.startTry],
  ["POST", /^\/dashboard\/try\/curl$/, actions.showCurl],
  ["POST", /^\/dashboard\/try\/([^/]+)\/stop$/, actions.stopTry],
  [
    "POST",
    /^\/dashboard\/logout$/,
    ({ auth }) => seeOther("/dashboard", { "set-cookie": auth.endedSession() }),
  ],
];

/** Makes the dashboard: `/`, `/dashboard` and everything below. */
export function createDashboard(parts: DashboardParts): DashboardHandler {
  const { auth, log } = parts;
  return async (request, connection) => {
    const url = new URL(request.url);
    if (url.pathname === "/") {
      const isShown = request.method === "GET" && auth.isHere(request.headers);
      return isShown ? seeOther("/dashboard") : undefined;
    }
    if (url.pathname !== "/dashboard" && !url.pathname.startsWith("/dashboard/")) return undefined;
    try {
      return await answer(parts, request, url, connection);
    } catch (error) {
      if (!(error instanceof BoxerError))
        log.error({ err: error }, `The dashboard failed: ${messageOf(error)}`);
      const status = !(error instanceof BoxerError) ? 500 : error.code === "payload_too_large" ? 413 : 400;
      const reason = error instanceof BoxerError ? error.message : "The reason is in the log of the server.";
      return htmlReply(messagePage("That did not work", reason), status);
    }
  };
}

async function answer(
  { source, auth, request_limit_bytes, clientOf }: DashboardParts,
  request: Request,
  url: URL,
  connection: Connection,
): Promise<Response> {
  const asset = /^\/dashboard\/assets\/([^/]+)$/.exec(url.pathname)?.[1];
  const found = asset && request.method === "GET" ? await assetReply(asset) : null;
  if (found) return found;
  const client = clientOf(request, connection);
  const isLogin = url.pathname === "/dashboard/login" && auth.hasLogin;
  if (isLogin && request.method === "POST") return logIn(request, auth, client);
  const refused = refusal(request, auth, client);
  if (refused) return refused;
  if (isLogin) return seeOther("/dashboard");

  const context = { request, url, id: "", source, auth, form: new FormData(), now_ms: Date.now() };
  for (const [wanted, pattern, handle] of ROUTES) {
    const match = pattern.exec(url.pathname);
    if (!match || wanted !== request.method) continue;
    const id = decoded(match[1] ?? "");
    if (wanted === "GET") {
      if (handle === events) connection.keepAlive();
      return handle({ ...context, id });
    }
    if (!isSameOrigin(request.headers)) return forged();
    const form = await readForm(request, request_limit_bytes);
    const token = form.get("csrf");
    if (typeof token !== "string" || !isSame(token, auth.csrf)) return forged();
    return handle({ ...context, id, form, now_ms: Date.now() });
  }
  return pages.notFound(context);
}

function events({ source, request }: Context): Response {
  return signalStream((listener, ended) => source.subscribe(listener, ended), { signal: request.signal });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
