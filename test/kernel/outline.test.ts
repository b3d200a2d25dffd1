/**
 * Chains with the same outline are counted by what was found out about the first of them; whatever makes a difference to
 * the report makes another outline.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answer, expectSameApart } from '../support/course.ts';

interface Who {
  /** Of the chain: its ids and minute are its own. */
  readonly n: number;
  readonly ip: string;
  readonly from: string;
  readonly to: string;
  readonly hop: string;
}

type Chain = (who: Who) => string[];

const who = (n: number): Who => ({
  n,
  ip: `198.51.100.${n}`,
  from: `sender${n}@victim${n}.example`,
  to: `nobody${n}@corp.example`,
  hop: `203.0.113.${n}`,
});

const clock = (n: number, second: number): string =>
  `${10 + Math.floor(n / 60)}:${String(n % 60).padStart(2, '0')}:0${second}`;

const postfix: Chain = ({ n, ip, from, to, hop }) => {
  const line = (second: number, daemon: string, text: string) =>
    `Nov 21 ${clock(n, second)} mx postfix/${daemon}[7]: ${text}`;
  const [id, dsn] = [`A0000000${100 + n}`, `B0000000${100 + n}`];
  return [
    line(0, 'smtpd', `${id}: client=unknown[${ip}]`),
    line(0, 'cleanup', `${id}: message-id=<${n}@c.example>`),
    line(0, 'qmgr', `${id}: from=<${from}>, size=500, nrcpt=1 (queue active)`),
    line(
      1,
      'smtp',
      `${id}: to=<${to}>, relay=store${n}.example[${hop}]:25, delay=0.1${n}, delays=0/0/0/0.1, dsn=5.1.1, status=bounced (host store${n}.example[${hop}] said: 550 5.1.1 <${to}>: User unknown (in reply to RCPT TO command))`,
    ),
    line(2, 'cleanup', `${dsn}: message-id=<${n}.b@mx.example>`),
    line(2, 'qmgr', `${dsn}: from=<>, size=2500, nrcpt=1 (queue active)`),
    line(2, 'bounce', `${id}: sender non-delivery notification: ${dsn}`),
    line(2, 'qmgr', `${id}: removed`),
    line(
      3,
      'smtp',
      `${dsn}: to=<${from}>, relay=mx${n}.example[192.0.2.${n}]:25, delay=0.1, delays=0/0/0/0.1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as C${n}FFFFF)`,
    ),
    line(4, 'qmgr', `${dsn}: removed`),
  ];
};

/** The same, with the message under another id first: which `then` says once the other one has begun. */
function goneOn({ n, ip, from, to }: Who, then: string, lines: readonly string[]): string[] {
  const id = `D0000000${100 + n}`;
  const line = (second: number, daemon: string, text: string) =>
    `Nov 21 ${clock(n, second)} mx postfix/${daemon}[7]: ${id}: ${text}`;
  const [first, second, third, ...others] = lines;
  return [
    line(0, 'smtpd', `client=unknown[${ip}]`),
    line(0, 'cleanup', `message-id=<${n}@c.example>`),
    line(0, 'qmgr', `from=<${from}>, size=500, nrcpt=1 (queue active)`),
    ...(then.includes('forwarded') ? [] : [first]),
    second,
    third,
    line(1, then.includes('forwarded') ? 'local' : 'smtp', `to=<${to}>, ${then} A0000000${100 + n})`),
    line(1, 'qmgr', 'removed'),
    ...others,
  ];
}

const filtered: Chain = (who) =>
  goneOn(
    who,
    'relay=127.0.0.1[127.0.0.1]:10024, delay=0.2, delays=0/0/0/0.2, dsn=2.0.0, status=sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as',
    postfix({ ...who, ip: '127.0.0.1' }),
  );

const forwarded: Chain = (who) =>
  goneOn(
    who,
    'relay=local, delay=0.1, delays=0/0/0/0.1, dsn=2.0.0, status=sent (forwarded as',
    postfix({ ...who, to: `other${who.n}@elsewhere.example` }).map((line) =>
      line.replace(/(to=<other\d+@[^>]+>), relay/, `$1, orig_to=<${who.to}>, relay`),
    ),
  );

