/** A made-up report and chain, and text as an enemy would have it logged. */
import type { Chain } from '../../src/chains/chain.ts';
import type { Report, SeriesStep } from '../../src/summary/report.ts';

/** ESC (title, colour), CSI as one C1 byte, bidi override, newline, markup, formula, NUL, lone surrogate, zero-width. */
export const HOSTILE =
  '=cmd()\x1b]0;owned\x07\x1b[31m\x9b2J\u202Eevil\r\nfake: line\u2028</script><script>alert(1)</script>"\'&\0\ud800\u200b';

/** What must never be in any output, whatever the format. NL and CR are judged by each format's own test. */
export const ACTIVE =
  /[\0-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]|[\ud800-\udbff](?![\udc00-\udfff])/;

export function exampleReport(changes: Partial<Report> = {}): Report {
  return {
    schema_version: 1,
    kind: 'report',
    complete: true,
    generated_at: '2026-07-02T00:00:00.000Z',
    period: { from: '2026-07-01T06:00:01.000Z', to: '2026-07-01T10:59:59.000Z' },
    input: {
      files: 2,
      bytes: 12_345_678,
      lines: 60_000,
      recorded: 40_000,
      ignored: 15_000,
      foreign: 4_980,
      unrecognised: 19,
      malformed: 1,
      headless_chains: 3,
    },
    statistics: { incoming: 5307, delivered: 4901, estimated: 3418, actual: 2906, suppressed: 512 },
    accounting: { with_dsn: 2890, suppressed: 512, withheld: 12, open: 4 },
    statistics_by_mta: {
      sendmail: { incoming: 307, delivered: 301, estimated: 18, actual: 6, suppressed: 12 },
      postfix: { incoming: 5000, delivered: 4600, estimated: 3400, actual: 2900, suppressed: 500 },
    },
    suppression_ratio: 512 / 3418,
    dsn: { failure: 2906, delay: 40, success: 5, postmaster: 0, double_bounce: 1 },
    dsn_outcomes: { delivered: 2000, failed: 900, expired: 2, deferred: 40, discarded: 0, unknown: 10 },
    recipients: {
      delivered: 4000,
      failed: 3400,
      expired: 60,
      deferred: 7,
      discarded: 0,
      held: 0,
      deleted: 1,
    },
    rejected: { recipients: 1234, messages: 5, for_now: 17 },
    backscatter: {
      suspects: 40,
      confirmed: 4,
      likely: 30,
      possible: 6,
      dsns: 41,
      reasons: { dsn_undeliverable: 4, accepted_then_refused_by_next_hop: 34, delay_warning: 6 },
      spf: {
        results: { pass: 4000, softfail: 10 },
        would_suppress_dsns: 9,
        would_suppress_messages: 8,
        header_ignored: 0,
      },
      per_hour: [{ at: '2026-07-01T06:00:00.000Z', suspects: 40 }],
      per_day: [{ at: '2026-07-01T00:00:00.000Z', suspects: 40 }],
    },
    incoming_null: 77,
    findings: [
      {
        id: 'next_hop_refuses',
        severity: 'critical',
        title: 'Next hops refuse recipients that we have already accepted',
        text: '34 messages from outside, accepted here and then refused by 1 next hop.',
        why: 'Whoever sends to made-up recipients makes this host mail third parties.',
        counts: { messages: 34 },
        concerns: [{ key: 'example.com via mx.example.com[192.0.2.1]:25', count: 34 }],
        examples: [{ mta: 'postfix', queue_id: 'E7D4521A56E', at: '2026-07-01T06:00:01.000Z' }],
        undecided: 'Something that the log does not show.',
        remedies: [
          {
            mta: 'postfix',
            text: 'Tell smtpd the valid recipients.',
            file: 'main.cf',
            lines: ['relay_recipient_maps = hash:/etc/postfix/relay'],
            source: 'postconf(5)',
          },
        ],
      },
    ],
    notes: [
      {
        code: 'open',
        text: '4 messages with a failure were still in the queue when the log ended; their DSN may follow.',
      },
    ],
    tables: [
      {
        name: 'dsn_reasons',
        title: 'Why failure DSNs were sent',
        key_heading: 'Status and reason',
        count_heading: 'Messages',
        rows: [
          { key: '5.1.1 no such user', count: 2500 },
          { key: '5.7.1 ポリシーにより拒否されました', count: 300 },
          { key: `5.4.4 ${'a very long name that does not fit into any column '.repeat(3)}`, count: 100 },
        ],
        more_rows: 2,
        more_count: 6,
        bounded: true,
      },
      {
        name: 'empty',
        title: 'Nothing here',
        key_heading: 'Key',
        count_heading: 'Count',
        rows: [],
        more_rows: 0,
        more_count: 0,
        bounded: false,
      },
    ],
    per_hour: [
      step('2026-07-01T06:00:00.000Z', 1000, 600, 500),
      step('2026-07-01T07:00:00.000Z', 4000, 2800, 2400),
      step('2026-07-01T10:00:00.000Z', 307, 18, 6),
    ],
    per_day: [step('2026-07-01T00:00:00.000Z', 5307, 3418, 2906)],
    ...changes,
  };
}

