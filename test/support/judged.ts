/** A small log, read and judged: its chains with their suspects, and the report with its findings. */
import { Analysis } from '../../src/analysis/analysis.ts';
import type { Chain, Suspect } from '../../src/chains/chain.ts';
import type { Life } from '../../src/chains/life.ts';
import { chainOf, HEADLESS, MESSAGE, NULL_MESSAGE, natureOf } from '../../src/chains/view.ts';
import { fullReport } from '../../src/findings/all.ts';
import { Clock } from '../../src/lines/clock.ts';
import { HeadParser } from '../../src/lines/head-parser.ts';
import { Names } from '../../src/lines/names.ts';
import { Tags } from '../../src/lines/tags.ts';
import type { Finding, Report } from '../../src/summary/report.ts';
import { Inside, type InsideEntry } from '../../src/suspects/inside.ts';
import { judge } from '../../src/suspects/judge.ts';
import { Repeats } from '../../src/suspects/repeats.ts';

export interface JudgedLog {
  readonly chains: readonly Chain[];
  readonly report: Report;
  /** The only suspect there is, or null. */
  readonly suspect: Suspect | null;
  finding(id: string): Finding | undefined;
}

export function judged(log: string, entries: readonly InsideEntry[] = []): JudgedLog {
  const inside = new Inside(entries);
  const repeats = new Repeats();
  const hosts = new Names();
  const chains: Chain[] = [];
  const keep = (root: Life): void => {
    const nature = natureOf(root);
    if (nature !== MESSAGE && nature !== NULL_MESSAGE && nature !== HEADLESS) return;
    const chain = chainOf(
      root,
      (host) => hosts.text(host),
      (...facts) => {
        const found = judge(...facts, inside);
        return found === null ? null : repeats.add(found);
      },
    );
    chains.push(chain);
  };
  const analysis = new Analysis({ inside, onChain: keep });
  const clock = new Clock({ zone: 'UTC', year: 2026, reference: Date.UTC(2026, 11, 1) });
  const heads = new HeadParser(clock, hosts, new Tags());
  for (const line of log.split('\n')) {
    const bytes = Buffer.from(line.trim());
    if (bytes.length > 0) analysis.line(heads, bytes, 0, bytes.length);
  }
  const pending = [...analysis.pending()];
  const report = fullReport(analysis.summary, pending, {
    top: 100,
    complete: true,
    generatedAt: new Date(0),
  });
  for (const root of pending) keep(root);
  const suspects = chains.flatMap(({ suspect }) => (suspect === null ? [] : [suspect]));
  if (suspects.length > 1) suspects.length = 0;
  return {
    chains,
    report,
    suspect: suspects[0] ?? null,
    finding: (id) => report.findings.find((finding) => finding.id === id),
  };
}

export interface PostfixStory {
  readonly id?: string;
  /** What stands behind `client=`. */
  readonly client?: string;
  readonly from?: string;
  readonly to?: string;
  /** From `relay=` on. */
  readonly attempt?: string;
  /** Kind of the DSN, or null for none. */
  readonly dsn?: 'non-delivery' | 'delay' | 'delivery status' | null;
  /** From `relay=` on, of the DSN. */
  readonly fate?: string;
  /** Lines before the client's. */
  readonly before?: readonly string[];
}

export const REFUSED =
  'relay=store.example.org[203.0.113.20]:25, delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (host store.example.org[203.0.113.20] said: 550 5.1.1 <u@store.example.org>: User unknown (in reply to RCPT TO command))';
export const SENT_OUT =
  'relay=mx.example.com[192.0.2.7]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok)';
export const SENT_HERE =
  'relay=local, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (delivered to mailbox)';

/** One message through Postfix, as its daemons log it: a stranger's that the next hop refuses, unless said otherwise. */
export function postfixStory({
  id = 'A0000001',
  client = 'mail.example.net[198.51.100.9]',
  from = 'victim@example.com',
  to = 'u@store.example.org',
  attempt = REFUSED,
  dsn = 'non-delivery',
  fate = SENT_OUT,
  before = [],
}: PostfixStory = {}): string {
  const child = `D${id.slice(1)}`;
  const head = 'Jul 15 10:15:31 mx1';
  const lines = [
    ...before.map((line) => `${head} ${line}`),
    client.startsWith('uid=')
      ? `${head} postfix/pickup[9]: ${id}: ${client} from=<${from}>`
      : `${head} postfix/smtpd[10]: ${id}: client=${client}`,
    `${head} postfix/cleanup[11]: ${id}: message-id=<${id}@example.net>`,
    `${head} postfix/qmgr[12]: ${id}: from=<${from}>, size=500, nrcpt=1 (queue active)`,
    `${head} postfix/smtp[13]: ${id}: to=<${to}>, ${attempt}`,
  ];
  if (dsn !== null) {
    lines.push(
      `${head} postfix/cleanup[11]: ${child}: message-id=<${child}@mx1.example.org>`,
      `${head} postfix/bounce[14]: ${id}: sender ${dsn} notification: ${child}`,
      `${head} postfix/qmgr[12]: ${child}: from=<>, size=900, nrcpt=1 (queue active)`,
      `${head} postfix/smtp[13]: ${child}: to=<${from}>, ${fate}`,
      `${head} postfix/qmgr[12]: ${child}: removed`,
    );
  }
  lines.push(`${head} postfix/qmgr[12]: ${id}: removed`);
  return lines.join('\n');
}

/** A story that is told so many times, under ids of its own. */
export function times(n: number, story: (i: number) => PostfixStory): string {
  return Array.from({ length: n }, (_, i) =>
    postfixStory({ id: `A${String(i + 1).padStart(7, '0')}`, ...story(i) }),
  ).join('\n');
}
