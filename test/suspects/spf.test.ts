/** SPF results that milters and policy daemons log, and whose message they are about. */
import { describe, expect, test } from 'vitest';
import { judged, postfixStory } from '../support/judged.ts';

const POLICYD =
  'policyd-spf[7]: Softfail; identity=mailfrom; client-ip=198.51.100.9; helo=mail.example.net; envelope-from=victim@example.com; receiver=u@store.example.org';

describe('Postfix', () => {
  test.each([
    ['policyd-spf', POLICYD],
    [
      'policyd-spf since 2.9',
      'policyd-spf[7]: prepend Received-SPF: Softfail (mailfrom) identity=mailfrom; client-ip=198.51.100.9; helo=mail.example.net; envelope-from=victim@example.com; receiver=<UNKNOWN>',
    ],
    [
      'postfix-policyd-spf-perl',
      'postfix/policy-spf[7]: : Policy action=PREPEND Received-SPF: softfail (example.com: text) receiver=mx1; identity=mailfrom; envelope-from="victim@example.com"; helo=mail.example.net; client-ip=198.51.100.9',
    ],
    ['smf-spf', 'smf-spf[7]: SPF softfail: ip=198.51.100.9, fqdn=f, helo=h, from=<victim@example.com>'],
    ['opendmarc, by id', 'opendmarc[7]: A0000001: SPF(mailfrom): example.com softfail'],
    [
      'rspamd, by id',
      'rspamd[7]: <1f2a3b>; proxy; rspamd_task_write_log: id: <1@example.net>, qid: <A0000001>, ip: 198.51.100.9, from: <victim@example.com>, (default: F (no action): [1.20/15.00] [MIME_GOOD(-0.10){text/plain;},R_SPF_SOFTFAIL(0.00){~all;}]), len: 500, time: 20ms',
    ],
    [
      'a milter that logs its header',
      'spf-milter[7]: A0000001: Authentication-Results: mx1; spf=softfail smtp.mailfrom=example.com',
    ],
  ])('%s', (_, line) => {
    const { suspect, report } = judged(postfixStory({ before: [line] }));
    expect(suspect).toEqual({
      verdict: 'likely',
      score: 70,
      reasons: ['spf_softfail', 'accepted_then_refused_by_next_hop'],
    });
    expect(report.backscatter.spf).toEqual({
      results: { softfail: 1 },
      would_suppress_dsns: 1,
      would_suppress_messages: 1,
      header_ignored: 0,
    });
    expect(report.input).toMatchObject({ foreign: 0, unrecognised: 0, malformed: 0 });
  });

  test('pass says that the sender is not forged: possible only', () => {
    const { suspect, report } = judged(postfixStory({ before: [POLICYD.replace('Softfail', 'Pass')] }));
    expect(suspect).toMatchObject({ verdict: 'possible' });
    expect(suspect?.reasons).toContain('spf_pass');
    expect(report.backscatter.spf.would_suppress_dsns).toBe(0);
  });

  test.each([
    ['another client', POLICYD.replace('198.51.100.9', '198.51.100.10')],
    ['another sender', POLICYD.replace('victim@', 'other@')],
    ['of HELO', POLICYD.replace('identity=mailfrom', 'identity=helo')],
    ['another id', 'opendmarc[7]: A0000002: SPF(mailfrom): example.com softfail'],
  ])('a result for %s is not this message’s', (_, line) => {
    expect(judged(postfixStory({ before: [line] })).report.backscatter.spf.results).toEqual({});
  });

  test('whatever else these programs say is foreign', () => {
    const { report } = judged(
      postfixStory({
        before: [
          'policyd-spf[7]: Starting',
          'postfix/policy-spf[7]: handler sender_policy_framework: is decisive.',
          'opendmarc[7]: A0000001: example.com fail',
          'rspamd[7]: <1f2a3b>; proxy; rspamd_message_parse: loaded message; id: <x>; queue-id: <A0000001>',
          'policyd-spf[7]: Bogus; identity=mailfrom; client-ip=; envelope-from=',
          'opendmarc[7]: ',
        ],
      }),
    );
    expect(report.input).toMatchObject({ foreign: 6, unrecognised: 0, malformed: 0 });
    expect(report.backscatter.spf.results).toEqual({});
  });
});

describe('sendmail', () => {
  const story = (line: string) => `
    Jul 15 10:15:31 mx ${line}
    Jul 15 10:15:31 mx sm-mta[12]: 06FAFTbL012697: from=<victim@example.com>, size=121, class=0, nrcpts=1, msgid=<1@example.net>, proto=ESMTP, daemon=MTA, relay=c.example.net [198.51.100.9]
    Jul 15 10:15:31 mx sm-mta[12]: 06FAFTbL012697: to=<u@example.org>, delay=00:00:01, xdelay=00:00:00, mailer=esmtp, pri=30456, relay=store.example.org. [203.0.113.20], dsn=5.1.1, reply=550 5.1.1 User unknown, stat=User unknown
    Jul 15 10:15:31 mx sm-mta[12]: 06FAFTbL012697: 06FAFVbL012698: DSN: User unknown
    Jul 15 10:15:31 mx sm-mta[12]: 06FAFVbL012698: to=<victim@example.com>, delay=00:00:00, xdelay=00:00:00, mailer=esmtp, pri=3, relay=mx.example.com. [192.0.2.7], dsn=2.0.0, stat=Sent`;

  test.each([
    'opendmarc[7]: 06FAFTbL012697: SPF(mailfrom): example.com fail',
    'sm-mta[12]: 06FAFTbL012697: Milter insert (1): header: Authentication-Results: mx.example.org; spf=fail smtp.mailfrom=victim@example.com',
    'sm-mta[12]: 06FAFTbL012697: Milter add: header: Received-SPF: Fail (mx.example.org: domain does not designate)',
    'smf-spf[7]: SPF fail: ip=198.51.100.9, fqdn=c.example.net, helo=c, from=<victim@example.com>',
  ])('%s', (line) => {
    const { suspect, report } = judged(story(line));
    expect(suspect?.reasons).toEqual(['spf_fail', 'accepted_then_refused_by_next_hop']);
    expect(report.backscatter.spf.results).toEqual({ fail: 1 });
  });
});