const sendmail: Chain = ({ n, ip, from, to, hop }) => {
  const line = (second: number, text: string) => `Nov 21 ${clock(n, second)} mx sm-mta[7]: ${text}`;
  const [id, dsn] = [`6A0${100 + n}000308`, `6A0${100 + n}000309`];
  return [
    line(
      0,
      `${id}: from=<${from}>, size=500, class=0, nrcpts=1, msgid=<${n}@c.example>, proto=ESMTP, daemon=MTA, relay=c.example [${ip}]`,
    ),
    line(
      1,
      `${id}: to=<${to}>, delay=00:00:0${n % 9}, xdelay=00:00:00, mailer=esmtp, pri=3${n}, relay=store${n}.example. [${hop}], dsn=5.1.1, reply=550 5.1.1 <${to}>... User unknown, stat=User unknown`,
    ),
    line(1, `${id}: ${dsn}: DSN: User unknown`),
    line(
      2,
      `${dsn}: to=<${from}>, delay=00:00:01, xdelay=00:00:00, mailer=esmtp, pri=3${n}, relay=mx${n}.example. [192.0.2.${n}], dsn=2.0.0, stat=Sent (ok ${n})`,
    ),
  ];
};

const qmail: Chain = ({ n, from, to, hop }) => {
  const seconds = Date.UTC(2026, 10, 21, 9, n) / 1000;
  const line = (second: number, text: string) =>
    `Nov 21 ${clock(n, second)} mx qmail: ${seconds + second}.000000 ${text}`;
  const [id, dsn, d] = [200 + 2 * n, 201 + 2 * n, 10 + 2 * n];
  return [
    line(0, `new msg ${id}`),
    line(0, `info msg ${id}: bytes 546 from <${from}> qp ${300 + n} uid 64011`),
    line(0, `starting delivery ${d}: msg ${id} to remote ${to}`),
    line(
      1,
      `delivery ${d}: failure: ${hop}_does_not_like_recipient./Remote_host_said:_550_5.1.1_<${to}>:_User_unknown/Giving_up_on_${hop}./`,
    ),
    line(1, `bounce msg ${id} qp ${400 + n}`),
    line(1, `end msg ${id}`),
    line(1, `new msg ${dsn}`),
    line(1, `info msg ${dsn}: bytes 1546 from <> qp ${400 + n} uid 64015`),
    line(2, `starting delivery ${d + 1}: msg ${dsn} to remote ${from}`),
    line(3, `delivery ${d + 1}: success: 192.0.2.${n}_accepted_message./Remote_host_said:_250_ok_${n}/`),
    line(3, `end msg ${dsn}`),
  ];
};

const chains: readonly [mta: string, chain: Chain][] = [
  ['postfix', postfix],
  ['postfix with a filter', filtered],
  ['postfix with an alias', forwarded],
  ['sendmail', sendmail],
  ['qmail', qmail],
];

/** The first ones make names, minutes and the outline known. */
function usual(chain: Chain): string[] {
  return [1, 2, 3, 4, 5, 6].flatMap((n) => chain(who(n)));
}

const logOf = (lines: readonly string[]): Buffer => Buffer.from(`${lines.join('\n')}\n`);
const LATER = 9 * 24;

function expectSame(lines: readonly string[]): void {
  const log = logOf(lines);
  const expected = answer(log, 1 << 20, false, { later: LATER }).report;
  expect(answer(log, 1 << 20, true, { later: LATER }).report).toEqual(expected);
  expectSameApart(log, LATER);
}

