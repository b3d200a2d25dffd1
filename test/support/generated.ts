/** Logs of the bench's generator: an MTA's day from its beginning, with all that can become of messages. */
import { readFileSync } from 'node:fs';
import { simulate } from '../../bench/generator/simulation.mjs';

/** 1 MB is about a minute and a half. */
export async function generatedLog(out: string, mta: string, seed: number, size: number): Promise<Buffer> {
  const start = new Date('2026-10-05T00:00:00Z');
  await simulate({ mta, size, out, seed, unique: seed % 3 === 0, start, format: 'rfc3164' });
  return readFileSync(out);
}
