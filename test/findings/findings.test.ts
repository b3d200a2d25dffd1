/** Each finding: the log that shows it, what it says, and the log that does not. */
import { describe, expect, test } from 'vitest';
import { severityOf } from '../../src/findings/rule.ts';
import type { Finding } from '../../src/summary/report.ts';
import { judged, postfixStory, SENT_HERE, SENT_OUT, times } from '../support/judged.ts';

const QUIET = judged(postfixStory({ attempt: SENT_OUT, dsn: null }));

function bounced(relay: string, dsn: string, said: string): string {
  return `relay=${relay}, delay=1, delays=0/0/0/1, dsn=${dsn}, status=bounced (${said})`;
}

/** The lines of the remedies for an MTA. */
function linesFor(finding: Finding | undefined, mta: Finding['remedies'][number]['mta']): string[] {
  return (finding?.remedies ?? []).filter((remedy) => remedy.mta === mta).flatMap(({ lines }) => lines);
}

test('a quiet log has none', () => expect(QUIET.report.findings).toEqual([]));

test('every finding has evidence, a reason, and remedies with their source', () => {
  const { findings } = judged(
    [
      times(12, () => ({})),
      postfixStory({ id: 'B0000001', attempt: bounced('local', '5.1.1', 'unknown user: "x"') }),
      postfixStory({ id: 'B0000002', attempt: SENT_HERE, dsn: 'delivery status' }),
    ].join('\n'),
  ).report;
  expect(findings.length).toBeGreaterThan(3);
  for (const finding of findings) {
    expect(finding.text, finding.id).toMatch(/\d/);
    expect(finding.why.length, finding.id).toBeGreaterThan(20);
    expect(finding.examples.length, finding.id).toBeGreaterThan(0);
    expect(finding.examples.length, finding.id).toBeLessThan(4);
    for (const remedy of finding.remedies) expect(remedy.source, finding.id).not.toBe('');
  }
});

test('the next hop refuses: domain and hop by name, and the lines for the MTA concerned only', () => {
  const finding = judged(times(12, () => ({}))).finding('next_hop_refuses');
  expect(finding).toMatchObject({
    severity: 'critical',
    counts: { messages: 12, next_hops: 1, domains: 1 },
    concerns: [{ key: 'store.example.org via store.example.org[203.0.113.20]:25', count: 12 }],
    examples: [{ queue_id: 'A0000001' }, { queue_id: 'A0000002' }, { queue_id: 'A0000003' }],
  });
  expect(linesFor(finding, 'postfix')).toContain('relay_recipient_maps = hash:/etc/postfix/relay_recipients');
  expect(linesFor(finding, 'sendmail')).toEqual([]);
});

test('a domain of the log stands in a line to be copied only if it is one', () => {
  const finding = judged(postfixStory({ to: 'u@x"; rm -rf ~;.example' })).finding('next_hop_refuses');
  expect(finding).toBeDefined();
  expect(finding?.remedies.map(({ text, lines }) => text + lines.join('')).join('')).not.toContain('rm -rf');
});

test('unknown local users', () => {
  const attempt = bounced('local', '5.1.1', 'unknown user: "nobody"');
  const finding = judged(postfixStory({ attempt })).finding('unknown_local_users');
  expect(finding).toMatchObject({
    severity: 'warning',
    counts: { messages: 1 },
    concerns: [{ key: 'local' }],
  });
  expect(linesFor(finding, 'postfix')).toContain('smtpd_reject_unlisted_recipient = yes');
  // A full mailbox is no unknown user.
  const full = bounced('local', '5.2.2', 'mailbox full');
  expect(judged(postfixStory({ attempt: full })).finding('unknown_local_users')).toBeUndefined();
});

test('the content is refused behind us', () => {
  const attempt = bounced(
    'store.example.org[203.0.113.20]:25',
    '5.7.1',
    'host store.example.org[203.0.113.20] said: 554 5.7.1 no (in reply to end of DATA command)',
  );
  expect(judged(postfixStory({ attempt })).finding('content_refused')).toMatchObject({
    counts: { messages: 1 },
  });
});

test('return receipts: DSN off on port 25 only', () => {
  const finding = judged(postfixStory({ attempt: SENT_HERE, dsn: 'delivery status' })).finding(
    'return_receipts',
  );
  expect(finding).toMatchObject({ severity: 'warning', concerns: [{ key: 'example.com', count: 1 }] });
  expect(linesFor(finding, 'postfix')).toEqual([
    'smtp inet n - y - - smtpd',
    '  -o smtpd_discard_ehlo_keywords=silent-discard,dsn',
  ]);
});

