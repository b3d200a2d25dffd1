/** One chain at a time: who is a suspect, why, and how sure that is. */
import { describe, expect, test } from 'vitest';
import { judged, postfixStory, SENT_HERE, SENT_OUT, times } from '../support/judged.ts';

const FAILED_DSN =
  'relay=mx.example.com[192.0.2.7]:25, delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (host mx.example.com[192.0.2.7] said: 550 5.1.1 <victim@example.com>: User unknown (in reply to RCPT TO command))';
const WAITING =
  'relay=none, delay=1, delays=0/0/0/1, dsn=4.4.1, status=deferred (connect to mx.example.com[192.0.2.7]:25: Connection timed out)';

describe('a stranger hands in, the next hop refuses, the DSN goes outside', () => {
  test('likely: accepted, then refused', () => {
    expect(judged(postfixStory()).suspect).toEqual({
      verdict: 'likely',
      score: 60,
      reasons: ['accepted_then_refused_by_next_hop'],
    });
  });

  test('confirmed: nobody there for the DSN either', () => {
    expect(judged(postfixStory({ fate: FAILED_DSN })).suspect).toEqual({
      verdict: 'confirmed',
      score: 95,
      reasons: ['dsn_undeliverable', 'accepted_then_refused_by_next_hop'],
    });
  });

  test('a DSN that waits adds to it', () => {
    const { suspect } = judged(postfixStory({ fate: WAITING }).replace(/\n[^\n]*: D\w+: removed/, ''));
    expect(suspect).toMatchObject({ verdict: 'likely', score: 65 });
    expect(suspect?.reasons).toContain('dsn_stuck');
  });
});

describe('no suspect', () => {
  test.each([
    [
      'an authenticated user',
      { client: 'c.example.net[198.51.100.9], sasl_method=PLAIN, sasl_username=joe' },
    ],
    ['a client on loopback', { client: 'localhost[127.0.0.1]' }],
    ['a client in a private network', { client: 'pc[192.168.7.7]' }],
    ['a client in a private IPv6 network', { client: 'pc[fd00::7]' }],
    ['a local submission', { client: 'uid=1000' }],
    ['a sender whose DSN stays here', { fate: SENT_HERE }],
    ['a list that wants its bounces', { from: 'list-bounces+joe=example.org@lists.example.com' }],
    ['a message that was delivered', { attempt: SENT_OUT, dsn: null }],
    ['a null-sender message', { from: '', dsn: null }],
  ] as const)('%s', (_, story) => {
    expect(judged(postfixStory(story)).suspect).toBeNull();
  });

  test('a client that --inside names, and a domain that it names', () => {
    const network = { kind: 'network', family: 4, address: '198.51.100.0', prefix: 24 } as const;
    expect(judged(postfixStory(), [network]).suspect).toBeNull();
    expect(judged(postfixStory(), [{ kind: 'domain', name: 'example.com' }]).suspect).toBeNull();
    // Exactly the domain: what is below it belongs to somebody else until it is named.
    expect(judged(postfixStory(), [{ kind: 'domain', name: 'com' }]).suspect).not.toBeNull();
  });
});

describe('reasons', () => {
  const postfix = (relay: string, dsn: string, said: string) =>
    `relay=${relay}, delay=1, delays=0/0/0/1, dsn=${dsn}, status=bounced (${said})`;
  test.each([
    [
      'content_refused_after_accept',
      postfix(
        'store.example.org[203.0.113.20]:25',
        '5.7.1',
        'host store.example.org[203.0.113.20] said: 554 5.7.1 rejected (in reply to end of DATA command)',
      ),
      65,
    ],
    ['accepted_then_failed_locally', postfix('local', '5.1.1', 'unknown user: "nobody"'), 55],
    ['accepted_then_failed_locally', postfix('none', '5.1.1', 'User unknown in virtual alias table'), 55],
    ['loop', postfix('dovecot', '5.4.6', 'mail forwarding loop for joe@example.org'), 50],
    [
      'accepted_then_failed',
      postfix('none', '5.4.4', 'Host or domain name not found. Name service error for name=x.example'),
      30,
    ],
  ])('%s', (reason, attempt, score) => {
    expect(judged(postfixStory({ attempt })).suspect).toMatchObject({ score, reasons: [reason] });
  });

  test('a return receipt to a stranger', () => {
    expect(judged(postfixStory({ attempt: SENT_HERE, dsn: 'delivery status' })).suspect).toEqual({
      verdict: 'likely',
      score: 55,
      reasons: ['return_receipt'],
    });
  });

  test('a delay warning alone is possible only', () => {
    expect(judged(postfixStory({ attempt: WAITING, dsn: 'delay' })).suspect).toEqual({
      verdict: 'possible',
      score: 25,
      reasons: ['delay_warning'],
    });
  });
});

