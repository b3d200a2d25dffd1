import { parseString } from 'fast-csv';
import { expect, test } from 'vitest';
import { chainCsvHeader, chainCsvRows } from '../../src/outputs/chain-csv.ts';
import { chainNdjson } from '../../src/outputs/chain-ndjson.ts';
import { chainText } from '../../src/outputs/chain-text.ts';
import { csvFormatter } from '../../src/outputs/csv.ts';
import { ACTIVE, exampleChain, HOSTILE, hostileChain } from './examples.ts';

test('ndjson is the chain on one line', () => {
  const line = chainNdjson(exampleChain());
  expect(line.indexOf('\n')).toBe(line.length - 1);
  expect(JSON.parse(line)).toEqual(exampleChain());
});

test('ndjson stays one line and exact whatever the log says', () => {
  const line = chainNdjson(hostileChain());
  expect(line.split(/\r|\n|\u2028|\u2029/)).toEqual([expect.stringMatching(/^\{.*\}$/), '']);
  expect(line).not.toMatch(ACTIVE);
  expect(JSON.parse(line).recipients[0].reply).toBe(HOSTILE);
});

test('CSV has a row per recipient with the chain before it', async () => {
  const format = await csvFormatter();
  const csv = format([chainCsvHeader(), ...chainCsvRows(exampleChain())]);
  const rows: Record<string, string>[] = [];
  await new Promise((resolve) => {
    parseString<Record<string, string>, Record<string, string>>(csv, { headers: true })
      .on('data', (row) => rows.push(row))
      .on('end', resolve);
  });
  expect(rows.map((row) => row.recipient)).toEqual(['b@example.net', 'd@example.net']);
  expect(rows[1]).toMatchObject({
    mta: 'postfix',
    queue_id: 'E7D4521A56E',
    queue_ids: 'E7D4521A56E F00',
    reverse_path: 'a@example.com',
    size: '684',
    ended: 'true',
    dsns: '2',
    dsn_kinds: 'failure double_bounce',
    dsn_outcomes: 'failed unknown',
    suppressed: 'spf=softfail',
    outcome: 'delivered',
    relay: '',
  });
});

test('CSV has one row for a chain whose recipients are unknown', () => {
  const rows = chainCsvRows(exampleChain({ recipients: [] }));
  expect(rows.length).toBe(1);
  expect(rows[0].length).toBe(chainCsvHeader().length);
});

test('CSV tells the null reverse-path from an unknown one', () => {
  const column = chainCsvHeader().indexOf('reverse_path');
  expect(chainCsvRows(exampleChain({ reverse_path: '' }))[0][column]).toBe('<>');
  expect(chainCsvRows(exampleChain({ reverse_path: null }))[0][column]).toBeNull();
});

test('CSV of a hostile chain is one harmless line', async () => {
  const csv = (await csvFormatter())(chainCsvRows(hostileChain()));
  expect(csv.split('\r\n').length).toBe(2);
  expect(csv.trimEnd()).not.toMatch(/[\r\n]/);
  expect(csv).not.toMatch(ACTIVE);
  expect(csv).not.toMatch(/(^|,)"?=/);
});

test('text is a short block: message, recipients, DSNs below each other, marks', () => {
  expect(chainText(exampleChain(), { color: false, zone: '+02:00' })).toBe(
    `E7D4521A56E  2026-07-01 08:00:01 UTC+2, postfix on mx1, also F00
  from <a@example.com>, 684 bytes, by SMTP from mail32.example.net[198.51.100.137], Message-ID <1@example.com>
  to <b@example.net> (orig. <c@example.org>): failed 5.1.1, by mx.example.net[192.0.2.1]:25, 2 attempts
      550 5.1.1 no such user
  to <d@example.net>: delivered 2.0.0
    DSN (failure) 0B1C221A59F to <a@example.com>: failed 5.4.4
      DSN (double bounce) to <postmaster>: unknown
          undeliverable
  DSN suppressed: spf=softfail
  suspect: likely backscatter, score 70: accepted_then_refused_by_next_hop

`,
  );
});

test('text of a bare chain has no empty parts', () => {
  const bare = exampleChain({
    mta: 'qmail',
    host: null,
    qp: 4711,
    queue_ids: ['E7D4521A56E'],
    message_id: null,
    reverse_path: null,
    size: null,
    origin: { kind: 'unknown', client_ip: null, client_name: null, auth_user: null },
    first_seen: null,
    ended: false,
    headless: true,
    recipients: [],
    dsns: [],
    suppressed: null,
    suspect: null,
  });
  expect(chainText(bare, { color: false })).toBe(
    'E7D4521A56E  at an unknown time, qmail, qp 4711, beginning not in the log, not ended\n  from an unknown sender\n\n',
  );
});

test('text of a hostile chain is visible and keeps its lines', () => {
  const text = chainText(hostileChain(), { color: false });
  expect(text).not.toMatch(ACTIVE);
  expect(text).not.toContain('\r');
  expect(text.trimEnd().split('\n').length).toBe(8);
});

test('a DSN that names itself as its parent hangs nothing', () => {
  const [dsn] = exampleChain().dsns;
  const dsns = Array.from({ length: 50 }, () => ({ ...dsn, queue_id: 'A', parent_queue_id: 'A' }));
  const lines = chainText(exampleChain({ dsns }), { color: false }).split('\n');
  expect(Math.max(...lines.map((line) => line.search(/\S/)))).toBeLessThan(20);
});
