/**
 * Which files of a directory are logs, by name and by first lines.
 *
 * Owns the lists of names and the shapes of stamps. Must not know what a line says, nor how a file is opened.
 */

/** `surely`: the name says log. `perhaps`: it may be any program's log. `json`: a journal export or any other data. */
export type NameClass = 'surely' | 'perhaps' | 'json' | 'unknown' | 'never';

const COMPRESSED = /\.(?:gz|bz2|xz|zst)$/i;

const SURELY = [
  /^mail.*\.log/i, // mail.log.2.gz, mail-iso.log
  /^maillog/i,
  /^syslog/i,
  /^messages/i,
  /^current$/,
  /^@4000[0-9a-f]{20}\.[su]$/, // multilog: finished safely, or not
];
const PERHAPS = /\.log$|\.log[.-]/i;
const JSON_DATA = /\.(?:json|ndjson|jsonl)(?:[.-]\d+)*$/i;

const NEVER = [
  /^\./,
  /~$/,
  /^(?:wtmp|btmp|utmp|lastlog|faillog|tallylog)(?:$|[.-])/i,
  /^(?:lock|state)$/, // multilog's own
  // `.offset` is logtail's memory, next to the log that it reads
  /\.(?:md|csv|tsv|html?|xml|ya?ml|conf|eml|lock|pid|sock|offset|state|tmp|swp|bak|journal|db|sqlite3?)$/i,
  /\.(?:png|jpe?g|gif|svg|webp|ico|bmp|pdf|zip|tar|tgz|tbz2?|txz|7z|rpm|deb|so|js|mjs|ts|py|pl|sh)$/i,
];

export function classOfName(fileName: string): NameClass {
  const name = fileName.replace(COMPRESSED, '');
  if (NEVER.some((pattern) => pattern.test(name))) return 'never';
  if (JSON_DATA.test(name)) return 'json';
  if (SURELY.some((pattern) => pattern.test(name))) return 'surely';
  return PERHAPS.test(name) ? 'perhaps' : 'unknown';
}

const CLOCK = String.raw`\d\d:\d\d:\d\d`;
const DATE = String.raw`\d{4}-\d\d-\d\d`;

/** log-formats.md 1.1 and 1.8, letters as there. */
const STAMPED = new RegExp(
  String.raw`^(?:[\w.-]+ +\| )?(?:<\d{1,3}>(?:1 )?)?(?:${[
    `(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \\d]?\\d (?:\\d{4} )?${CLOCK}`, // a, b, f to m, o, q
    `${DATE}T${CLOCK}`, // c, d, e, r, CRI
    '@[0-9a-f]{24} ', // n
    `(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ${DATE} ${CLOCK} `, // s, short-full
    String.raw`${DATE} ${CLOCK}\.\d{9} `, // tai64nlocal
    String.raw`\d{9,10}\.\d{6} `, // s, short-unix
  ].join('|')})`,
);
/** One object per line: of the journal, or of Docker's json-file. */
const JSON_LINE = /^\{.*"(?:__REALTIME_TIMESTAMP|MESSAGE|log)" ?:/;
/** journalctl's own lines: `-- Boot 0123abcd --`. */
const SEPARATOR = /^-- .*/;

/** Whether a log begins here: `first` looks at the first line only, `any` at all lines of the head. */
export function looksLikeLog(head: Uint8Array, which: 'first' | 'any'): boolean {
  return linesOf(head, which).some((line) => STAMPED.test(line) || JSON_LINE.test(line));
}

export function looksLikeJsonLog(head: Uint8Array): boolean {
  return linesOf(head, 'first').some((line) => JSON_LINE.test(line));
}

function linesOf(head: Uint8Array, which: 'first' | 'any'): string[] {
  const lines = Buffer.from(head.buffer, head.byteOffset, head.length)
    .toString('latin1')
    .split('\n')
    .filter((line) => line.trim() !== '' && !SEPARATOR.test(line));
  return which === 'first' ? lines.slice(0, 1) : lines;
}
