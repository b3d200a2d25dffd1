/**
 * An analysis as text and back: what state files and saved summaries hold.
 *
 * Owns the container, NDJSON (docs/summary-format.md): a header, rows of figures and of pending lives, and an end with
 * a checksum. Whole containers may follow each other in one file. Must not know files, threads or formats of reports.
 */
import { crc32 } from 'node:zlib';
import { JoinerLoader, type Json, type JsonObject, joinerRows, pendingHosts } from '../chains/saved.ts';
import type { Names } from '../lines/names.ts';
import type { Tags } from '../lines/tags.ts';
import { addSummaryRow, summaryRows } from '../summary/saved.ts';
import { Analysis, type LastLine } from './analysis.ts';

/** Raised when readers of the old one would misunderstand the new one. */
export const FORMAT = 1;

/** `state` has beside the summary what was read of each input. */
export type SavedKind = 'summary' | 'state';

export interface SavedHeader {
  readonly schema_version: number;
  readonly kind: SavedKind;
  /** Version of the dsnstat that wrote it; for people. */
  readonly program: string;
  /** First and last instant with a fact, ISO 8601 UTC; null without any. */
  readonly from: string | null;
  readonly to: string | null;
  /** First and last instant of the joiner, ms: what the order of merging goes by. */
  readonly first: number | null;
  readonly last: number | null;
  /** False where Ctrl-C or damaged input ended the reading early. */
  readonly complete: boolean;
  /** Numbers and names of hosts, as the rows use them; names byte by byte (latin-1). */
  readonly hosts: readonly (readonly [number, string])[];
  /** Numbers of those that wrote something of ours; 0 is for lines that name no host. */
  readonly own_hosts: readonly number[];
  /** What the analysis was asked for: two that differ here do not add up. */
  readonly options: JsonObject;
  /** With kind `state`. */
  readonly inputs?: readonly JsonObject[];
  /** Which commands may go on with it; none is all that print figures. */
  readonly reader?: string;
  /** The cursor of the last journal entry that was read. */
  readonly journal?: string;
}

export interface SaveOptions {
  readonly kind: SavedKind;
  readonly program: string;
  readonly complete: boolean;
  readonly options: JsonObject;
  readonly inputs?: readonly JsonObject[];
  readonly reader?: string;
  readonly journal?: string;
  /** What a live view wants to know again (live/board.ts). */
  readonly board?: Iterable<JsonObject>;
}

/** The lines of the container, each with its newline. The analysis goes on as before. */
export function* savedLines(analysis: Analysis, hosts: Names, options: SaveOptions): Generator<string> {
  const { joiner, summary } = analysis;
  const own = analysis.hosts;
  const used = [...new Set([...pendingHosts(joiner), ...own])]
    .filter((host) => host > 0)
    .sort((a, b) => a - b);
  const header: SavedHeader = {
    schema_version: FORMAT,
    kind: options.kind,
    program: options.program,
    from: isoOrNull(summary.from),
    to: isoOrNull(summary.to),
    first: finite(joiner.state.origin),
    last: finite(joiner.state.now),
    complete: options.complete,
    hosts: used.map((host) => [host, Buffer.from(hosts.bytes(host)).toString('latin1')]),
    own_hosts: own,
    options: options.options,
    ...(options.inputs === undefined ? {} : { inputs: options.inputs }),
    ...(options.reader === undefined ? {} : { reader: options.reader }),
    ...(options.journal === undefined ? {} : { journal: options.journal }),
  };
  let crc = 0;
  let rows = 0;
  const line = (row: unknown): string => {
    const text = `${JSON.stringify(row)}\n`;
    crc = crc32(text, crc);
    rows += 1;
    return text;
  };
  yield line(header);
  for (const row of summaryRows(summary)) yield line(row);
  const { lastLine, leadingRepeats } = analysis.edges;
  yield line({ edges: { last_line: lastLine, leading_repeats: leadingRepeats } });
  for (const row of joinerRows(joiner)) yield line(row);
  for (const board of options.board ?? []) yield line({ board });
  yield `${JSON.stringify({ end: { rows, crc32: hex(crc) } })}\n`;
}

/** Something is wrong with saved lines; the message goes behind the file's name. */
export class SavedDamage extends Error {
  override readonly name = 'SavedDamage';
}

export interface Loaded {
  readonly header: SavedHeader;
  readonly analysis: Analysis;
  readonly board: readonly JsonObject[];
}

/** Reads containers line by line; `onLoaded` gets each when its end has been checked. */
export class SavedReader {
  readonly #hosts: Names;
  readonly #tags: Tags;
  readonly #onLoaded: (loaded: Loaded) => void;
  #header: SavedHeader | null = null;
  #analysis: Analysis | null = null;
  #loader: JoinerLoader | null = null;
  #board: JsonObject[] = [];
  #crc = 0;
  #rows = 0;
  #line = 0;
  /** Containers read. */
  count = 0;

