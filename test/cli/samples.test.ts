/** Golden reports: what the program says about the logs in samples/. Update with `npm run samples`. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { expectedReports, ROOT, samples, shortName } from '../support/golden.mjs';
import { report, type StableReport } from './program.ts';

describe.each(samples().map((sample) => [shortName(sample), sample]))('%s', (_, sample) => {
  test('its reports are the expected ones', () => {
    for (const { path, text } of expectedReports(sample)) {
      expect(text, `${path} differs: npm run samples, and look at the diff`).toBe(
        readFileSync(join(ROOT, path), 'utf8'),
      );
    }
  });
});

test('the folder as a whole has the sum of its logs', () => {
  const parts = samples().map((sample) => report(['--tz', 'UTC', sample]));
  const whole = report(['--tz', 'UTC', 'samples']);
  const sum = (pick: (of: StableReport) => number) => parts.reduce((n, part) => n + pick(part), 0);
  expect(whole.input.files).toBe(parts.length);
  for (const key of ['incoming', 'delivered', 'estimated', 'actual', 'suppressed'] as const) {
    expect(whole.statistics[key], key).toBe(sum((part) => part.statistics[key]));
  }
  for (const key of ['lines', 'recorded', 'ignored', 'foreign', 'unrecognised', 'malformed'] as const) {
    expect(whole.input[key], key).toBe(sum((part) => part.input[key]));
  }
});

test('no sample has a line that is not recognised', () => {
  const { unrecognised, malformed } = report(['--tz', 'UTC', 'samples']).input;
  expect({ unrecognised, malformed }).toEqual({ unrecognised: 0, malformed: 0 });
});

test('the folder stays small', () => {
  let bytes = 0;
  for (const entry of readdirSync(join(ROOT, 'samples'), { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name)).size;
  }
  expect(bytes).toBeLessThan(400_000);
});
