import type { RecordStatus } from "../../run/records/run-record.ts";
import type { RunPhase } from "../../run/run-observer.ts";
import { type Html, html } from "../html.ts";

/** Every status of a record, in the order of the filter, with the words for it and how it is coloured. */
export const STATUS: Readonly<Record<RecordStatus, { label: string; tone: string }>> = {
  ok: { label: "ok", tone: "good" },
  nonzero_exit: { label: "exit ≠ 0", tone: "warn" },
  signaled: { label: "signaled", tone: "warn" },
  timed_out: { label: "timed out", tone: "bad" },
  oom_killed: { label: "out of memory", tone: "bad" },
  output_limit: { label: "output limit", tone: "bad" },
  output_files_limit: { label: "files limit", tone: "bad" },
  canceled: { label: "canceled", tone: "mute" },
  refused: { label: "refused", tone: "warn" },
  sandbox_error: { label: "fault", tone: "bad" },
};

const PHASE: Readonly<Record<RunPhase, { label: string; tone: string }>> = {
  queued: { label: "queued", tone: "mute" },
  preparing: { label: "preparing", tone: "info" },
  running: { label: "running", tone: "good" },
  capturing: { label: "capturing", tone: "info" },
};

/** Whether a text is one of the statuses. */
export function isStatus(text: string): text is RecordStatus {
  return Object.hasOwn(STATUS, text);
}

/** How a run ended. */
export function statusBadge(status: RecordStatus): Html {
  return badge(STATUS[status]?.label ?? status, STATUS[status]?.tone ?? "mute");
}

/** Where a run is. */
export function phaseBadge(phase: RunPhase): Html {
  return badge(PHASE[phase].label, PHASE[phase].tone);
}

/** A word with a colour; the dot is not the only sign. */
export function badge(label: string, tone: string): Html {
  return html`<span class="badge tone-${tone}">${label}</span>`;
}
