/** Logs of deliveries for the tests of `recipients`: what happened, as Postfix, sendmail or qmail lines. */
import { Analysis } from '../../src/analysis/analysis.ts';
import { Clock } from '../../src/lines/clock.ts';
import { HeadParser } from '../../src/lines/head-parser.ts';
import { Names } from '../../src/lines/names.ts';
import { LineSplitter } from '../../src/lines/splitter.ts';
import { Tags } from '../../src/lines/tags.ts';
import { Evidence } from '../../src/recipients/evidence.ts';
import { type RecipientList, recipientList } from '../../src/recipients/list.ts';

export const START = Date.UTC(2026, 10, 1, 12);
export const DAY = 24 * 3_600_000;
const SECOND = 1000;

export interface Mail {
  /** Address as the log has it. */
  readonly to: string;
  readonly orig?: string;
  /** ms after START. */
  readonly at: number;
  /** `sent`, or the reply of a failure. */
  readonly result: 'sent' | { readonly dsn: string; readonly reply: string };
  readonly status?: 'sent' | 'bounced' | 'deferred' | 'deliverable' | 'undeliverable';
}

export const UNKNOWN = { dsn: '5.1.1', reply: '550 5.1.1 User unknown' };

/** Postfix lines with RFC 3339 stamps, one message for each mail. */
export function postfixLog(mails: readonly Mail[]): string {
  return mails
    .map(({ to, orig, at, result, status }, i) => {
      const id = `${(0xa00000 + i).toString(16).toUpperCase()}F0F0`;
      const time = (ms: number): string => new Date(START + at + ms).toISOString();
      const said = result === 'sent' ? { dsn: '2.0.0', reply: '250 2.0.0 Ok' } : result;
      const word = status ?? (result === 'sent' ? 'sent' : 'bounced');
      return [
        `${time(0)} mx postfix/smtpd[1]: ${id}: client=c.example[198.51.100.7]`,
        `${time(0)} mx postfix/cleanup[2]: ${id}: message-id=<${i}@c.example>`,
        `${time(0)} mx postfix/qmgr[3]: ${id}: from=<s@c.example>, size=700, nrcpt=1 (queue active)`,
        `${time(SECOND)} mx postfix/smtp[4]: ${id}: to=<${to}>, ${orig === undefined ? '' : `orig_to=<${orig}>, `}relay=store[192.0.2.9]:25, delay=1, delays=0/0/0/1, dsn=${said.dsn}, status=${word} (${said.reply})`,
        `${time(SECOND)} mx postfix/qmgr[3]: ${id}: removed`,
        '',
      ].join('\n');
    })
    .join('');
}

/** So much mail over ten days that a map may be made of it: 5 users, 100 deliveries. */
export function plenty(domain = 'corp.test'): Mail[] {
  return Array.from({ length: 100 }, (_, i) => ({
    to: `user${i % 5}@${domain}`,
    at: i * (DAY / 10),
    result: 'sent' as const,
  }));
}

/** The list that a log makes, without files. */
export function listOf(
  log: string | Uint8Array,
  { domains = ['corp.test'], delimiter = '' }: { domains?: readonly string[]; delimiter?: string } = {},
): RecipientList {
  const evidence = new Evidence(new Set(domains), delimiter);
  const heads = new HeadParser(
    new Clock({ zone: 'UTC', year: 2026, reference: START + 30 * DAY }),
    new Names(),
    new Tags(),
  );
  const analysis = new Analysis({ onChain: (root) => evidence.chain(root) });
  const splitter = new LineSplitter(
    (bytes, start, end) => analysis.line(heads, bytes, start, end),
    () => analysis.overlong(),
  );
  splitter.push(Buffer.from(log));
  splitter.finish();
  for (const root of analysis.pending()) evidence.chain(root);
  return recipientList(evidence, {
    domains,
    from: analysis.summary.from,
    to: analysis.summary.to,
    complete: true,
    generatedAt: new Date(START),
  });
}