test('the tenth suspect of a client, and the tenth for an address, are bursts, in chains and report alike', () => {
  const log = times(12, () => ({}));
  const { chains, report } = judged(log);
  const bursts = chains.filter(({ suspect }) => suspect?.reasons.includes('burst_from_client'));
  expect(bursts.length).toBe(3);
  expect(bursts[0].suspect).toMatchObject({ verdict: 'likely', score: 80 });
  expect(report.backscatter.reasons).toEqual({
    accepted_then_refused_by_next_hop: 12,
    burst_from_client: 3,
    many_dsns_to_one_address: 3,
  });
});

describe('sendmail', () => {
  const sendmail = (relay: string, child: string) => `
    Jul 15 10:15:31 mx sm-mta[12]: 06FAFTbL012697: from=<victim@example.com>, size=121, class=0, nrcpts=1, msgid=<1@example.net>, proto=ESMTP, daemon=MTA, relay=${relay}
    Jul 15 10:15:31 mx sm-mta[12]: 06FAFTbL012697: to=<u@example.org>, delay=00:00:01, xdelay=00:00:00, mailer=esmtp, pri=30456, relay=store.example.org. [203.0.113.20], dsn=5.1.1, reply=550 5.1.1 User unknown, stat=User unknown
    Jul 15 10:15:31 mx sm-mta[12]: 06FAFTbL012697: 06FAFVbL012698: DSN: User unknown
    Jul 15 10:15:31 mx sm-mta[12]: 06FAFVbL012698: to=<victim@example.com>, delay=00:00:00, xdelay=00:00:00, ${child}, dsn=2.0.0, stat=Sent`;
  const OUT = 'mailer=esmtp, pri=30000, relay=mx.example.com. [192.0.2.7]';

  test('a stranger', () => {
    expect(judged(sendmail('c.example.net [198.51.100.9]', OUT)).suspect).toMatchObject({
      verdict: 'likely',
    });
  });

  test('authenticated (ESMTPSA), local, or a sender whose mailbox is here', () => {
    expect(judged(sendmail('c [198.51.100.9]', OUT).replace('=ESMTP,', '=ESMTPSA,')).suspect).toBeNull();
    expect(judged(sendmail('joe@localhost', OUT)).suspect).toBeNull();
    expect(judged(sendmail('c [198.51.100.9]', 'mailer=local, pri=30000, relay=local')).suspect).toBeNull();
  });
});

describe('qmail, which names no client', () => {
  const qmail = (channel: string, result: string) => `
    Jul 15 10:15:31 q qmail: 1600000001.000001 new msg 100
    Jul 15 10:15:31 q qmail: 1600000001.000002 info msg 100: bytes 500 from <victim@example.com> qp 7 uid 64011
    Jul 15 10:15:31 q qmail: 1600000001.000003 starting delivery 5: msg 100 to local nobody@example.org
    Jul 15 10:15:31 q qmail: 1600000001.000004 delivery 5: failure: Sorry,_no_mailbox_here_by_that_name._(#5.1.1)/
    Jul 15 10:15:31 q qmail: 1600000001.000005 bounce msg 100 qp 8
    Jul 15 10:15:31 q qmail: 1600000001.000006 end msg 100
    Jul 15 10:15:31 q qmail: 1600000001.000007 new msg 101
    Jul 15 10:15:31 q qmail: 1600000001.000008 info msg 101: bytes 900 from <> qp 8 uid 64015
    Jul 15 10:15:31 q qmail: 1600000001.000009 starting delivery 6: msg 101 to ${channel} victim@example.com
    Jul 15 10:15:31 q qmail: 1600000001.000010 delivery 6: ${result}
    Jul 15 10:15:31 q qmail: 1600000001.000011 end msg 101`;

  test('is never certain', () => {
    expect(judged(qmail('remote', 'success: 192.0.2.7_accepted_message./')).suspect).toEqual({
      verdict: 'likely',
      score: 40,
      reasons: ['accepted_then_failed_locally', 'client_unknown'],
    });
    expect(judged(qmail('remote', 'failure: 192.0.2.7_does_not_like_recipient./')).suspect).toMatchObject({
      verdict: 'likely',
      reasons: ['dsn_undeliverable', 'accepted_then_failed_locally', 'client_unknown'],
    });
  });

  test('a DSN to a mailbox of this host is inside', () => {
    expect(judged(qmail('local', 'success: did_1+0+0/')).suspect).toBeNull();
  });
});

test('a DSN to a bare user or to a domain of ours stays inside, in whatever case the domain was typed', () => {
  const ours = [{ kind: 'domain', name: 'example.com' }] as const;
  for (const from of ['root', 'victim@example.com', 'victim@EXAMPLE.com'])
    expect(judged(postfixStory({ from }), ours).suspect).toBeNull();
  const { suspect, report } = judged(postfixStory({ from: 'Victim@Sub.Example.COM' }), ours);
  expect(suspect).not.toBeNull();
  const victims = report.tables.find(({ name }) => name === 'suspect_victims');
  expect(victims?.rows).toEqual([{ key: 'Victim@sub.example.com', count: 1 }]);
});
