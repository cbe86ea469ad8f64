/** Start of a record of a pax extended header: its length in bytes, its keyword. */
const RECORD = /(\d+) ([^=\n]+)=/y;
/** The line break that ends a record: another one follows, or nothing. */
const END_OF_RECORD = /\n(?=\d+ [^=\n]+=|$)/g;

/**
 * Reads the records of a pax extended header (POSIX.1-2024, pax, "pax Extended Header"). The parser of the `tar`
 * package reads them line by line: it misses values with a line break, and keeps times to the millisecond only.
 *
 * @param text the header decoded as UTF-8, so that bytes of a binary value may have become U+FFFD and the record longer
 *   than it says: such a record goes on to the line break before the next one
 * @returns values by keyword, the last one of each; none at all when `text` is no pax header (GNU long names come the
 *   same way)
 */
export function readPaxRecords(text: string): Map<string, string> {
  const records = new Map<string, string>();
  for (let start = 0; start < text.length; ) {
    RECORD.lastIndex = start;
    const head = RECORD.exec(text);
    if (!head) break;
    const [{ length: headLength }, length = "", keyword = ""] = head;
    const end = endOfRecord(text, start, headLength, Number(length));
    records.set(keyword, text.slice(start + headLength, end - 1));
    start = end;
  }
  return records;
}

/** Index of the character after the record's line break. */
function endOfRecord(text: string, start: number, headLength: number, lengthBytes: number): number {
  const bytes = Buffer.from(text.slice(start, start + lengthBytes));
  const end = start + bytes.toString("utf8", 0, lengthBytes).length;
  if (end > start + headLength && text[end - 1] === "\n") return end;
  END_OF_RECORD.lastIndex = start + headLength;
  const found = END_OF_RECORD.exec(text);
  return found ? found.index + 1 : text.length + 1;
}
