import { type Html, html } from "../html.ts";
import { messagePage } from "./page.ts";

/** Asks for the token. Pure. */
export function loginPage(alert?: string): string {
  const form: Html = html`<form method="post" action="/dashboard/login" class="login">${alert && html`<p class="alert" role="alert">${alert}</p>`}<label for="token">Token</label><input id="token" name="token" type="password" required autocomplete="current-password" autofocus><button class="primary">Log in</button></form><p class="note">It is <code>dashboard.token</code> of the configuration.</p>`;
  return messagePage("Log in", form);
}

/** Says why nothing is shown, and how that is changed. Pure. */
export function notConfiguredPage(): string {
  const example = '{\n  "dashboard": { "auth": "token", "token": "a long random secret" }\n}';
  return messagePage(
    "The dashboard is off",
    html`<p>This server can be reached from other machines, or this request came through a proxy or by another name than <code>localhost</code>. Without authentication the dashboard is shown to the machine it runs on only.</p><p>Say in the configuration who may see it, and start the server again:</p><pre class="output code">${example}</pre><p class="note"><code>auth</code> is <code>token</code>, <code>basic</code> (with <code>user</code> and <code>password</code>), or <code>none</code> where a proxy asks for you.</p>`,
  );
}
