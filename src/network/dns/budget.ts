/** How much one run may ask. */
export interface DnsBudget {
  /** Messages, of whatever kind, that are looked at; those beyond are dropped. */
  readonly messages_per_sec: number;
  readonly messages_burst: number;
  /** Questions to upstream servers; those beyond fail. */
  readonly questions_per_sec: number;
  readonly questions_burst: number;
  /**
   * Different names that the run makes up itself, below an allowed wildcard, over its whole life; those beyond do not
   * exist. Null: no limit.
   */
  readonly names: number | null;
  /** Messages being answered at a time; those beyond are dropped. */
  readonly pending: number;
  /** Open TCP connections; those beyond are closed. */
  readonly connections: number;
}

const BUDGET: DnsBudget = {
  messages_per_sec: 500,
  messages_burst: 1000,
  questions_per_sec: 50,
  questions_burst: 200,
  names: 512,
  pending: 64,
  connections: 8,
};

/**
 * The budget of a run. Who lists what may be reached wants little to leak by names, each of which takes some 150 bytes
 * to the servers of an allowed domain: 512 of them are 75 KB. Who allows all that is public gets none of that.
 */
export function budgetOf(policy: { readonly all_public: boolean }): DnsBudget {
  return policy.all_public ? { ...BUDGET, names: null } : BUDGET;
}