test('Delivered-To loops: soft_bounce, and what it costs', () => {
  const attempt = bounced('dovecot', '5.4.6', 'mail forwarding loop for joe@example.org');
  const finding = judged(postfixStory({ attempt, to: 'joe@example.org' })).finding('delivered_to_loops');
  expect(finding).toMatchObject({
    counts: { messages: 1, local: 1 },
    concerns: [{ key: 'joe@example.org' }],
  });
  expect(linesFor(finding, 'postfix')).toContain('  -o soft_bounce=yes');
  expect(finding?.remedies[0].text).toContain('What it costs');
});

test('failed SPF and still a DSN: the part that would be suppressed', () => {
  const log = [
    postfixStory({ before: ['opendmarc[7]: A0000001: SPF(mailfrom): example.com fail'] }),
    postfixStory({ id: 'B0000001' }),
  ].join('\n');
  const finding = judged(log).finding('failed_spf');
  expect(finding?.text).toContain('50.0 % of all 2 would be suppressed');
  expect(finding?.counts).toEqual({ messages: 1, dsns: 1, actual: 2 });
});

test('the WIDE patch: marks, ratio, and the map that lacks a host', () => {
  const mark = `
    Jul 15 10:15:31 mx sendmail[9]: 06FAFTbL012697: from=<a@example.com>, size=1, class=0, nrcpts=1, msgid=<1@example.net>, proto=ESMTP, daemon=MTA, relay=c [198.51.100.9]
    Jul 15 10:15:31 mx sendmail[9]: 06FAFTbL012697: clear DSN flags for suppressing (spf=fail)
    Jul 15 10:15:31 mx sendmail[9]: 06FAFTbL012697: to=<u@example.org>, delay=00:00:01, xdelay=00:00:00, mailer=esmtp, pri=3, relay=s. [203.0.113.20], dsn=5.1.1, stat=User unknown`;
  expect(judged(mark).finding('wide_suppression')).toMatchObject({
    severity: 'info',
    counts: { marked: 1, suppressed: 1, estimated: 1, actual: 0, header_ignored: 0 },
    examples: [{ mta: 'sendmail', queue_id: '06FAFTbL012697' }],
  });
  const missing =
    'Jul 15 10:15:31 mx sendmail[9]: 06FAFTbL012697: SPF receiver host is not found (maybe map is not defined), ignore this header';
  const finding = judged(`${mark}\n${missing}`).finding('wide_suppression');
  expect(finding).toMatchObject({ severity: 'warning', counts: { header_ignored: 1 } });
  expect(linesFor(finding, 'sendmail')).toEqual(['mxhost.example.com         enabled']);
});

test('DSNs that cannot be delivered', () => {
  const fate = bounced(
    'mx.example.com[192.0.2.7]:25',
    '5.1.1',
    'host mx said: 550 (in reply to RCPT TO command)',
  );
  expect(judged(postfixStory({ fate })).finding('undeliverable_dsns')).toMatchObject({
    severity: 'info',
    counts: { failed: 1, waiting: 0 },
    concerns: [{ key: 'example.com', count: 1 }],
  });
  expect(judged(times(12, () => ({ fate }))).finding('undeliverable_dsns')?.severity).toBe('critical');
});

test('a storm: one hour with far more DSNs than the others', () => {
  const storm = (i: number) => ({ id: `C${String(i).padStart(7, '0')}` });
  const calm = Array.from({ length: 5 }, (_, i) =>
    postfixStory({ id: `B000000${i}` }).replaceAll('10:15:31', `1${i + 1}:15:31`),
  );
  const log = [...Array.from({ length: 120 }, (_, i) => postfixStory(storm(i))), ...calm].join('\n');
  const finding = judged(log).finding('dsn_storm');
  expect(finding).toMatchObject({ severity: 'critical', counts: { hours: 1, most_in_an_hour: 120 } });
  expect(finding?.concerns[0].key).toBe('2026-07-15T10:00Z');
  expect(judged(calm.join('\n')).finding('dsn_storm')).toBeUndefined();
});

describe('who is hit, and by whom', () => {
  const other = (i: number) => ({ from: `user${i}@victim${i % 7}.example`, client: `c[198.51.${i}.9]` });

  test('one address gets many DSNs', () => {
    const finding = judged(times(10, (i) => ({ ...other(i), from: 'victim@example.com' }))).finding(
      'bombed_victim',
    );
    expect(finding).toMatchObject({
      counts: { to_address: 10 },
      concerns: [{ key: 'victim@example.com', count: 10 }],
    });
    expect(finding?.examples.length).toBe(3);
    expect(
      judged(times(9, (i) => ({ ...other(i), from: 'victim@example.com' }))).finding('bombed_victim'),
    ).toBeUndefined();
  });

  test('one client is behind many', () => {
    const finding = judged(times(10, (i) => ({ ...other(i), client: 'c[198.51.100.9]' }))).finding(
      'one_client',
    );
    expect(finding).toMatchObject({ severity: 'warning', counts: { most_by_one: 10, clients: 1 } });
    expect(linesFor(finding, 'postfix')).toContain('198.51.100.9/32 REJECT');
    expect(judged(times(30, other)).finding('one_client')).toBeUndefined();
  });
});

