#!/usr/bin/env node
// Writes a realistic mail log of a given size and, beside it, FILE.truth.json with the exact counts.
//   node bench/generate.mjs --mta postfix|sendmail|qmail --size 1G --out FILE
//        [--seed N] [--unique] [--start ISO] [--format rfc3164|rfc3339|tai64n]
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { SITES, simulate } from './generator/simulation.mjs';
import { parseSize } from './size.mjs';

const FORMATS = ['rfc3164', 'rfc3339', 'tai64n'];

/** @param {string} problem @returns {never} */
function usage(problem) {
  console.error(`generate: ${problem}`);
  process.exit(2);
}

const { values } = parseArgs({
  options: {
    mta: { type: 'string', default: '' },
    size: { type: 'string', default: '100M' },
    out: { type: 'string', default: '' },
    seed: { type: 'string', default: '1' },
    unique: { type: 'boolean', default: false },
    start: { type: 'string', default: '2026-10-05T00:00:00Z' },
    format: { type: 'string', default: 'rfc3164' },
  },
});
const { mta, out, unique } = values;
const size = parseSize(values.size);
const start = new Date(values.start);
if (!Object.hasOwn(SITES, mta)) usage(`--mta must be one of ${Object.keys(SITES).join(', ')}`);
if (out === '') usage('--out FILE is missing');
if (!(size > 0)) usage(`--size ${values.size}: a number with K, M or G is meant`);
if (!/^\d+$/.test(values.seed)) usage('--seed must be a whole number');
if (Number.isNaN(start.getTime())) usage('--start must be ISO 8601');
if (!FORMATS.includes(values.format)) usage(`--format must be one of ${FORMATS.join(', ')}`);
if (values.format === 'tai64n' && mta !== 'qmail') usage('--format tai64n is for qmail');

const began = performance.now();
const format = /** @type {import('./generator/log-writer.mjs').StampFormat} */ (values.format);
const truth = await simulate({ mta, size, out, seed: Number(values.seed), unique, start, format });
writeFileSync(`${out}.truth.json`, `${JSON.stringify(truth, null, 2)}\n`);
const seconds = (performance.now() - began) / 1000;
const megabytes = truth.bytes / 1e6;
console.error(
  `${out}: ${truth.lines} lines, ${megabytes.toFixed(0)} MB, ${(megabytes / seconds).toFixed(0)} MB/s`,
);
