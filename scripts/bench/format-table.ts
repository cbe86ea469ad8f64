/** A cell as it was measured; null where there is nothing to tell. */
export type Cell = string | number | null;

/** What was measured: shown as text, and kept as it is in the JSON file. */
export interface Table {
  readonly title: string;
  readonly columns: readonly Column[];
  /** By the keys of the columns. */
  readonly rows: readonly Readonly<Record<string, Cell>>[];
}

export interface Column {
  readonly key: string;
  readonly label: string;
  /** Places after the decimal point of its numbers. Default 1. */
  readonly digits?: number;
}

/** A table in Markdown, its columns aligned for a terminal too: words to the left, numbers to the right. Pure. */
export function formatTable({ title, columns, rows }: Table): string {
  const texts = columns.map((column) => {
    const cells = rows.map((row) => row[column.key] ?? null);
    const isNumeric = cells.some((cell) => typeof cell === "number");
    const shown = [column.label, ...cells.map((cell) => formatCell(cell, column.digits ?? 1))];
    const width = Math.max(3, ...shown.map((text) => text.length));
    const pad = (text: string) => (isNumeric ? text.padStart(width) : text.padEnd(width));
    const rule = isNumeric ? `${"-".repeat(width - 1)}:` : "-".repeat(width);
    const [head = "", ...body] = shown.map(pad);
    return [head, rule, ...body];
  });
  const lines = Array.from({ length: rows.length + 2 }, (_, line) => {
    return `| ${texts.map((column) => column[line] ?? "").join(" | ")} |`;
  });
  return [`### ${title}`, "", ...lines].join("\n");
}

function formatCell(cell: Cell, digits: number): string {
  if (cell === null || (typeof cell === "number" && !Number.isFinite(cell))) return "–";
  return typeof cell === "number" ? cell.toFixed(digits) : cell;
}
