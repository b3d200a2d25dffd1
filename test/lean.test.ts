/** A report keeps fewer texts than chains do (lean); it must say the same, suspects and findings included. */
import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Analysis } from '../src/analysis/analysis.ts';
import { fullReport } from '../src/findings/all.ts';
import { Clock, yearEvidence } from '../src/lines/clock.ts';
import { HeadParser } from '../src/lines/head-parser.ts';
import { Names } from '../src/lines/names.ts';
import { Tags } from '../src/lines/tags.ts';
import type { Report } from '../src/summary/report.ts';
import { Inside, type InsideEntry } from '../src/suspects/inside.ts';

const FIXTURES = new URL('fixtures/', import.meta.url);
const logs = readdirSync(FIXTURES).filter((name) => name.endsWith('.log.gz'));

const LAB: InsideEntry[] = [{ kind: 'network', family: 4, address: '198.51.100.0', prefix: 26 }];

function reportOn(bytes: Buffer, lean: boolean, inside: readonly InsideEntry[]): Report {
  const year = yearEvidence(bytes.subarray(0, 1 << 18));
  const clock = new Clock({ zone: 'UTC', year, reference: Date.UTC(2027, 0, 2) });
  const heads = new HeadParser(clock, new Names(), new Tags());
  const analysis = new Analysis({ lean, inside: new Inside(inside) });
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(10, start);
    const end = newline < 0 ? bytes.length : newline;
    analysis.line(heads, bytes, start, end);
    start = end + 1;
  }
  const options = { top: 1000, complete: true, generatedAt: new Date(0) };
  return fullReport(analysis.summary, analysis.pending(), options);
}

describe.each(logs)('%s', (name) => {
  const bytes = gunzipSync(readFileSync(new URL(name, FIXTURES)));

  it.each([
    ['built-in networks', []],
    ['networks of ours', LAB],
  ] as const)('says the same in a lean run, with %s', (_, inside) => {
    expect(reportOn(bytes, true, inside)).toEqual(reportOn(bytes, false, inside));
  });
});
