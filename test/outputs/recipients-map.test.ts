/** Maps: exact lines, and nothing in them that the log's authors wish for. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type MapFormat, recipientsMap } from '../../src/outputs/recipients-map.ts';
import { DAY, listOf, type Mail, plenty, postfixLog } from '../recipients/logs.ts';

const LINES: Record<MapFormat, RegExp> = {
  sendmail:
    /^(?:To:[a-z0-9_][a-z0-9._+=&'~-]*@corp\.test\tRELAY|To:corp\.test\terror:5\.1\.1:"550 User unknown")$/,
  postfix: /^[a-z0-9_][a-z0-9._+=&'~-]*@corp\.test\tOK$/,
  qmail: /^[a-z0-9_][a-z0-9._+=&'~-]*@corp\.test$/,
};
const FORMATS = Object.keys(LINES) as MapFormat[];

function entries(log: string | Uint8Array, format: MapFormat): string[] {
  return recipientsMap(listOf(log), format)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** Delivered to addresses with these local parts, as journalctl -o json: its strings can hold any character. */
function journal(locals: readonly string[]): string {
  return postfixLog(
    locals.map((local, i): Mail => ({ to: `${local}@corp.test`, at: i * DAY, result: 'sent' })),
  )
    .split(/\n(?=2026|$)/)
    .filter((line) => line !== '')
    .map((line) => {
      const [, time, tag, pid, message] = /^(\S+) mx ([^[]+)\[(\d+)\]: (.*)$/s.exec(line) ?? [];
      return JSON.stringify({
        __REALTIME_TIMESTAMP: String(Date.parse(time) * 1000),
        _HOSTNAME: 'mx',
        SYSLOG_IDENTIFIER: tag,
        SYSLOG_PID: pid,
        MESSAGE: message,
      });
    })
    .join('\n');
}

describe('lines', () => {
  const users = ['user0', 'user1', 'user2', 'user3', 'user4'];

  test('sendmail: RELAY for each, the closing error last', () => {
    expect(entries(postfixLog(plenty()), 'sendmail')).toEqual([
      'To:postmaster@corp.test\tRELAY',
      ...users.map((user) => `To:${user}@corp.test\tRELAY`),
      'To:corp.test\terror:5.1.1:"550 User unknown"',
    ]);
  });

  test('Postfix and qmail: the addresses, and postmaster', () => {
    const all = ['postmaster', ...users].map((user) => `${user}@corp.test`);
    expect(entries(postfixLog(plenty()), 'postfix')).toEqual(all.map((address) => `${address}\tOK`));
    expect(entries(postfixLog(plenty()), 'qmail')).toEqual(all);
  });

  test('the comments say of when it is and what it lacks', () => {
    const map = recipientsMap(listOf(postfixLog(plenty())), 'postfix');
    expect(map).toContain('2026-11-01T12:00:00.000Z to 2026-11-11T09:36:01.000Z');
    expect(map).toMatch(/^# Valid addresses without mail in that time are missing here/m);
  });
});

describe('hostile addresses', () => {
  const hostile = [
    'a b',
    '"a b"',
    'a"b',
    'a:b',
    '#a',
    '-a',
    '.a',
    'a%corp.example',
    'corp.example!a',
    'a/../b',
    'a\\b',
    'a\nTo:evil.example\tRELAY\n#',
    'a\tRELAY',
    'a\x00b',
    'a\x1b[2Jb',
    'bj\u00f6rn',
    '\u202eevil',
    'a*',
    '$(id)',
    '`id`',
    'a@evil.example',
    'SRS0=abcd=xy=example.com=joe',
    'prvs=1234567890=joe',
    'x'.repeat(65),
  ];

  test.each(FORMATS)('%s: none of them is in the map', (format) => {
    expect(
      entries(journal([...hostile, 'good']), format).filter((line) => !/corp\.test\terror/.test(line)),
    ).toEqual(entries(journal(['good']), format).filter((line) => !/corp\.test\terror/.test(line)));
  });

  test('they are counted', () => {
    const list = listOf(journal([...hostile, 'good']));
    expect(list.domains[0].unfit.temporary).toBe(2);
    expect(list.domains[0].unfit.characters).toBeGreaterThanOrEqual(17);
    expect(list.domains[0].valid).toBe(
      list.domains[0].unfit.temporary + list.domains[0].unfit.characters + 1,
    );
  });

  test('whatever a local part is, every line has the form of a map line', () => {
    const local = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.string({ unit: fc.constantFrom(...'aA0.+-_#:" \t\n\\%!@<>(),=\'&~/'), maxLength: 12 }),
    );
    fc.assert(
      fc.property(fc.array(local, { maxLength: 8 }), (locals) => {
        const log = journal(locals);
        for (const format of FORMATS)
          for (const line of entries(log, format)) expect(line).toMatch(LINES[format]);
      }),
      { numRuns: 300 },
    );
  });

  test('bytes that are no UTF-8', () => {
    const log = Buffer.from(postfixLog([{ to: 'b\u00e9@corp.test', at: 0, result: 'sent' }]), 'latin1');
    for (const format of FORMATS)
      expect(entries(log, format).filter((line) => !/postmaster|error/.test(line))).toEqual([]);
  });
});
