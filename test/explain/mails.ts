/** Mails for the tests: those that real MTAs made, with what is known of them, and hand-made ones. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { explainMail } from '../../src/explain/explain.ts';
import type { Explanation } from '../../src/explain/explanation.ts';
import { MOST_BYTES, type RawMail, splitMails } from '../../src/explain/mailbox.ts';
import { ROOT } from '../support/golden.mjs';

export const MAILS = 'test/fixtures/mails';

/** What the laboratory knows of a mail: made beside the MTAs, not from the mail. */
export interface Truth {
  readonly file: string;
  readonly mta: string;
  readonly kind: string;
  readonly postmaster_copy: boolean;
  readonly original_queue_id: string | null;
  readonly dsn_queue_id: string;
  readonly actions: readonly string[] | null;
  readonly subject: string;
}

export const TRUTH = JSON.parse(readFileSync(join(ROOT, MAILS, 'truth.json'), 'utf8')) as Truth[];

export function rawOf(content: string | Uint8Array): RawMail {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return { bytes: bytes.subarray(0, MOST_BYTES), size: bytes.length, number: null };
}

/** The explanation of a mail that must be one. */
export async function explained(content: string | Uint8Array): Promise<Explanation> {
  const explanation = await explainMail(rawOf(content), 'bounce.eml');
  if (explanation === null) throw new Error('not taken for a mail');
  return explanation;
}

export function fixture(name: string): Buffer {
  return readFileSync(join(ROOT, MAILS, name));
}

/** Mails of an input that comes in blocks of this size. */
export async function split(content: string | Uint8Array, size = 1 << 16): Promise<RawMail[]> {
  const bytes = Buffer.from(content);
  // As of a file: the memory of a block is used again for the next but one.
  const memory = [Buffer.alloc(size), Buffer.alloc(size)];
  async function* blocks() {
    for (let at = 0, n = 0; at < bytes.length; at += size, n += 1) {
      const length = bytes.copy(memory[n % 2], 0, at, at + size);
      yield memory[n % 2].subarray(0, length);
      memory[n % 2].fill(0);
    }
  }
  const mails: RawMail[] = [];
  for await (const mail of splitMails(blocks())) mails.push(mail);
  return mails;
}

/** Header lines and a body to a mail from an MTA. */
export function mail(header: readonly string[], body: readonly string[]): string {
  return [...header, '', ...body, ''].join('\n');
}
