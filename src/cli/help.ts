/**
 * --help, made from the flag table, so that it cannot drift from what is parsed.
 */
import { wrap } from '../outputs/width.ts';
import { CATEGORIES, COMMANDS, type Command, FLAGS, type Flag } from './flags.ts';

const WIDTH = 80;
const INDENT = '  ';
/** Column of the explanations. */
const DOC_COLUMN = 29;

const WITHOUT_FILE =
  'Without FILE: standard input if it is a pipe, else the usual places (/var/log/mail.log, /var/log/maillog, ' +
  "qmail's current). A directory stands for the maillogs in it, - for standard input; compression is told by content.";
/** What stands there instead, where it is different. */
const CLOSING: Readonly<Partial<Record<Command, readonly string[]>>> = {
  explain: [
    'Without FILE the mail alone is explained. A directory in place of BOUNCE.eml stands for the mails in it (Maildir, or ' +
      '.eml and mbox files), in place of FILE for the maillogs in it.',
  ],
  probe: [],
};
const EXIT_STATUS =
  'Exit status: 0 done, 2 usage, unreadable input or write error, 130 interrupted. dsnstat check: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.';

/** What to say when there is nothing to read. */
export function shortUsage(): string {
  return ['usage: dsnstat [report] [OPTION]... [FILE|DIR|-]...', 'Try dsnstat --help.', ''].join('\n');
}

/** The help of everything, or of one command. */
export function helpText(command: Command | null): string {
  const commands = COMMANDS.filter((entry) => command === null || entry.name === command);
  const lines = ['Usage:'];
  for (const { name, synopsis } of commands) {
    lines.push(`${INDENT}dsnstat ${name === COMMANDS[0].name ? `[${name}]` : name} ${synopsis}`);
  }
  if (command === null) {
    lines.push(
      '',
      ...wrap(
        'Says what became of mail and of its DSNs, from maillogs of sendmail, Postfix and qmail.',
        WIDTH,
      ),
    );
    lines.push('', 'Commands:');
    for (const { name, doc } of commands) lines.push(...entryLines(name, doc));
  } else {
    lines.push('', ...commands.flatMap(({ doc }) => wrap(doc, WIDTH)));
  }
  for (const category of CATEGORIES) {
    const flags = FLAGS.filter(
      (flag) => flag.category === category && (command === null || flag.commands.includes(command)),
    );
    if (flags.length === 0) continue;
    lines.push('', `${category}:`);
    for (const flag of flags) lines.push(...entryLines(flagHead(flag), flagDoc(flag, command)));
  }
  const closing = (command === null ? undefined : CLOSING[command]) ?? [WITHOUT_FILE];
  for (const paragraph of [...closing, EXIT_STATUS]) lines.push('', ...wrap(paragraph, WIDTH));
  lines.push('');
  return lines.join('\n');
}

function flagHead({ short, long, value }: Flag): string {
  return `${short === undefined ? '    ' : `-${short}, `}--${long}${value === undefined ? '' : ` ${value}`}`;
}

function flagDoc(flag: Flag, command: Command | null): string {
  const where = command === null && flag.commands.length === 1 ? ` (${flag.commands[0]} only)` : '';
  return `${flag.doc}${choicesDoc(flag, command)}${where}`;
}

/** " One of: a (default), b.", per command where they differ. */
function choicesDoc({ choices }: Flag, command: Command | null): string {
  if (choices === undefined) return '';
  const texts = Object.entries(choices)
    .filter(([name]) => command === null || name === command)
    .map(([name, words]) => ({ name, words: [`${words[0]} (default)`, ...words.slice(1)].join(', ') }));
  if (new Set(texts.map((text) => text.words)).size === 1) return ` One of: ${texts[0].words}.`;
  return ` One of: ${texts.map((text) => `for ${text.name} ${text.words}`).join('; ')}.`;
}

function entryLines(head: string, doc: string): string[] {
  const left = INDENT + head;
  const right = wrap(doc, WIDTH - DOC_COLUMN);
  const blanks = ' '.repeat(DOC_COLUMN);
  if (left.length + 1 < DOC_COLUMN) {
    return [left.padEnd(DOC_COLUMN) + right[0], ...right.slice(1).map((line) => blanks + line)];
  }
  return [left, ...right.map((line) => blanks + line)];
}
