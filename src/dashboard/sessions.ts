import { isSameOrigin } from "./access/check-origin.ts";
import type { DashboardAuth } from "./access/dashboard-auth.ts";
import { readForm } from "./read-form.ts";
import { htmlReply, isFragment, seeOther } from "./reply.ts";
import { loginPage, notConfiguredPage } from "./views/access-pages.ts";
import { messagePage } from "./views/page.ts";

const LOGIN_LIMIT_BYTES = 16 * 1024;

/** The answer for somebody who may not see the dashboard (yet). */
export function refusal(request: Request, auth: DashboardAuth, client: string): Response | null {
  switch (auth.check(request.headers, client)) {
    case "granted":
      return null;
    case "not_configured":
      return htmlReply(notConfiguredPage(), 403);
    case "challenge":
      return htmlReply(messagePage("Log in", "User and password are needed."), 401, {
        "www-authenticate": 'Basic realm="Boxer dashboard", charset="UTF-8"',
      });
    case "slow_down":
      return slowDown(auth.wait_ms(client));
    case "log_in":
      // A part of a page that is open still: the page as a whole has to be loaded again.
      return htmlReply(loginPage(), 401, isFragment(request) ? { "hx-refresh": "true" } : {});
  }
}

/** `POST /dashboard/login`. */
export async function logIn(request: Request, auth: DashboardAuth, client: string): Promise<Response> {
  if (!isSameOrigin(request.headers)) return forged();
  const token = (await readForm(request, LOGIN_LIMIT_BYTES)).get("token");
  const access = auth.logIn(typeof token === "string" ? token : "", client);
  if (access === "slow_down") return slowDown(auth.wait_ms(client));
  if (access === "log_in") return htmlReply(loginPage("That is not the token."), 401);
  const isSecure = request.headers.get("x-forwarded-proto") === "https" || request.url.startsWith("https:");
  return seeOther("/dashboard", { "set-cookie": auth.newSession(isSecure) });
}

/** Too many wrong secrets (RFC 6585, 4). */
function slowDown(wait_ms: number): Response {
  const secs = Math.ceil(wait_ms / 1000);
  const why = `Too many wrong tries came from your address. Try again in ${secs} seconds.`;
  return htmlReply(messagePage("Not now", why), 429, { "retry-after": String(secs) });
}

/** What a request gets that changes something and does not come from a form of ours. */
export function forged(): Response {
  const hint =
    "The form was sent from elsewhere, or the server was started again meanwhile. Go back, load the page again, and send it once more.";
  return htmlReply(messagePage("Not accepted", hint), 403);
}
