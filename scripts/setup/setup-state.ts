import { readFile } from "node:fs/promises";
import { writeWhole } from "./workspace.ts";

/**
 * What earlier set-ups found out, by name: a key that stands for everything the finding depends on. A step whose
 * key is unchanged has nothing to do. Kept in one small file, written whole.
 */
export class SetupState {
  readonly #path: string;
  readonly #keys: Map<string, string>;

  private constructor(path: string, keys: Map<string, string>) {
    this.#path = path;
    this.#keys = keys;
  }

  /** Reads the file; one that is missing or broken counts as empty. */
  static async load(path: string): Promise<SetupState> {
    const text = await readFile(path, "utf8").catch(() => "{}");
    let entries: [string, unknown][] = [];
    try {
      entries = Object.entries(JSON.parse(text) as Record<string, unknown>);
    } catch {
      // A broken file only costs the work of finding out again.
    }
    const keys = entries.filter((entry): entry is [string, string] => typeof entry[1] === "string");
    return new SetupState(path, new Map(keys));
  }

  /** Whether `name` was last remembered with this very key. */
  is(name: string, key: string): boolean {
    return this.#keys.get(name) === key;
  }

  /** Remembers `key` under `name`. */
  async remember(name: string, key: string): Promise<void> {
    this.#keys.set(name, key);
    await writeWhole(this.#path, `${JSON.stringify(Object.fromEntries(this.#keys), null, 2)}\n`);
  }
}
