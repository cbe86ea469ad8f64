import type { ConfigFile } from "./config-schema.ts";

/** Who may see the dashboard. */
export interface DashboardAccess {
  /** Undefined: nobody is asked, and only this machine is served. */
  readonly auth: "none" | "token" | "basic" | undefined;
  readonly token: string | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
}

/** Fills in what a configuration file leaves out: secrets without `auth` say how they are meant. Pure. */
export function completeDashboard(file: ConfigFile["dashboard"] = {}): DashboardAccess {
  const { token, user, password } = file;
  const meant = token !== undefined ? "token" : password !== undefined ? "basic" : undefined;
  return { auth: file.auth ?? meant, token, user, password };
}

/** What is missing for the `auth` that is asked for, naming the key, or null. Pure. */
export function complainOfDashboard({ auth, token, user, password }: DashboardAccess): string | null {
  if (auth === "token" && token === undefined) return "dashboard.token is required with dashboard.auth token";
  if (auth !== "basic") return null;
  if (user === undefined) return "dashboard.user is required with dashboard.auth basic";
  return password === undefined ? "dashboard.password is required with dashboard.auth basic" : null;
}

/** For `JSON.stringify`: a configuration that is shown does not show its secrets. Pure. */
export function hideSecrets(key: string, value: unknown): unknown {
  return (key === "token" || key === "password") && value !== undefined ? "(hidden)" : value;
}
