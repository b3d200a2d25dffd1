import { describe, expect, it } from 'vitest';
import { yearEvidence } from '../../src/lines/clock.ts';

const year = (text: string, reference?: number) => yearEvidence(Buffer.from(text), reference);

describe('evidence for the year', () => {
  const LINES: [string, string, number][] = [
    ['a sendmail id', 'Jul 15 10:15:31 sm-mta[12697]: 06FAFTbL012697: from=<a@example.com>', 2020],
    [
      'a sendmail id behind Solaris’ id',
      'Jun 26 12:02:38 mx sendmail[2]: [ID 801593 mail.info] h5QG2YLj023291: x',
      2003,
    ],
    [
      'a sendmail id of this decade',
      'Nov 21 01:58:41 mx sm-mta[204]: 6AL1rels000204: from=<a@example.com>',
      2026,
    ],
    ['a long Postfix id', 'Nov 21 01:40:53 mx postfix/qmgr[3]: 4jWZfY5sp7zJc45: removed', 2026],
    [
      'a message-id of Postfix',
      'Nov 21 01:46:15 mx postfix/cleanup[3]: E7D4521A56E: message-id=<20261121014614.E7D4521A56E@mx1.corp.test>',
      2026,
    ],
    [
      'a msgid of sendmail',
      'Nov  9 12:01:31 mx sendmail[1]: AA01: from=r, msgid=<200511091901.jA9J1UvC004306@e>',
      2005,
    ],
    ['a stamp of splogger', 'Sep 14 09:58:12 gandalf qmail: 1063526292.782444 end msg 270182', 2003],
    ['a line of a container', 'mail-1  | Nov 21 01:40:53 mx postfix/qmgr[3]: 4jWZfY5sp7zJc45: removed', 2026],
  ];
  for (const [what, line, expected] of LINES) {
    it(`is ${what}`, () => {
      expect(year(line)).toBe(expected);
    });
  }

  it('is of the first stamp, also when it is found behind New Year', () => {
    expect(
      year(
        'Dec 31 23:59:24 mx postfix/smtpd[3]: connect from unknown[198.51.100.137]\n' +
          'Jan  1 00:00:02 mx postfix/smtpd[3]: connect from unknown[198.51.100.137]\n' +
          'Dec 31 23:59:59 mx postfix/smtpd[3]: connect from unknown[198.51.100.137]\n' +
          'Jan  1 09:58:12 mx qmail: 1798797492.782444 end msg 270182\n',
      ),
    ).toBe(2026);
  });

  it('is of the stamp’s year where local time and UTC are in different ones', () => {
    expect(year('Jan  1 00:30:00 mx qmail: 1798759800.782444 end msg 270182')).toBe(2027);
  });

  it('is none when the day does not fit, nor for stamps with a year', () => {
    expect(year('Dec 31 10:15:31 sm-mta[12697]: 06FAFTbL012697: from=<a@example.com>')).toBeNull();
    expect(year('2026-11-21T01:40:53+00:00 mx postfix/qmgr[3]: 4jWZfY5sp7zJc45: removed')).toBeNull();
    expect(year('Nov 21 01:40:53 mx postfix/qmgr[3]: E7D4521A56E: removed')).toBeNull();
    expect(year('')).toBeNull();
  });

  it('is what most lines say', () => {
    const wrong =
      'Nov 21 01:40:53 mx postfix/cleanup[3]: AAAAAAA: message-id=<20191121014614.E7D4521A56E@elsewhere>\n';
    const right = 'Nov 21 01:40:53 mx postfix/qmgr[3]: 4jWZfY5sp7zJc45: removed\n';
    expect(year(wrong + right + right)).toBe(2026);
  });

  it('is a leap day, when the newest possible time is known', () => {
    const lines = 'Feb 28 01:40:53 mx postfix/x[3]: a\nFeb 29 01:40:53 mx postfix/x[3]: a\n';
    expect(year(lines)).toBeNull();
    expect(year(lines, Date.UTC(2026, 10, 21))).toBe(2024);
  });
});
