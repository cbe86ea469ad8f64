import { BoxerError, messageOf } from "../core/errors.ts";
import type { Context } from "./context.ts";
import { curlOf, imagesPage, overviewPage, tryFormPage, tryRunPage } from "./pages.ts";
import { buildPanel } from "./panels.ts";
import { htmlReply, isFragment, seeOther } from "./reply.ts";
import { readTryForm, type SentFile, toRunBody, toRunRequest } from "./try/try-form.ts";
import { curlPanel, emptyResult } from "./views/try-page.ts";
import { tryResult } from "./views/try-result.ts";

/** `POST /dashboard/runs/{exec_id}/stop`. */
export async function stopRun(context: Context): Promise<Response> {
  const isStopped = context.source.stopRun(context.id);
  const alert = isStopped ? undefined : "That run has ended already.";
  if (isFragment(context.request)) return htmlReply(await buildPanel("active", context, { alert }));
  return isStopped ? seeOther("/dashboard#active") : overviewPage(context, { active: { alert } }, 409);
}

/** `POST /dashboard/images/pull`. */
export function pullImage(context: Context): Promise<Response> {
  return changeImages(context, async () => {
    const reference = textOf(context, "image").trim();
    if (!reference) throw new BoxerError("invalid_request", "An image is needed", { field: "image" });
    await context.source.pullImage(reference);
  });
}

/** `POST /dashboard/images/remove`. */
export function removeImage(context: Context): Promise<Response> {
  return changeImages(context, async () => {
    const digest = textOf(context, "digest");
    const result = await context.source.removeImage(digest);
    if (result === "in_use") throw new BoxerError("image_in_use", "The image is in use; it is kept");
    if (result === "not_found") throw new BoxerError("not_found", "The image is gone already");
  });
}

/** `POST /dashboard/images/prune`. */
export function pruneImages(context: Context): Promise<Response> {
  return changeImages(context, async () => void (await context.source.pruneImages()));
}

async function changeImages(context: Context, change: () => Promise<void>): Promise<Response> {
  let alert: string | undefined;
  try {
    await change();
  } catch (error) {
    if (!(error instanceof BoxerError)) throw error;
    alert = messageOf(error);
  }
  const isWhole =
    new URL(context.request.headers.get("hx-current-url") ?? "x:").pathname === "/dashboard/images";
  if (isFragment(context.request)) return htmlReply(await buildPanel("images", context, { alert, isWhole }));
  return alert ? imagesPage(context, alert, 400) : seeOther("/dashboard/images");
}

/** `POST /dashboard/try`. */
export async function startTry(context: Context): Promise<Response> {
  const { source, form: data, request, now_ms, auth } = context;
  const form = readTryForm(data);
  try {
    const run = source.startTry(toRunRequest(toRunBody(form, await sentFiles(data))));
    if (isFragment(request)) return htmlReply(tryResult(run, now_ms, auth.csrf));
    return seeOther(`/dashboard/try/${run.id}`);
  } catch (error) {
    if (!(error instanceof BoxerError)) throw error;
    if (isFragment(request)) return htmlReply(emptyResult(error.message));
    return tryFormPage(context, form, error.message);
  }
}

/** `POST /dashboard/try/curl`: the form's request as a command. */
export async function showCurl(context: Context): Promise<Response> {
  const form = readTryForm(context.form);
  const { curl, alert } = curlOf(context, form, await sentFiles(context.form));
  if (isFragment(context.request)) return htmlReply(curlPanel(curl, alert));
  return tryFormPage(context, form, alert, curl ?? undefined);
}

/** `POST /dashboard/try/{id}/stop`. */
export function stopTry(context: Context): Response {
  context.source.stopTry(context.id);
  if (!isFragment(context.request)) return seeOther(`/dashboard/try/${encodeURIComponent(context.id)}`);
  const run = context.source.findTry(context.id);
  return run ? htmlReply(tryResult(run, context.now_ms, context.auth.csrf)) : tryRunPage(context);
}

async function sentFiles(data: FormData): Promise<SentFile[]> {
  // A field without a file is one of no name, which Bun has as undefined.
  const files = data
    .getAll("uploads")
    .filter((value): value is File => value instanceof File && Boolean(value.name));
  return Promise.all(
    files.map(async (file) => ({
      path: `work/${file.name}`,
      content: new Uint8Array(await file.arrayBuffer()),
    })),
  );
}

function textOf({ form }: Context, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value : "";
}
