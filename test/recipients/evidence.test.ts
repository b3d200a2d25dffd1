/** What a log proves about addresses. */
import { describe, expect, test } from 'vitest';
import { DAY, listOf, type Mail, plenty, postfixLog, UNKNOWN } from './logs.ts';

function states(mails: readonly Mail[], options?: Parameters<typeof listOf>[1]): Record<string, string> {
  const { recipients } = listOf(postfixLog(mails), options);
  return Object.fromEntries(recipients.map(({ address, state }) => [address, state]));
}

describe('a delivery proves an address valid, an unknown user proves it invalid', () => {
  test('with counts, first and last time', () => {
    const { recipients } = listOf(
      postfixLog([
        { to: 'bob@corp.test', at: 0, result: 'sent' },
        { to: 'bob@corp.test', at: DAY, result: 'sent' },
        { to: 'gone@corp.test', at: DAY, result: UNKNOWN },
        { to: 'bob@elsewhere.test', at: DAY, result: 'sent' },
        { to: 'bob@sub.corp.test', at: DAY, result: 'sent' },
      ]),
    );
    expect(recipients).toEqual([
      {
        address: 'bob@corp.test',
        domain: 'corp.test',
        state: 'valid',
        deliveries: 2,
        refusals: 0,
        undecided: 0,
        first_seen: '2026-11-01T12:00:01.000Z',
        last_delivered: '2026-11-02T12:00:01.000Z',
        last_refused: null,
        status: '2.0.0',
        relay: 'store[192.0.2.9]:25',
        reply: '250 2.0.0 Ok',
        unfit: null,
      },
      expect.objectContaining({
        address: 'gone@corp.test',
        state: 'invalid',
        deliveries: 0,
        refusals: 1,
        last_refused: '2026-11-02T12:00:01.000Z',
        status: '5.1.1',
      }),
    ]);
  });

  test('what says nothing about the address proves nothing', () => {
    expect(
      states([
        { to: 'full@corp.test', at: 0, result: { dsn: '5.2.2', reply: '552 5.2.2 Over quota' } },
        { to: 'spam@corp.test', at: 0, result: { dsn: '5.7.1', reply: '554 5.7.1 Spam' } },
        {
          to: 'late@corp.test',
          at: 0,
          result: { dsn: '4.4.1', reply: 'connection timed out' },
          status: 'deferred',
        },
      ]),
    ).toEqual({ 'full@corp.test': 'unknown', 'spam@corp.test': 'unknown', 'late@corp.test': 'unknown' });
  });

  test('a refusal by our own server proves nothing: it may only lack the address', () => {
    const log =
      '2026-11-02T12:00:00Z mx postfix/smtpd[1]: NOQUEUE: reject: RCPT from c[198.51.100.7]: 550 5.1.1 <new@corp.test>: Recipient address rejected: User unknown in relay recipient table; from=<a@b.test> to=<new@corp.test> proto=ESMTP helo=<c>\n';
    expect(listOf(log).recipients).toEqual([]);
  });

  test('address probes count as what the next hop said', () => {
    expect(
      states([
        { to: 'there@corp.test', at: 0, result: 'sent', status: 'deliverable' },
        { to: 'nobody@corp.test', at: 0, result: UNKNOWN, status: 'undeliverable' },
      ]),
    ).toEqual({ 'there@corp.test': 'valid', 'nobody@corp.test': 'invalid' });
  });
});

describe('aliases', () => {
  test('the original address is as valid as the one behind it', () => {
    expect(states([{ to: 'bob@corp.test', orig: 'sales@corp.test', at: 0, result: 'sent' }])).toEqual({
      'bob@corp.test': 'valid',
      'sales@corp.test': 'valid',
    });
  });

  test('a dead target says nothing about its alias', () => {
    expect(states([{ to: 'gone@corp.test', orig: 'sales@corp.test', at: 0, result: UNKNOWN }])).toEqual({
      'gone@corp.test': 'invalid',
      'sales@corp.test': 'unknown',
    });
  });

  test('a rewritten domain is the same user', () => {
    expect(states([{ to: 'Gone@store.test', orig: 'gone@corp.test', at: 0, result: UNKNOWN }])).toEqual({
      'gone@corp.test': 'invalid',
    });
  });
});

