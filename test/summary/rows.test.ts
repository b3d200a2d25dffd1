/** Tallies as rows of JSON and back: nothing is lost on the way. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { Analysis } from '../../src/analysis/analysis.ts';
import { fullReport } from '../../src/findings/all.ts';
import { Clock } from '../../src/lines/clock.ts';
import { HeadParser } from '../../src/lines/head-parser.ts';
import { Names } from '../../src/lines/names.ts';
import { Tags } from '../../src/lines/tags.ts';
import { addTallyRow, tallyRows } from '../../src/summary/rows.ts';
import { Summary } from '../../src/summary/summary.ts';
import { withPending } from '../../src/summary/view.ts';

const TALLIES = ['suspects', 'spf', 'traffic'] as const;
const OPTIONS = { top: 1000, complete: true, generatedAt: new Date(0) };

test.each(['spf-daemons', 'postfix-mixed', 'qmail-mixed', 'sendmail-wide'])('%s', (name) => {
  const log = gunzipSync(readFileSync(new URL(`../fixtures/${name}.log.gz`, import.meta.url)));
  const heads = new HeadParser(
    new Clock({ zone: 'UTC', year: 2026, reference: Date.UTC(2027, 0, 2) }),
    new Names(),
    new Tags(),
  );
  const analysis = new Analysis();
  for (const line of log.toString('latin1').split('\n')) {
    const bytes = Buffer.from(line, 'latin1');
    if (bytes.length > 0) analysis.line(heads, bytes, 0, bytes.length);
  }
  const all = withPending(analysis.summary, analysis.pending());
  const restored = new Summary();
  for (const tally of TALLIES) {
    for (const row of tallyRows(all[tally])) {
      expect(addTallyRow(restored[tally], JSON.parse(JSON.stringify(row)) as [string, unknown])).toBe(true);
    }
    expect([...tallyRows(restored[tally])]).toEqual([...tallyRows(all[tally])]);
  }
  const { backscatter } = fullReport(all, [], OPTIONS);
  expect(backscatter.suspects).toBeGreaterThan(0);
  expect(fullReport(restored, [], OPTIONS).backscatter).toEqual(backscatter);
  expect(addTallyRow(restored.spf, ['nothing', 1])).toBe(false);
});