  constructor(hosts: Names, tags: Tags, onLoaded: (loaded: Loaded) => void) {
    this.#hosts = hosts;
    this.#tags = tags;
    this.#onLoaded = onLoaded;
  }

  /** One line without its newline. Throws SavedDamage. */
  take(text: string): void {
    this.#line += 1;
    if (this.#header === null) {
      if (text.trim() === '') return;
      this.#begin(text);
      return;
    }
    const row = this.#parse(text);
    if ('end' in row) this.#end(row.end as JsonObject);
    else {
      this.#crc = crc32(`${text}\n`, this.#crc);
      this.#rows += 1;
      try {
        this.#row(row);
      } catch (error) {
        throw this.#damage((error as Error).message);
      }
    }
  }

  /** After the last line. */
  finish(): void {
    if (this.#header !== null) throw new SavedDamage(`cut off after line ${this.#line}`);
    if (this.count === 0) throw new SavedDamage('empty');
  }

  #begin(text: string): void {
    this.#header = readHeader(text);
    this.#crc = crc32(`${text}\n`);
    this.#rows = 1;
    const numbers = new Map<number, number>();
    try {
      for (const [number, name] of this.#header.hosts)
        numbers.set(number, this.#hosts.named(Buffer.from(name, 'latin1')));
    } catch {
      throw this.#damage('not a list of hosts');
    }
    const hostOf = (host: number): number => numbers.get(host) ?? 0;
    this.#analysis = new Analysis({ leftOpen: true });
    this.#analysis.restore({ lastLine: null, leadingRepeats: 0 }, this.#header.own_hosts.map(hostOf));
    this.#loader = new JoinerLoader(this.#analysis.joiner, this.#tags, hostOf);
  }

  #row(row: JsonObject): void {
    const analysis = this.#analysis!;
    if (addSummaryRow(analysis.summary, row) || this.#loader!.take(row)) return;
    if ('board' in row) {
      this.#board.push(row.board as JsonObject);
      return;
    }
    if (!('edges' in row)) throw new Error('unknown row');
    const { last_line, leading_repeats } = row.edges as JsonObject;
    analysis.restore(
      { lastLine: last_line as unknown as LastLine | null, leadingRepeats: leading_repeats as number },
      [],
    );
  }

  #end(end: JsonObject): void {
    if (end.rows !== this.#rows || end.crc32 !== hex(this.#crc)) throw this.#damage('wrong checksum');
    try {
      this.#loader!.finish();
    } catch (error) {
      throw this.#damage((error as Error).message);
    }
    const loaded = { header: this.#header!, analysis: this.#analysis!, board: this.#board };
    this.#header = null;
    this.#board = [];
    this.#analysis = null;
    this.#loader = null;
    this.count += 1;
    this.#onLoaded(loaded);
  }

  #parse(text: string): JsonObject {
    let row: Json = null;
    try {
      row = JSON.parse(text) as Json;
    } catch {
      throw this.#damage('not JSON');
    }
    if (row === null || typeof row !== 'object' || Array.isArray(row)) throw this.#damage('not an object');
    return row as JsonObject;
  }

  #damage(what: string): SavedDamage {
    return new SavedDamage(`damaged in line ${this.#line}: ${what}`);
  }
}

/** Reads a header line; throws SavedDamage for what is none, or one of a later format. */
export function readHeader(text: string): SavedHeader {
  let header: Partial<SavedHeader> | null = null;
  try {
    header = JSON.parse(text) as Partial<SavedHeader>;
  } catch {
    // Said below.
  }
  if (header === null || typeof header !== 'object' || (header.kind !== 'summary' && header.kind !== 'state'))
    throw new SavedDamage('not a summary that dsnstat saved');
  const version = header.schema_version;
  if (typeof version === 'number' && version > FORMAT) {
    throw new SavedDamage(
      `written by a newer dsnstat (format ${version}, this one reads up to ${FORMAT}); install that one`,
    );
  }
  const wrong =
    typeof version !== 'number' || !Array.isArray(header.hosts) || !Array.isArray(header.own_hosts);
  if (wrong) throw new SavedDamage('damaged in line 1: not a header');
  return header as SavedHeader;
}

function hex(crc: number): string {
  return (crc >>> 0).toString(16).padStart(8, '0');
}

function finite(n: number): number | null {
  return Number.isFinite(n) ? n : null;
}

function isoOrNull(at: number): string | null {
  return Number.isFinite(at) ? new Date(at).toISOString() : null;
}
