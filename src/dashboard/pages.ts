import { BoxerError, messageOf } from "../core/errors.ts";
import type { Context } from "./context.ts";
import type { Html } from "./html.ts";
import { buildPanel, PANELS, type PanelName, type PanelWish } from "./panels.ts";
import { htmlReply } from "./reply.ts";
import { toCurl } from "./try/to-curl.ts";
import { EMPTY_FORM, type SentFile, type TryForm, toRunBody } from "./try/try-form.ts";
import { overview } from "./views/overview.ts";
import { messagePage, type PageOptions, page } from "./views/page.ts";
import { activeDetails, runDetails } from "./views/run-page.ts";
import { tryPage } from "./views/try-page.ts";
import { tryResult } from "./views/try-result.ts";

/** `GET /dashboard`; also what a form gets that went wrong without JavaScript. */
export async function overviewPage(
  context: Context,
  wishes: Partial<Record<PanelName, PanelWish>> = {},
  status = 200,
): Promise<Response> {
  const build = (name: PanelName) => buildPanel(name, context, wishes[name]);
  const [active, resources, images, runs, health] = await Promise.all([
    build("active"),
    build("resources"),
    build("images"),
    build("runs"),
    build("health"),
  ]);
  const content = overview({ active, resources, images, runs, health });
  return live(context, { title: "Overview", section: "/dashboard" }, content, status);
}

/** `GET /dashboard/runs`. */
export async function runsPage(context: Context): Promise<Response> {
  const panel = await buildPanel("runs", context, { isWhole: true });
  return live(context, { title: "Runs", section: "/dashboard/runs" }, panel);
}

/** `GET /dashboard/images`. */
export async function imagesPage(context: Context, alert?: string, status = 200): Promise<Response> {
  const panel = await buildPanel("images", context, { isWhole: true, alert });
  return live(context, { title: "Images", section: "/dashboard/images" }, panel, status);
}

/** `GET /dashboard/fragments/{panel}`. */
export async function fragment(context: Context): Promise<Response> {
  const name = PANELS.find((each) => each === context.id);
  if (!name) return notFound(context);
  const { searchParams } = context.url;
  return htmlReply(
    await buildPanel(name, context, { isWhole: searchParams.has("all") || searchParams.has("paged") }),
  );
}

/** `GET /dashboard/runs/{exec_id}`. */
export function runPage(context: Context): Response {
  const { source, id, now_ms } = context;
  const record = source.record(id);
  const active = record ? undefined : source.activeRuns().find(({ exec_id }) => exec_id === id);
  if (!record && !active) {
    return htmlReply(
      messagePage("There is no such run", "Its record may have gone by its age, or it never was."),
      404,
    );
  }
  const content = record
    ? runDetails(record, now_ms)
    : activeDetails(active as NonNullable<typeof active>, now_ms);
  return still(context, { title: `Run ${id}`, section: "/dashboard/runs" }, content);
}

/** `GET /dashboard/try`, and what a form gets that cannot be read. */
export function tryFormPage(
  context: Context,
  form: TryForm = EMPTY_FORM,
  alert?: string,
  curl?: string,
): Response {
  const { source, auth } = context;
  const images = source
    .images()
    .images.flatMap((image) => image.references.map(({ reference }) => reference));
  const content = tryPage({
    form,
    images,
    csrf: auth.csrf,
    alert,
    curl: curl ?? curlOf(context, form, []).curl,
    result: null,
  });
  return live(context, { title: "Try it", section: "/dashboard/try" }, content, alert ? 400 : 200);
}

/** `GET /dashboard/try/{id}`: for browsers without JavaScript, and for links. */
export function tryRunPage(context: Context): Response {
  const { source, id, now_ms, auth } = context;
  const run = source.findTry(id);
  if (!run) return htmlReply(messagePage("There is no such run", "It was forgotten, or never was."), 404);
  const result = tryResult(run, now_ms, auth.csrf);
  const refresh_secs = run.outcome === null ? 2 : undefined;
  return live(context, { title: "Try it", section: "/dashboard/try", refresh_secs }, result);
}

/** `GET /dashboard/fragments/try/{id}`. */
export function tryFragment(context: Context): Response {
  const run = context.source.findTry(context.id);
  if (!run) return notFound(context);
  return htmlReply(tryResult(run, context.now_ms, context.auth.csrf));
}

/** The command of a form, or why there is none. */
export function curlOf(
  { request, url }: Context,
  form: TryForm,
  sent: readonly SentFile[],
): { curl: string | null; alert?: string } {
  try {
    return { curl: toCurl(toRunBody(form, sent), originOf(request, url)) };
  } catch (error) {
    if (!(error instanceof BoxerError)) throw error;
    return { curl: null, alert: messageOf(error) };
  }
}

/** Where the browser reaches this server. */
function originOf(request: Request, url: URL): string {
  const scheme = request.headers.get("x-forwarded-proto") === "https" ? "https" : "http";
  return `${scheme}://${request.headers.get("host") ?? url.host}`;
}

/** There is no such page. */
export function notFound(_context: Context): Response {
  return htmlReply(messagePage("There is no such page", "Look at the overview."), 404);
}

function live(context: Context, options: PageOptions, content: Html, status = 200): Response {
  return still(context, { ...options, isLive: true }, content, status);
}

function still({ auth }: Context, options: PageOptions, content: Html, status = 200): Response {
  const logout = auth.hasLogin ? auth.csrf : undefined;
  return htmlReply(page({ ...options, logout }, content), status);
}
