import { describe, expect, it } from 'vitest';
import { Names } from '../../src/lines/names.ts';
import { Tags } from '../../src/lines/tags.ts';

describe('tags', () => {
  const PROGRAMS: [string, string, string, string][] = [
    ['postfix', 'postfix', 'postfix', ''],
    ['postfix/smtpd', 'postfix', 'postfix', 'smtpd'],
    ['postfix/sendmail', 'postfix', 'postfix', 'sendmail'],
    ['postfix/Submission/SMTPD', 'postfix', 'postfix', 'smtpd'],
    ['postfix-out/qmgr', 'postfix', 'postfix-out', 'qmgr'],
    ['postfix-out', 'postfix', 'postfix-out', ''],
    ['mail-in/trivial-rewrite', 'postfix', 'mail-in', 'trivial-rewrite'],
    ['/postfix-script', 'postfix', '', 'postfix-script'],
    ['/usr/sbin/sendmail', 'sendmail', '', 'sendmail'],
    ['sendmail', 'sendmail', '', ''],
    ['sm-mta', 'sendmail', '', ''],
    ['sm-msp-queue', 'sendmail', '', ''],
    ['sm-acceptingconnections', 'sendmail', '', ''],
    ['qmail', 'qmail', '', ''],
    ['qmail-smtpd', 'qmail', '', ''],
    ['splogger', 'qmail', '', ''],
    ['tcpserver', 'qmail', '', ''],
    ['spamdyke', 'qmail', '', ''],
    ['smtpd', 'other', '', ''],
    ['postfixadmin', 'other', '', ''],
    ['postfix-policyd-spf-perl', 'spf', '', ''],
    ['policyd-spf', 'spf', '', ''],
    ['postfix/policy-spf', 'spf', '', 'policy-spf'],
    ['opendmarc', 'spf', '', ''],
    ['rspamd', 'spf', '', ''],
    ['rspamd-exporter', 'other', '', ''],
    ['sendu473', 'other', '', ''],
    ['dovecot', 'other', '', ''],
  ];
  for (const [text, program, instance, daemon] of PROGRAMS) {
    it(`knows ${text} as ${program}`, () => {
      expect(new Tags().named(text)).toMatchObject({ text, program, instance, daemon });
    });
  }

  it('are the same object for the same bytes, and hold no memory of other programs without bound', () => {
    const tags = new Tags();
    const first = tags.named('program-0');
    for (let i = 0; i < 20000; i++) tags.named(`program-${i}`);
    expect(tags.named('program-0')).toBe(first);
    expect(tags.size).toBeLessThan(5000);
    expect(tags.named('program-19999').program).toBe('other');
    expect(tags.named('postfix/smtpd')).toMatchObject({ program: 'postfix' });
    expect(tags.named('postfix/smtpd')).toBe(tags.named('postfix/smtpd'));
  });
});

describe('host names', () => {
  it('have numbers from 1 on, the empty name has 0', () => {
    const names = new Names();
    const number = (text: string) => names.number(Buffer.from(`>${text}<`), 1, Buffer.byteLength(text) + 1);
    expect([number('mx'), number('mx.example.com'), number(''), number('mx')]).toEqual([1, 2, 0, 1]);
    expect([names.text(0), names.text(1), names.text(2), names.size]).toEqual([
      '',
      'mx',
      'mx.example.com',
      2,
    ]);
    for (let i = 0; i < 1000; i++) expect(names.text(number(`host-${i}`))).toBe(`host-${i}`);
  });
});
