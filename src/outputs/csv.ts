/**
 * Rows to CSV by fast-csv: RFC 4180, CRLF, quotes where needed, cells that no spreadsheet runs.
 *
 * Owns the one use of fast-csv, loaded only when CSV is wanted (24 ms). Knows no report and no chain.
 */
import { csvCell } from './escape.ts';

export type CsvCell = string | number | boolean | null;
export type CsvRow = readonly CsvCell[];

const END = '\r\n';

/** Makes the function that turns rows into lines; call it as often as there are rows, each line ends in CRLF. */
export async function csvFormatter(): Promise<(rows: readonly CsvRow[]) => string> {
  const { format } = await import('fast-csv');
  const stream = format<string[], string[]>({ rowDelimiter: END });
  let first = true;
  return (rows) => {
    let text = '';
    for (const row of rows) {
      // fast-csv's transform is synchronous, so what was written can be read at once (a test holds that).
      stream.write(row.map(cellText));
      const line = String(stream.read() ?? '');
      // It puts the delimiter before every row but the first; we want it behind each.
      text += (first ? line : line.slice(END.length)) + END;
      first = false;
    }
    return text;
  };
}

function cellText(cell: CsvCell): string {
  return cell === null ? '' : csvCell(String(cell));
}
