/** What replies say: the quick ways give what the patterns in words would. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reasonClass, shapeOf, wordsOf } from '../../src/dsn/reasons.ts';
import { replyStatus } from '../../src/dsn/status.ts';

/** Pieces that replies are made of, the awkward ones among them. */
const PIECES = [
  ' ',
  '  ',
  '<',
  '>',
  '@',
  '.',
  ':',
  '#',
  '(',
  '_',
  '-',
  '/',
  'http:',
  'https:',
  'https:/x',
  'HTTP://x',
  'httpss:x',
  'h',
  'a',
  'Z9',
  '550',
  '5.1.1',
  '4.4.7777',
  '2.0.0.1',
  '4.',
  '.1',
  'User unknown',
  'user_unknown',
  '<spam@example.org>',
  '<no such user',
  'spam',
  'SPF',
  "doesn't exist",
  'doesn5t exist',
  'blocked',
  'try again later',
  'Policy',
  'denied',
];
const replies = fc.oneof(
  fc.array(fc.constantFrom(...PIECES), { maxLength: 14 }).map((pieces) => pieces.join('')),
  fc.array(fc.constantFrom(...PIECES, 'x'.repeat(70)), { maxLength: 40 }).map((pieces) => pieces.join('')),
  fc.string({ unit: 'grapheme-ascii', maxLength: 60 }),
);

describe('the class of a reply', () => {
  test('is what was said, whatever the host is called that said it', () => {
    const said = (host: string, text: string) =>
      reasonClass(`host ${host}[192.0.2.1] said: ${text}`, '5.0.0', false);
    for (const host of ['mx.example.org', 'mx.spamfilter.example', 'quota.loop.example']) {
      expect(said(host, '550 No such user here')).toBe('user unknown');
      expect(said(host, '552 Mailbox full')).toBe('mailbox full');
      expect(said(host, '550 no')).toBe('other');
      expect(said(host, '550 this is spam')).toBe('content refused');
    }
    for (const host of ['mx.example.org', 'virus.quota.example']) {
      const later = 'delivery temporarily suspended: ';
      for (const before of ['', later]) {
        const own = (text: string) => reasonClass(before + text, '5.0.0', false);
        expect(own(`connect to ${host}[192.0.2.1]:25: Connection refused`)).toBe('connection trouble');
        expect(own(`host ${host}[192.0.2.1] refused to talk to me: 554 blocked`)).toBe('client blocked');
        expect(
          own(`Host or domain name not found. Name service error for name=${host} type=A: Host not found`),
        ).toBe('host unknown');
      }
    }
    // No host: the words of somebody who writes like Postfix.
    expect(reasonClass('host is full of spam said: no', '5.0.0', false)).toBe('content refused');
  });
});

describe('the shape of a reply', () => {
  test('is the reply without names, where letters are small and digits are noughts', () => {
    fc.assert(
      fc.property(replies, (reply) => {
        expect(shapeOf(reply)).toBe(wordsOf(reply).toLowerCase().replace(/\d/g, '0'));
      }),
      { numRuns: 3000, seed: 20261121 },
    );
  });

  test('is of printable ASCII only: what else there is goes by the patterns alone', () => {
    expect(shapeOf('550 Benutzer unbekannt: Müller')).toBeNull();
    expect(shapeOf('550 user\tunknown')).toBeNull();
    expect(shapeOf('550 <\u00a0> user unknown')).toBeNull();
    expect(reasonClass('550 Müller: user unknown', '5.0.0', false)).toBe('user unknown');
    expect(reasonClass('550 user\u00a0a@example.org blocked', null, false)).toBe('client blocked');
  });
});

test('a reply has its class whatever was asked before: names and numbers in it do not count', () => {
  expect(reasonClass('550 5.1.1 <spam@example.org>: User unknown', '5.1.1', false)).toBe('user unknown');
  expect(reasonClass('550 5.7.1 <spam@example.org>: looks like spam', '5.7.1', false)).toBe(
    'content refused',
  );
  // The same text, another status: what the text does not say, the status does.
  expect(reasonClass('550 no', '5.1.2', false)).toBe('host unknown');
  expect(reasonClass('550 no', '5.2.2', false)).toBe('mailbox full');
  expect(reasonClass('551 no', null, false)).toBe('other');
  expect(reasonClass('550 no', '5.2.2', true)).toBe('gave up after retries');
  expect(reasonClass(null, '5.1.1', false)).toBe('user unknown');
});

test('the status code of a reply stands by itself', () => {
  const pattern = /(?:^|[ _(#:-])([245]\.\d{1,3}\.\d{1,3})(?=$|[^\d.])/;
  fc.assert(
    fc.property(replies, (reply) => {
      expect(replyStatus(reply)).toBe(pattern.exec(reply)?.[1] ?? null);
    }),
    { numRuns: 3000, seed: 20261121 },
  );
  expect(replyStatus('5.1.1')).toBe('5.1.1');
  expect(replyStatus('.550 (#4.4.1)')).toBe('4.4.1');
  expect(replyStatus('15.1.1 5.1.1.2 5.1.1234 550-5.7.1')).toBe('5.7.1');
});