describe('delivered and refused', () => {
  const hour = DAY / 24;

  test('an hour without users does not make anybody invalid', () => {
    const outage = [0, 1, 2, 3].map((i) => ({
      to: 'user0@corp.test',
      at: 10 * DAY + (i * hour) / 4,
      result: UNKNOWN,
    }));
    expect(states([...plenty(), ...outage])['user0@corp.test']).toBe('valid');
  });

  test('who is refused for a day is gone', () => {
    const refused = [0, 24].map((i) => ({ to: 'user0@corp.test', at: 10 * DAY + i * hour, result: UNKNOWN }));
    const { recipients, domains } = listOf(postfixLog([...plenty(), ...refused]));
    expect(recipients[0]).toMatchObject({
      address: 'user0@corp.test',
      state: 'invalid',
      deliveries: 20,
      refusals: 2,
    });
    expect(domains[0]).toMatchObject({ valid: 4, invalid: 1, conflicting: 1 });
  });

  test('a delivery after that makes it valid again', () => {
    const refused = [0, 24].map((i) => ({ to: 'user0@corp.test', at: 10 * DAY + i * hour, result: UNKNOWN }));
    const back: Mail = { to: 'user0@corp.test', at: 12 * DAY, result: 'sent' };
    expect(states([...plenty(), ...refused, back])['user0@corp.test']).toBe('valid');
  });
});

describe('spelling', () => {
  test('case is folded, in both parts', () => {
    const { recipients } = listOf(
      postfixLog([
        { to: 'Bob@corp.test', at: 0, result: 'sent' },
        { to: 'bob@CORP.Test', at: 0, result: 'sent' },
      ]),
    );
    expect(recipients).toMatchObject([{ address: 'bob@corp.test', deliveries: 2 }]);
  });

  test('another spelling refused does not count against the one that was delivered', () => {
    const refused = [11, 12, 13].map((day) => ({ to: 'USER0@corp.test', at: day * DAY, result: UNKNOWN }));
    expect(states([...plenty(), ...refused])['user0@corp.test']).toBe('valid');
  });

  test('extensions are addresses of their own, or with a delimiter their user', () => {
    const mails: Mail[] = [
      { to: 'bob+a@corp.test', at: 0, result: 'sent' },
      { to: 'bob-b@corp.test', at: 0, result: 'sent' },
      { to: 'owner-list@corp.test', at: 0, result: 'sent' },
      { to: '+x@corp.test', at: 0, result: 'sent' },
    ];
    expect(Object.keys(states(mails))).toEqual([
      '+x@corp.test',
      'bob+a@corp.test',
      'bob-b@corp.test',
      'owner-list@corp.test',
    ]);
    expect(Object.keys(states(mails, { delimiter: '+' }))).toEqual([
      '+x@corp.test',
      'bob-b@corp.test',
      'bob@corp.test',
      'owner-list@corp.test',
    ]);
    expect(Object.keys(states(mails, { delimiter: '+-' }))).toEqual([
      '+x@corp.test',
      'bob@corp.test',
      'owner-list@corp.test',
    ]);
  });

  test('qmail: a refused address with _ may have been another one', () => {
    const log = `
@400000006b00fa5f01000000 new msg 1
@400000006b00fa5f01000001 info msg 1: bytes 345 from <one@example.com> qp 145 uid 1002
@400000006b00fa5f01000002 starting delivery 1: msg 1 to local john_doe@corp.test
@400000006b00fa5f01000003 delivery 1: failure: Sorry,_no_mailbox_here_by_that_name._(#5.1.1)/
@400000006b00fa5f01000004 starting delivery 2: msg 1 to local johndoe@corp.test
@400000006b00fa5f01000005 delivery 2: failure: Sorry,_no_mailbox_here_by_that_name._(#5.1.1)/
@400000006b00fa5f01000006 end msg 1
`.trimStart();
    const { recipients, refusals_ambiguous: ambiguous } = listOf(log);
    expect(recipients.map(({ address, state }) => [address, state])).toEqual([
      ['john_doe@corp.test', 'unknown'],
      ['johndoe@corp.test', 'invalid'],
    ]);
    expect(ambiguous).toBe(1);
  });
});

describe('enough for a map', () => {
  const reasons = (mails: readonly Mail[]) => listOf(postfixLog(mails)).domains[0].too_little;

  test('a hundred deliveries to five users in ten days are', () => expect(reasons(plenty())).toEqual([]));

  test('few deliveries, few days, and many users seen once are not', () => {
    expect(reasons(plenty().slice(0, 3))).toEqual([
      '3 deliveries (at least 20)',
      '0.2 days of log (at least 7)',
      '3 addresses seen once only: about 100 % of the mail goes to addresses not seen yet (at most 10 %)',
    ]);
    const once = Array.from({ length: 20 }, (_, i) => ({
      to: `new${i}@corp.test`,
      at: i * DAY,
      result: 'sent' as const,
    }));
    expect(reasons([...plenty(), ...once])).toEqual([
      '20 addresses seen once only: about 17 % of the mail goes to addresses not seen yet (at most 10 %)',
    ]);
  });
});
