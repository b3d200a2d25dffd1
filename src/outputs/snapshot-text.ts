/**
 * A snapshot of a live run as a short block of text: for pipes, and what is left on the terminal at the end.
 *
 * Every text of the log goes through `printable`.
 */
import type { Snapshot, SnapshotRow } from '../live/snapshot.ts';
import { printable } from './escape.ts';
import { byteSize, counted, grouped, localTime, percent, zoneName } from './figures.ts';
import { styleFor } from './style.ts';
import { pad, truncate } from './width.ts';

export interface SnapshotTextOptions {
  readonly color: boolean;
  /** IANA name, "local" or "+02:00"; UTC when there is none. */
  readonly zone?: string;
  readonly width: number;
}

const FIGURES = [
  ['Incoming', 'incoming', null],
  ['Delivered', 'delivered', 'incoming'],
  ['Estimated', 'estimated', 'incoming'],
  ['Actual', 'actual', 'estimated'],
  ['Suppressed', 'suppressed', 'estimated'],
] as const;

const TABLES = [
  ['client', 'by client'],
  ['victim', "by DSN recipient's domain"],
  ['hop', 'by refusing next hop'],
  ['reason', 'by reason'],
] as const;

/** Ends in an empty line, so that blocks stand apart. */
export function snapshotText(snapshot: Snapshot, { color, zone, width }: SnapshotTextOptions): string {
  const style = styleFor(color);
  const plain = (text: string): string => text;
  const lines: string[] = [];
  const say = (text: string, dress = plain): void => {
    lines.push(dress(truncate(text, width).trimEnd()));
  };
  say(headline(snapshot, zone), style.heading);
  say(`  ${reading(snapshot)}`);
  say(`  ${pad('', 10)} ${pad('period', 12, 'right')} ${pad('last hour', 12, 'right')}`, style.faint);
  for (const [label, key, whole] of FIGURES) {
    const count = snapshot.statistics[key];
    const share = whole === null ? '' : percent(count, snapshot.statistics[whole]);
    const counts = [count, snapshot.last_hour[key]].map((n) => pad(grouped(n), 12, 'right')).join(' ');
    say(`  ${pad(label, 10)} ${counts}${share === '' ? '' : `  ${share} of ${whole}`}`);
  }
  const { with_dsn, suppressed, withheld, open } = snapshot.accounting;
  if (snapshot.statistics.estimated > 0) {
    say(
      `  Of estimated: ${grouped(with_dsn)} with DSN, ${grouped(suppressed)} suppressed, ` +
        `${grouped(withheld)} withheld, ${grouped(open)} open`,
    );
  }
  const { suspects } = snapshot.backscatter;
  if (suspects > 0) {
    say(`  Backscatter: ${counted(suspects, 'suspect')}`, style.alarm);
    for (const [key, title] of TABLES) for (const line of table(title, snapshot.backscatter[key])) say(line);
  }
  return `${lines.join('\n')}\n\n`;
}

function headline({ final, period, generated_at }: Snapshot, zone: string | undefined): string {
  const words = final ? 'dsnstat watch, at the end' : `dsnstat watch, ${localTime(generated_at, zone)}`;
  if (period.from === null || period.to === null) return `${words}: no line of an MTA yet`;
  return `${words}: ${localTime(period.from, zone)} to ${localTime(period.to, zone)} (${zoneName(zone)})`;
}

function reading({ input, reading: { phase, lines_per_second, backlog_bytes } }: Snapshot): string {
  const words = [counted(input.lines, 'line')];
  if (input.unrecognised + input.malformed > 0)
    words.push(`${grouped(input.unrecognised + input.malformed)} not recognised`);
  if (phase !== 'ended') words.push(`${grouped(lines_per_second)} lines/s`);
  if (backlog_bytes > 0) words.push(`${byteSize(backlog_bytes)} behind`);
  return words.join(', ');
}

function table(title: string, rows: readonly SnapshotRow[]): string[] {
  if (rows.length === 0) return [];
  return [
    `  ${title}:`,
    ...rows.map(
      ({ key, count, verdict }) =>
        `    ${pad(grouped(count), 8, 'right')}  ${pad(verdict, 9)}  ${printable(key)}`,
    ),
  ];
}