const texts: readonly [what: string, from: RegExp, to: string][] = [
  ['another reply', /User[ _]unknown/g, 'Message_rejected as spam'],
  ['refused after DATA', /RCPT TO command|_does_not_like_recipient\./, 'end of DATA command'],
  ['no hop', /relay=store\S+?,|203\.0\.113\.\d+_does/, 'relay=none,'],
  ['a local one', /relay=store[^,]+|mailer=esmtp(?=.*store)|to remote nobody/, 'relay=local'],
  ['refused by the local agent', /relay=store[^,]+(.*bounced) \(host \S+ said: /, 'relay=local$1 ('],
  ['by another one', /relay=store[^,]+(.*bounced) \(host \S+ said: /, 'relay=dovecot$1 ('],
  ['over a socket', /relay=store[^,]+/, 'relay=corp[private/dovecot-lmtp]'],
  ['over LMTP', /(\[203[^\]]+\]):25/, '$1:24'],
  ['the DSN stays here', /relay=mx[^,]+|to remote sender/, 'relay=local'],
  ['the DSN fails', /2\.0\.0, st(atus|at)=\S+ (\(.*)|success: /, '5.1.1, st$1=bounced (no)'],
  ['the DSN waits', /2\.0\.0, st(atus|at)=\S+ (\(.*)|success: /, '4.1.1, st$1=deferred (no)'],
  ['a warning', /non-delivery|DSN: User unknown/, 'delay'],
  ['a receipt', /non-delivery|DSN: User unknown/, 'delivery status'],
  ['to somebody else', /to=<sender|to remote sender/, 'to=<other'],
  ['by a user', /client=unknown\S+|^AUTH/, '$&, sasl_method=plain, sasl_username=joe'],
  ['for an alias', /to=<nobody(\d+@[^>]+)>, relay/, 'to=<nobody$1>, orig_to=<alias$1>, relay'],
];

describe.each(chains)('outlines of %s', (mta, chain) => {
  it('stand for chains that differ in names: each victim, client and hop is counted by its own', () => {
    const log = logOf(usual(chain));
    const { report, repeated } = answer(log, 1 << 20, true, { later: LATER });
    expect(repeated).toBeGreaterThanOrEqual(4);
    expect(report).toMatchObject({
      statistics: { incoming: 6, delivered: 6, estimated: 6, actual: 6, suppressed: 0 },
      accounting: { with_dsn: 6 },
      recipients: { failed: 6 },
    });
    const text = JSON.stringify(report);
    for (const n of [1, 2, 3, 4, 5, 6]) {
      const { from, ip, hop } = who(n);
      for (const name of mta === 'qmail' ? [from, hop] : [from, ip, hop]) expect(text).toContain(name);
    }
    expectSame(usual(chain));
  });

  // One more chain, which is another one than it looks.
  const others: readonly [what: string, change: (who: Who) => Partial<Who>][] = [
    ['a list wants its bounces', () => ({ from: 'news-bounces@lists.example' })],
    ['so does a sender with VERP', () => ({ from: 'news+nobody=corp.example@lists.example' })],
    ['the domain is inside', () => ({ from: 'root@localhost' })],
    ['the client is inside', () => ({ ip: '10.0.0.7' })],
    ['the recipient looks like a status', () => ({ to: 'x-5.7.1@corp.example' })],
    ['the recipient sounds like a reason', () => ({ to: 'spam.quota@loop.example' })],
    ["the recipient has qmail's words", () => ({ to: 'i_not_going_to_try_again@corp.example' })],
    ['the recipient has capitals', () => ({ to: 'Nobody_failed_after_I_sent_the_message@corp.example' })],
    ['it is from its recipient', () => ({ from: 'same@corp.example', to: 'same@corp.example' })],
    ['the sender has capitals', () => ({ from: 'Joe@VICTIM.example' })],
    ['the sender has no domain', () => ({ from: 'joe' })],
    ['the reverse-path is null', () => ({ from: '' })],
    ['the hop is an IPv6 address', () => ({ hop: '2001:db8::25' })],
  ];
  it.each(others)('leave alone what is different: %s', (_, change) => {
    for (const first of [true, false]) {
      const odd = [7, 8, 9].flatMap((n) => chain({ ...who(n), ...change(who(n)) }));
      const last = chain(who(10));
      expectSame(first ? [...chain(who(1)), ...odd, ...last] : [...usual(chain), ...odd, ...last]);
    }
  });

  const oddly = (n: number, from: RegExp, to: string) => chain(who(n)).map((line) => line.replace(from, to));
  it.each(texts)('tell texts apart: %s', (_, from, to) => {
    const odd = [7, 8, 9].flatMap((n) => oddly(n, from, to));
    expectSame([...usual(chain), ...odd, ...chain(who(10))]);
    expectSame([...odd, ...usual(chain), ...chain(who(10))]);
  });

  it('tell all of them apart, one behind the other', () => {
    for (const order of [texts, [...texts].reverse()]) {
      const odd = order.flatMap(([, from, to], i) => oddly(10 + i, from, to));
      const again = order.flatMap(([, from, to], i) => oddly(30 + i, from, to));
      expectSame([...usual(chain), ...odd, ...again]);
    }
  });

  it('see no status in an address, where the reply has no other', () => {
    const bare = (n: number, to: string) =>
      chain({ ...who(n), to }).map((line) =>
        line.replace(/550[ _]5\.1\.1[ _]/, '550 ').replace('dsn=5.1.1, ', ''),
      );
    expectSame(
      [1, 2, 3, 4].flatMap((n) => bare(n, n === 3 ? 'x-5.7.1@corp.example' : `nobody${n}@corp.example`)),
    );
  });
});

describe.each(chains)('outlines of %s, a few values each', (_, chain) => {
  const pick = <T>(...values: T[]) => fc.constantFrom(...values);
  // Few enough of each that nearly the same chain comes again and again.
  const one = fc.record({
    from: pick('a@v.example', 'b-bounces@v.example', 'c@w.example', '', 'Joe@v.example'),
    to: pick('x@corp.example', 'y-5.7.1@corp.example', 'a@v.example', 'spam@corp.example'),
    hop: pick('203.0.113.7', '203.0.113.8', '2001:db8::25'),
    ip: pick('198.51.100.7', '198.51.100.8', '10.0.0.7'),
    odd: fc.subarray([0, 1, 2], { maxLength: 2 }),
    gap: pick(-1, -1, -1, 0, 1, 3, 4, 5, 8),
  });
  it('give the report that lives would give', () => {
    let repeated = 0;
    fc.assert(
      fc.property(
        fc.array(one, { minLength: 50, maxLength: 80 }),
        fc.shuffledSubarray([...texts], { minLength: 3, maxLength: 3 }),
        (all, three) => {
          const lines = [...usual(chain)];
          for (const [i, { odd, gap, ...names }] of all.entries()) {
            const made = chain({ n: 7 + i, ...names }).map((line) =>
              odd.reduce((text, i) => text.replace(three[i][1], three[i][2]), line),
            );
            lines.push(...made.filter((_, at) => at !== gap));
          }
          expectSame(lines);
          repeated += answer(logOf(lines), 1 << 20, true, { later: LATER }).repeated;
        },
      ),
      { numRuns: 12 },
    );
    // The usual ones alone come to as many.
    expect(repeated).toBeGreaterThanOrEqual(48);
  });
});

describe('outlines of chains that only look alike', () => {
  const folder = join(import.meta.dirname, 'outlines');
  // Found by chance or malice: two chains of one kind, then the odd one.
  it.each(readdirSync(folder))('are not the same: %s', (name) => {
    const bytes = readFileSync(join(folder, name));
    const log = name.endsWith('.gz') ? gunzipSync(bytes) : bytes;
    expectSame(log.toString().trimEnd().split('\n'));
  });
});

describe('outlines of Postfix', () => {
  const inside = (n: number, from: RegExp, to: string): string[] =>
    postfix(who(n)).map((line) => line.replace(from, to));
  const kinds: readonly [what: string, chain: (n: number) => string[]][] = [
    // Each reply names another one.
    [
      'what an alias stands for',
      (n) => inside(n, /to=<(nobody\d+@[^>]+)>, relay/, 'to=<$1>, orig_to=<all@corp.example>, relay'),
    ],
    [
      'hosts that nobody finds',
      (n) =>
        inside(
          n,
          /relay=store.*/,
          `relay=none, delay=1, delays=0/0/0/1, dsn=5.4.4, status=bounced (Host or domain name not found. Name service error for name=host${n}.example type=A: Host not found)`,
        ),
    ],
    [
      'hosts that do not answer the DSN',
      (n) =>
        inside(
          n,
          /relay=mx.*/,
          `relay=none, delay=9, delays=9/0/0/0, dsn=5.4.1, status=bounced (connect to mx${n}.example[192.0.2.${n}]:25: Connection refused)`,
        ),
    ],
    [
      'messages that nobody wants a DSN of',
      (n) => postfix(who(n)).filter((line) => !line.includes('notification') && !line.includes(': B0')),
    ],
  ];
  it.each(kinds)('stand for %s', (_, chain) => {
    const lines = [1, 2, 3, 4, 5].flatMap(chain);
    const { repeated, report } = answer(logOf(lines), 1 << 20, true, { later: LATER });
    // The first makes tags known, the second its outline.
    expect(repeated).toBe(3);
    expect(report).toMatchObject({ statistics: { incoming: 5, estimated: 5 } });
    expectSame([...lines, ...[6, 7, 8].flatMap((n) => postfix(who(n)))]);
    for (const [, other] of kinds) expectSame([...lines, ...[10, 11, 12].flatMap(other)]);
  });
});

describe('outlines of chains with more than one DSN', () => {
  const later = (lines: readonly string[], hour: number): string[] =>
    lines.map((line) => line.replace(' 10:', ` ${hour}:`));

  it("tell by the order of time whether sendmail's warning speaks of a failure, too", () => {
    // One recipient waits, the other one fails: before the warning, with it, or hours after it.
    const chain = (n: number, failsAt: number, warnsAt: number): string[] => {
      const line = (hour: number, text: string) =>
        `Nov 21 ${hour}:${String(n).padStart(2, '0')}:00 mx sm-mta[7]: ${text}`;
      const id = `6AL0${10 + n}000308`;
      const report = `6AL0${10 + n}000309`;
      const attempt = (to: string, stat: string) =>
        `${id}: to=<${to}${n}@corp.example>, delay=00:00:01, xdelay=00:00:00, mailer=esmtp, pri=30, relay=store.example. [203.0.113.9], ${stat}`;
      const lines: [number, string][] = [
        [
          10,
          `${id}: from=<a${n}@v.example>, size=500, class=0, nrcpts=2, msgid=<${n}@c.example>, proto=ESMTP, daemon=MTA, relay=c.example [198.51.100.${n}]`,
        ],
        [10, attempt('slow', 'dsn=4.2.0, stat=Deferred')],
        [failsAt, attempt('nobody', 'dsn=5.1.1, stat=User unknown')],
        [warnsAt, `${id}: ${report}: sender notify: Warning: could not send message for past 4 hours`],
        [
          warnsAt,
          `${report}: to=<a${n}@v.example>, delay=00:00:01, xdelay=00:00:00, mailer=esmtp, pri=30, relay=v.example. [192.0.2.9], dsn=2.0.0, stat=Sent (ok)`,
        ],
        [20, attempt('slow', 'dsn=2.0.0, stat=Sent (ok)')],
      ];
      return lines.sort(([a], [b]) => a - b).map(([hour, text]) => line(hour, text));
    };
    const log = (order: readonly [fails: number, warns: number][]): string[] => {
      const all = order.flatMap(([fails, warns], i) => chain(i + 1, fails, warns));
      return all.sort((a, b) => (a.slice(0, 15) < b.slice(0, 15) ? -1 : 1));
    };
    const orders: [number, number][] = [
      [16, 14],
      [14, 14],
      [12, 14],
    ];
    const each = [...orders, ...orders, ...orders];
    for (const order of [each, [...each].reverse()]) expectSame(log(order));
    expect(answer(logOf(log(each)), 1 << 20, true, { later: LATER }).repeated).toBeGreaterThan(0);
  });

  it('stand for double bounces and for what expired, each with all of its reports', () => {
    const double = (n: number): string[] => {
      const lines = sendmail(who(n)).map((line) =>
        line.replace(/dsn=2\.0\.0, stat=Sent.*/, 'dsn=5.1.1, stat=User unknown'),
      );
      const [id, report] = [`6A0${100 + n}000309`, `6A0${100 + n}000310`];
      const head = `Nov 21 ${clock(n, 3)} mx sm-mta[7]:`;
      return [
        ...lines,
        `${head} ${id}: ${report}: postmaster notify: User unknown`,
        `${head} ${report}: to=postmaster, delay=00:00:00, xdelay=00:00:00, mailer=local, pri=30828, dsn=2.0.0, stat=Sent`,
      ];
    };
    const expired = (n: number): string[] => {
      const id = `A0000000${100 + n}`;
      return postfix(who(n)).flatMap((line) => {
        if (line.includes('status=bounced'))
          return [
            line.replace(/dsn=5.*/, 'dsn=4.4.1, status=deferred (connect to store: Connection timed out)'),
            `Nov 21 ${clock(n, 2)} mx postfix/qmgr[7]: ${id}: from=<${who(n).from}>, status=expired, returned to sender`,
          ];
        return [line];
      });
    };
    for (const chain of [double, expired]) {
      const lines = [1, 2, 3, 4].flatMap(chain);
      const { repeated, report } = answer(logOf(lines), 1 << 20, true, { later: LATER });
      expect(repeated).toBeGreaterThanOrEqual(2);
      expect(report).toMatchObject({ statistics: { actual: 4 } });
      expectSame([...lines, ...later(usual(chain === double ? sendmail : postfix), 11)]);
    }
  });
});