export function step(at: string, incoming: number, estimated: number, actual: number): SeriesStep {
  return { at, incoming, delivered: incoming, estimated, actual, suppressed: 0 };
}

/** A report without suspects. */
export const NO_BACKSCATTER: Report['backscatter'] = {
  suspects: 0,
  confirmed: 0,
  likely: 0,
  possible: 0,
  dsns: 0,
  reasons: {},
  spf: { results: {}, would_suppress_dsns: 0, would_suppress_messages: 0, header_ignored: 0 },
  per_hour: [],
  per_day: [],
};

/** Every text that a log can choose is hostile. */
export function hostileReport(): Report {
  const report = exampleReport();
  return {
    ...report,
    notes: [{ code: 'x', text: HOSTILE }],
    findings: report.findings.map((finding) => ({
      ...finding,
      text: HOSTILE,
      concerns: [{ key: HOSTILE, count: 1 }],
      examples: [{ mta: 'qmail', queue_id: HOSTILE, at: null }],
      remedies: finding.remedies.map((remedy) => ({ ...remedy, text: HOSTILE })),
    })),
    tables: [{ ...report.tables[0], rows: [{ key: HOSTILE, count: 1, messages: 1 }] }],
  };
}

export function exampleChain(changes: Partial<Chain> = {}): Chain {
  return {
    schema_version: 1,
    kind: 'chain',
    mta: 'postfix',
    host: 'mx1',
    queue_id: 'E7D4521A56E',
    queue_ids: ['E7D4521A56E', 'F00'],
    message_id: '<1@example.com>',
    reverse_path: 'a@example.com',
    size: 684,
    origin: { kind: 'smtp', client_ip: '198.51.100.137', client_name: 'mail32.example.net', auth_user: null },
    first_seen: '2026-07-01T06:00:01.000Z',
    last_seen: '2026-07-01T06:00:09.000Z',
    ended: true,
    headless: false,
    recipients: [
      {
        recipient: 'b@example.net',
        original_recipient: 'c@example.org',
        outcome: 'failed',
        status: '5.1.1',
        relay: 'mx.example.net[192.0.2.1]:25',
        attempts: 2,
        reply: '550 5.1.1 no such user',
        at: '2026-07-01T06:00:02.000Z',
      },
      {
        recipient: 'd@example.net',
        original_recipient: null,
        outcome: 'delivered',
        status: '2.0.0',
        relay: null,
        attempts: 1,
        reply: null,
        at: '2026-07-01T06:00:03.000Z',
      },
    ],
    dsns: [
      {
        kind: 'failure',
        queue_id: '0B1C221A59F',
        parent_queue_id: 'E7D4521A56E',
        recipient: 'a@example.com',
        reason: null,
        outcome: 'failed',
        status: '5.4.4',
        at: '2026-07-01T06:00:04.000Z',
      },
      {
        kind: 'double_bounce',
        queue_id: null,
        parent_queue_id: '0B1C221A59F',
        recipient: 'postmaster',
        reason: 'undeliverable',
        outcome: 'unknown',
        status: null,
        at: null,
      },
    ],
    suppressed: { cause: 'spf=softfail' },
    suspect: { verdict: 'likely', score: 70, reasons: ['accepted_then_refused_by_next_hop'] },
    ...changes,
  };
}

export function hostileChain(): Chain {
  const chain = exampleChain();
  return {
    ...chain,
    host: HOSTILE,
    queue_id: HOSTILE,
    queue_ids: [HOSTILE, 'x'],
    message_id: HOSTILE,
    reverse_path: HOSTILE,
    origin: { kind: 'smtp', client_ip: HOSTILE, client_name: HOSTILE, auth_user: HOSTILE },
    recipients: [
      {
        ...chain.recipients[0],
        recipient: HOSTILE,
        original_recipient: `${HOSTILE}2`,
        status: HOSTILE,
        relay: HOSTILE,
        reply: HOSTILE,
      },
    ],
    dsns: [{ ...chain.dsns[0], queue_id: HOSTILE, recipient: HOSTILE, reason: HOSTILE, status: HOSTILE }],
    suppressed: { cause: HOSTILE },
    suspect: { verdict: 'likely', score: 70, reasons: [HOSTILE] },
  };
}
