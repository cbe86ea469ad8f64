import { join } from "node:path";

/** Where set-up keeps what it makes, under the server's home directory. */
export interface Places {
  /** Programs: `runsc`, `mkfs.erofs`, … */
  readonly bin: string;
  /** OCI image layouts, what they were made from, and half-done work. */
  readonly setup: string;
  /** Remembered verdicts; see `SetupState`. */
  readonly state: string;
  readonly work: string;
  /** OCI image layout of `local/python:3`. */
  readonly pythonLayout: string;
  /** OCI image layout of a tiny image for tests. */
  readonly busyboxLayout: string;
  /** OCI image layout with Node.js for tests. */
  readonly nodeLayout: string;
}

/** The places under `home`; touches nothing. */
export function placesAt(home: string): Places {
  const setup = join(home, "setup");
  return {
    bin: join(home, "bin"),
    setup,
    state: join(setup, "state.json"),
    work: join(setup, "work"),
    pythonLayout: join(setup, "python"),
    busyboxLayout: join(setup, "busybox"),
    nodeLayout: join(setup, "node"),
  };
}
