import { writeFile } from "node:fs/promises";
import { formatTable, type Table } from "./format-table.ts";

/** Prints what is measured as soon as it is, and keeps it for the JSON file. */
export class Report {
  readonly #facts: Readonly<Record<string, unknown>>;
  readonly #tables: (Table & { section: string })[] = [];
  readonly #notes: string[] = [];

  /** @param facts what the figures hang on: the machine, the versions, the options */
  constructor(facts: Readonly<Record<string, unknown>>) {
    this.#facts = facts;
    for (const [name, value] of Object.entries(facts)) console.log(`${name}: ${JSON.stringify(value)}`);
  }

  add(section: string, table: Table): void {
    this.#tables.push({ section, ...table });
    console.log(`\n${formatTable(table)}`);
  }

  /** Says what a reader of the figures must know, such as what could not be measured. */
  note(text: string): void {
    this.#notes.push(text);
    console.log(`\n${text}`);
  }

  async writeJson(path: string): Promise<void> {
    const content = { ...this.#facts, notes: this.#notes, tables: this.#tables };
    await writeFile(path, `${JSON.stringify(content, null, 2)}\n`);
  }
}
