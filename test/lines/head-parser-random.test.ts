import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Clock, yearEvidence } from '../../src/lines/clock.ts';
import { LineHead } from '../../src/lines/head.ts';
import { HeadParser } from '../../src/lines/head-parser.ts';
import { HeadShapes } from '../../src/lines/head-shapes.ts';
import { Names } from '../../src/lines/names.ts';
import { Tags } from '../../src/lines/tags.ts';
import { plain, REFERENCE } from './reading.ts';

const REAL = [
  'Nov 21 01:46:14 mx1 postfix/smtpd[358]: E42DA21A56E: client=unknown[198.51.100.137]',
  'Nov 21 01:46:15 mx1 postfix/smtp[365]: 266ED21A594: to=<w@example.net>, relay=mx.example.net[203.0.113.30]:25, status=bounced',
  'Nov  1 01:57:25 mail sm-mta[207]: starting daemon (8.17.1.9): SMTP+queueing@00:00:03',
  'Nov 21 02:24:52 qm qmail: 1795227892.920617 info msg 2155222: bytes 604 from <judy.vance@vendor.example.net> qp 219 uid 1002',
  '2026-11-21T01:46:12.898880+00:00 mx1 postfix/postfix-script[351]: starting the Postfix mail system',
  '2026-11-21T01:46:12+0100 mx1.corp.test postfix/master[353]: daemon started -- version 3.7.11',
  '<22>1 2026-11-21T01:46:14.934739+00:00 mx1 postfix 358 - -  E42DA21A56E: client=unknown[198.51.100.137]',
  '@400000006b0100fd0bc081bc status: local 0/10 remote 0/40',
  '@400000006b0100fe36dfb4e4 new msg 2155222 and some more text',
  '@400000006b0100fe3682e32c tcpserver: ok 216 qm.shop.test:198.51.100.1:25 :198.51.100.175::36149',
  '2026-11-21 02:04:31.529227500 new msg 2286627',
  '1795226321.245716 mx postfix/smtpd[24]: connect from unknown[198.51.100.7]',
  'Nov 21 01:58:41 mx postfix/smtpd[24]: message repeated 4 times: [ connect from unknown[198.51.100.7]]',
  'Nov 21 01:58:41 mx last message repeated 4 times',
  'Nov 21 01:58:41 mx sendmail[204]: [ID 801593 mail.info] 6AL1rels000204: from=<a@example.com>, size=1',
  '{"MESSAGE":"connect from x","SYSLOG_IDENTIFIER":"postfix/smtpd","__REALTIME_TIMESTAMP":"1795225572898606","_HOSTNAME":"mx"}',
  '{"log":"Nov 21 01:58:41 mx postfix/smtpd[24]: x\\n","stream":"stdout","time":"2026-11-21T01:58:41.245716123Z"}',
  '2026-11-21T01:58:41.245716123Z stdout P postfix/smtpd[24]: connect from unknown[198.51.100.7]',
  'mail-1  | Nov 21 01:58:41 mx postfix/smtpd[24]: connect from unknown[198.51.100.7]',
  'Sat 2026-11-21 01:58:41 UTC mx postfix/smtpd[24]: connect from unknown[198.51.100.7]',
].map((line) => Buffer.from(line));

/** A line of a real log with a few bytes replaced, inserted or taken out. */
const mutated = fc
  .tuple(
    fc.constantFrom(...REAL),
    fc.array(
      fc.tuple(
        fc.nat(140),
        fc.nat(3),
        fc.oneof(fc.constantFrom(...Buffer.from(' :[]<>-+.,/|"{}@0159TZ\0\t\r')), fc.nat(255)),
      ),
      { maxLength: 4 },
    ),
  )
  .map(([line, changes]) => {
    const bytes = [...line];
    for (const [at, removed, byte] of changes) bytes.splice(at % (bytes.length + 1), removed, byte);
    return Buffer.from(bytes);
  });

const anyLine = fc.oneof(
  { weight: 5, arbitrary: mutated },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 120 }).map((bytes) => Buffer.from(bytes)) },
);

/** A damaged year between two lines of the same second: the second of them must not follow it, nor be read from memory. */
const DAMAGED_YEAR = [
  'Nov 21 01:58:41 mx last message repeated 4 times',
  '9026-11-21 02:04:31 .5292mm 5mB7500new msg 2286627',
  'Nov 21 01:58:41 mx postfix/smtpd[24]: message repeated 4 times: [ connect from unknown[198.51.100.7]]',
].map((line) => Buffer.from(line));

const newClock = () => new Clock({ zone: 'Europe/Berlin', year: null, reference: REFERENCE });

describe('the head parser', () => {
  it('never throws, keeps the text inside the line, and reads with haste what it reads without', () => {
    fc.assert(
      fc.property(fc.array(anyLine, { minLength: 1, maxLength: 12 }), (lines) => {
        const hosts = new Names();
        const tags = new Tags();
        const hasty = new HeadParser(newClock(), hosts, tags);
        const head = new LineHead();
        const thorough = new HeadShapes(head, newClock(), hosts, tags);
        for (const line of lines) {
          const bytes = Buffer.concat([Buffer.from('x'), line, Buffer.from('\n[1]: y')]);
          const ok = hasty.parse(bytes, 1, 1 + line.length);
          const read = hasty.head;
          expect(read.textStart).toBeGreaterThanOrEqual(0);
          expect(read.textEnd).toBeGreaterThanOrEqual(read.textStart);
          expect(read.textEnd).toBeLessThanOrEqual(read.bytes.length);
          if (read.bytes === bytes) expect(read.textEnd).toBeLessThanOrEqual(1 + line.length);
          const expected = plain(thorough.read(bytes, 1, 1 + line.length), head, hosts);
          expect(plain(ok, read, hosts), line.toString('latin1')).toEqual(expected);
          expect(read.instant).toBe(head.instant);
        }
      }),
      { numRuns: 800, examples: [[DAMAGED_YEAR]] },
    );
  });

  it('reads a line the same at the very end of its buffer', () => {
    fc.assert(
      fc.property(anyLine, (line) => {
        const hosts = new Names();
        const tags = new Tags();
        const parser = new HeadParser(newClock(), hosts, tags);
        const roomy = Buffer.concat([line, Buffer.from('\n  x  ')]);
        const first = plain(parser.parse(roomy, 0, line.length), parser.head, hosts);
        if (first.tag === 'journalctl') return; // a piece of a cut line, it would be joined with itself
        const second = plain(parser.parse(line, 0, line.length), parser.head, hosts);
        expect(second).toEqual(first);
      }),
      { numRuns: 800 },
    );
  });

  it('finds no year in noise, and does not throw', () => {
    fc.assert(
      fc.property(fc.array(anyLine, { maxLength: 10 }), (lines) => {
        const year = yearEvidence(
          Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')])),
          REFERENCE,
        );
        expect(year === null || (year >= 1980 && year <= 2090)).toBe(true);
      }),
    );
  });
});
