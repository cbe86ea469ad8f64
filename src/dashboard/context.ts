import type { DashboardAuth } from "./access/dashboard-auth.ts";
import type { DashboardSource } from "./dashboard-data.ts";

/** What every route has. */
export interface Context {
  readonly request: Request;
  readonly url: URL;
  /** What the pattern of the route has found in the path, decoded. */
  readonly id: string;
  readonly source: DashboardSource;
  readonly auth: DashboardAuth;
  /** The form, of a request that changes something; its token has been checked. Empty otherwise. */
  readonly form: FormData;
  readonly now_ms: number;
}
