/** Mails that nobody meant well: bounded time and memory, no exception, and what was left out is said. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { explainMail } from '../../src/explain/explain.ts';
import { MOST_BYTES } from '../../src/explain/mailbox.ts';
import { explained, fixture, rawOf, split } from './mails.ts';

const HEAD = 'From: MAILER-DAEMON@x.test\nTo: a@b.test\nSubject: Undelivered Mail Returned to Sender\n';
/** Each takes well under a second; a quadratic step takes minutes. */
const LIMIT = 10_000;

function deep(levels: number): string {
  let text = HEAD;
  for (let i = 0; i < levels; i += 1) text += `Content-Type: multipart/mixed; boundary="b${i}"\n\n--b${i}\n`;
  return `${text}Content-Type: text/plain\n\n<bob@example.net>: 550 5.1.1 User unknown\n`;
}

const QSBMF = '\nHi. This is the qmail-send program at x.test.\n\n';
const STATUS = 'Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\n';

describe('hostile mails', () => {
  test('parts in parts in parts: read as text, and said', async () => {
    const { type, recipients, notes } = await explained(deep(100));
    expect(type).toBe('failure');
    expect(recipients).toMatchObject([{ recipient: 'bob@example.net', status: '5.1.1' }]);
    expect(notes).toEqual([
      expect.stringContaining('not read as MIME, but as plain text: Maximum MIME nesting depth'),
    ]);
  });

  test.each([
    ['a header of 4 MB in one line', `${HEAD}X-A: ${'a'.repeat(4e6)}\n\nbody`],
    ['a header of a million folds', `${HEAD}X-A: a\n${' b\n'.repeat(1e6)}\nbody`],
    ['500,000 fields', `${HEAD}${'X: 1\n'.repeat(5e5)}\nbody`],
    ['a million parts', `${HEAD}Content-Type: multipart/mixed; boundary=b\n\n${'--b\n'.repeat(1e6)}`],
    ['300,000 recipients of qmail', `${HEAD}${QSBMF}${'<a@b>:\nno\n\n'.repeat(3e5)}`],
    [
      '80,000 recipients of a report',
      `${HEAD}${STATUS}${'Final-Recipient: rfc822; a@b\nAction: failed\n\n'.repeat(8e4)}`,
    ],
    ['a field of a million folds', `${HEAD}${STATUS}Diagnostic-Code: x${'\n y'.repeat(1e6)}`],
    [
      'a line that is nearly a separator',
      `${HEAD}\n${`${'-'.repeat(4000)} original message ${'x '.repeat(2000)}\n`.repeat(400)}`,
    ],
    ['nothing but @', `${HEAD}\n${'@'.repeat(4e6)}`],
    ['tags that never end', `${HEAD}Content-Type: text/html\n\n${'<a '.repeat(1e6)}`],
    ['parentheses that never close', `${HEAD}Received: ${'('.repeat(200_000)}\n\nbody`],
  ])('%s', { timeout: LIMIT }, async (_, text) => {
    const explanation = await explainMail(rawOf(text), 'x');
    expect(JSON.stringify(explanation).length).toBeLessThan(1e6);
  });

  test('a bounce of a bounce of a bounce ... is followed three deep', async () => {
    let text = 'From: a@b\n\nx';
    for (let i = 0; i < 100; i += 1)
      text = `${HEAD}${QSBMF}<a@b>:\nno\n\n--- Below this line is a copy of the message.\n\n${text}`;
    const { original } = await explained(text);
    expect(original?.original?.original).not.toBeNull();
    expect(original?.original?.original?.original).toBeNull();
  });

  test('charsets that do not exist, and bytes that fit none', async () => {
    const text = `${HEAD}Content-Type: text/plain; charset="x-\\"no;;=\x00"\n\n<bob@example.net>: 550 5.1.1 Empf\xe4nger unbekannt\xff\xfe`;
    const { recipients } = await explained(Buffer.from(text, 'latin1'));
    expect(recipients).toMatchObject([{ recipient: 'bob@example.net', status: '5.1.1' }]);
  });

  test('any bytes, with or without a header, and any cut of a real bounce', async () => {
    const real = fixture('postfix-failure-backscatter-multi.eml');
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 2000 }),
        fc.nat(real.length),
        fc.nat(real.length),
        async (noise, from, length) => {
          await explainMail(rawOf(noise), 'x');
          await explainMail(rawOf(Buffer.concat([Buffer.from(HEAD), noise])), 'x');
          const cut = real.subarray(from, from + length);
          await explainMail(rawOf(Buffer.concat([real.subarray(0, from), noise, cut])), 'x');
        },
      ),
      { numRuns: 100 },
    );
  });

  test('a mail of 100 MB: its beginning is read, the rest is counted', async () => {
    const start = fixture('postfix-failure-backscatter-multi.eml')
      .toString()
      .replace(/\n--1A2FE21A582[^\n]*--\n$/, '\n');
    async function* blocks() {
      yield Buffer.from(start);
      const block = Buffer.alloc(1 << 20, `${'x'.repeat(75)}\n`);
      for (let i = 0; i < 100; i += 1) yield block;
    }
    const { splitMails } = await import('../../src/explain/mailbox.ts');
    for await (const raw of splitMails(blocks())) {
      expect(raw.bytes.length).toBe(MOST_BYTES);
      expect(raw.size).toBe(start.length + 100 * (1 << 20));
      const explanation = await explainMail(raw, 'big.eml');
      expect(explanation).toMatchObject({ type: 'failure', original: { queue_id: '1A2FE21A582' } });
      expect(explanation?.notes).toEqual([
        `the mail has ${raw.size} bytes; only the first ${MOST_BYTES} were read`,
      ]);
    }
  });
});

describe('an mbox', () => {
  const first = `From MAILER-DAEMON Sat Nov 21 01:46:15 2026\nFrom: a@b\nSubject: one\n\nFrom here on, text.\n\nFrom me to you, no postmark\n`;
  const second = `From x@y  Sat Nov 21 01:46:16 2026\r\nFrom: c@d\r\nSubject: two\r\n\r\nbye\r\n`;

  test.each([1, 2, 3, 7, 64, 1 << 16])('is the same mails in blocks of %i bytes', async (size) => {
    const mails = await split(`${first}\n${second}`, size);
    expect(mails.map(({ number }) => number)).toEqual([1, 2]);
    expect(Buffer.from(mails[0].bytes).toString()).toBe(
      'From: a@b\nSubject: one\n\nFrom here on, text.\n\nFrom me to you, no postmark\n\n',
    );
    expect(Buffer.from(mails[1].bytes).toString()).toBe('From: c@d\r\nSubject: two\r\n\r\nbye\r\n');
  });

  test.each([1, 7, 1 << 10])('a mail alone is itself in blocks of %i bytes', async (size) => {
    const bytes = fixture('postfix-failure-backscatter-multi.eml');
    const [{ bytes: read, size: whole }] = await split(bytes, size);
    expect(Buffer.compare(read, bytes)).toBe(0);
    expect(whole).toBe(bytes.length);
  });

  test('a mail alone is no mbox, and nothing is no mail', async () => {
    expect((await split('From: a@b\n\n\nFrom x Sat Nov 21 01:46:16 2026\n', 5)).map((m) => m.number)).toEqual(
      [null],
    );
    expect(await split('')).toEqual([]);
  });
});