describe('we are the victim', () => {
  const report = (i: number) => ({
    from: '',
    dsn: null,
    client: `mx${i}.example.net[203.0.113.${i}]`,
    to: 'alice@example.org',
    attempt: SENT_HERE,
  });

  test('null-sender mail from many hosts for somebody who sent nothing', () => {
    const finding = judged(times(6, report)).finding('we_are_the_victim');
    expect(finding).toMatchObject({
      severity: 'warning',
      counts: { messages: 6, recipients: 1, most_clients: 6 },
      concerns: [{ key: 'alice@example.org', count: 6 }],
    });
    expect(finding?.undecided).toContain('Out-of-office');
  });

  test('not for somebody who did send, and not from one host', () => {
    const sent = postfixStory({
      id: 'B0000001',
      from: 'alice@example.org',
      client: 'c[198.51.100.7], sasl_method=PLAIN, sasl_username=alice',
      attempt: SENT_OUT,
      dsn: null,
    });
    expect(judged(`${times(6, report)}\n${sent}`).finding('we_are_the_victim')).toBeUndefined();
    const oneHost = times(6, (i) => ({ ...report(i), client: 'mx[203.0.113.1]' }));
    expect(judged(oneHost).finding('we_are_the_victim')).toBeUndefined();
  });
});

test('delay warnings', () => {
  const attempt = 'relay=none, delay=1, delays=0/0/0/1, dsn=4.4.1, status=deferred (Connection timed out)';
  expect(judged(postfixStory({ attempt, dsn: 'delay' })).finding('delay_warnings')).toMatchObject({
    severity: 'info',
    counts: { messages: 1 },
  });
});

describe('sender identity', () => {
  const as = (user: string, from: string) => ({
    from,
    client: `c[198.51.100.7], sasl_method=PLAIN, sasl_username=${user}`,
    attempt: SENT_OUT,
    dsn: null,
  });

  test.each([
    ['joe', 'joe@example.org'],
    ['joe@example.org', 'Joe@Example.org'],
    ['joe@example.org', 'joe+list@example.org'],
  ])('%s may be %s', (user, from) => {
    expect(judged(postfixStory(as(user, from))).finding('sender_identity')).toBeUndefined();
  });

  test('somebody else’s reverse-path is told, many domains are a warning', () => {
    const one = judged(postfixStory(as('joe@example.org', 'jane@example.org'))).finding('sender_identity');
    expect(one).toMatchObject({ severity: 'info', counts: { messages: 1, authenticated: 1, logins: 1 } });
    const many = judged(times(6, (i) => as('joe', `x@d${i}.example`))).finding('sender_identity');
    expect(many).toMatchObject({ severity: 'warning', counts: { most_domains: 6 } });
    expect(linesFor(many, 'postfix').join('\n')).toContain('reject_authenticated_sender_login_mismatch');
  });
});

test('local submission by the web server, and by a program with many reverse-paths', () => {
  const by = (uid: number, from: string) => ({ client: `uid=${uid}`, from, attempt: SENT_OUT, dsn: null });
  expect(judged(postfixStory(by(33, 'www-data@example.org'))).finding('local_bypass')).toMatchObject({
    severity: 'info',
    concerns: [{ key: 'uid 33', count: 1 }],
  });
  expect(judged(postfixStory(by(1000, 'joe@example.org'))).finding('local_bypass')).toBeUndefined();
  const script = judged(times(10, (i) => by(1000, `u${i}@example.org`))).finding('local_bypass');
  expect(script).toMatchObject({ severity: 'warning', counts: { reverse_paths: 10 } });
});

test('the original recipient is lost before a pipe', () => {
  const sent =
    'relay=dovecot, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (delivered via dovecot service)';
  const log = postfixStory({ attempt: sent, dsn: null });
  expect(judged(log).finding('original_recipient_lost')).toBeUndefined();
  const rewritten = log.replace(
    'to=<u@store.example.org>,',
    'to=<u@store.example.org>, orig_to=<alias@example.org>,',
  );
  expect(judged(rewritten).finding('original_recipient_lost')).toMatchObject({
    severity: 'info',
    concerns: [{ key: 'dovecot', count: 1 }],
  });
});

test('severity is by part and by number, and a few are never critical', () => {
  const { report } = QUIET;
  const facts = (incoming: number) =>
    ({ report: { ...report, statistics: { ...report.statistics, incoming } } }) as Parameters<
      typeof severityOf
    >[1];
  expect(severityOf(9, facts(9))).toBe('warning');
  expect(severityOf(10, facts(200))).toBe('critical');
  expect(severityOf(10, facts(201))).toBe('warning');
  expect(severityOf(1000, facts(1_000_000))).toBe('critical');
});
