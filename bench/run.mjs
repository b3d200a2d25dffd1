#!/usr/bin/env node
// `npm run bench`: whole processes on generated logs, in one Markdown table.
//   node bench/run.mjs [--size 1G] [--cap 256M] [--runs 3] [--seed 1] [--data DIR] [--program FILE] [--quick]
// The plain version reads a file of the capped size; MB/s makes the rows comparable.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { GENERATOR_VERSION } from './generator/simulation.mjs';
import { measure, median } from './measure.mjs';
import { parseSize } from './size.mjs';

const here = dirname(fileURLToPath(import.meta.url));

const { values } = parseArgs({
  options: {
    size: { type: 'string' },
    cap: { type: 'string' },
    runs: { type: 'string' },
    seed: { type: 'string', default: '1' },
    data: { type: 'string', default: join(here, '.data') },
    program: { type: 'string', default: join(here, '../dist/dsnstat.js') },
    quick: { type: 'boolean', default: false },
  },
});
const { program } = values;
const size = values.size ?? (values.quick ? '24M' : '1G');
const cap = parseSize(values.cap ?? '256M') < parseSize(size) ? (values.cap ?? '256M') : size;
const runs = Number(values.runs ?? (values.quick ? 1 : 3));
if (!(parseSize(size) > 0) || !(parseSize(cap) > 0) || !(runs >= 1)) {
  console.error('run: --size and --cap are numbers with K, M or G; --runs is a whole number');
  process.exit(2);
}
/** A command that takes minutes is measured once. */
const SLOW_RUNS = 1;

const note = (/** @type {string} */ text) => console.error(`bench: ${text}`);

/** @param {string} command */
function installed(command) {
  try {
    return execFileSync('sh', ['-c', 'command -v "$1"', 'sh', command], { encoding: 'utf8' }).trim();
  } catch {
    return '';
  }
}

/** First line of what a command says of its version. @param {string} command @param {string[]} args */
function versionOf(command, args) {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .trim()
      .split('\n')[0];
  } catch {
    return '';
  }
}

// ---- files ------------------------------------------------------------------------------------------------------------

/** @param {string} mta @param {string} amount @param {boolean} unique */
function logFile(mta, amount, unique) {
  mkdirSync(values.data, { recursive: true });
  const path = join(values.data, `${mta}${unique ? '-unique' : ''}-${amount}-seed${values.seed}.log`);
  const truth = `${path}.truth.json`;
  const current =
    existsSync(path) &&
    existsSync(truth) &&
    JSON.parse(readFileSync(truth, 'utf8')).generator.version === GENERATOR_VERSION;
  if (!current) {
    note(`writing ${path}`);
    const args = [
      '--mta',
      mta,
      '--size',
      amount,
      '--seed',
      values.seed,
      '--out',
      path,
      ...(unique ? ['--unique'] : []),
    ];
    execFileSync(process.execPath, [join(here, 'generate.mjs'), ...args], { stdio: 'ignore' });
  }
  return path;
}

/** Made once, anew when the log is newer. @param {string} log @param {string} packed @param {string} command */
function compressed(log, packed, command) {
  if (!existsSync(packed) || statSync(packed).mtimeMs < statSync(log).mtimeMs) {
    note(`writing ${packed}`);
    execFileSync('sh', ['-c', `${command} <"$1" >"$2"`, 'sh', log, packed]);
  }
  return packed;
}

// ---- rows -------------------------------------------------------------------------------------------------------------

/** What grep looks for: what one would look for by hand. @type {Record<string, string>} */
const PATTERNS = { postfix: 'status=bounced', sendmail: 'stat=User unknown', qmail: ': failure: ' };
const FIGURES = ['incoming', 'delivered', 'estimated', 'actual', 'suppressed'];

/**
 * @typedef {{
 *   label: string, files: string[], log: string, command: string, args: string[], times: number,
 *   figures?: (output: string) => Record<string, number>,
 *   seconds: number[], peak: number, verdict: string,
 * }} Row
 */
/** @type {Row[]} */
const rows = [];

/**
 * @param {string} label @param {string[]} files what is read @param {string} log what is in it, uncompressed
 * @param {string} command @param {string[]} args
 * @param {{ times?: number, figures?: Row['figures'] }} [options] figures: to compare with the truth
 */
function row(label, files, log, command, args, { times = runs, figures } = {}) {
  rows.push({ label, files, log, command, args, times, figures, seconds: [], peak: 0, verdict: '' });
}

/** @param {Row} row */
async function runOnce(row) {
  const { command, args, files, figures } = row;
  note(row.label);
  // A page that nobody has touched for some seconds is slow to come on a virtual machine, page cache or not.
  execFileSync('sh', ['-c', 'cat "$@" >/dev/null', 'sh', ...files]);
  try {
    // GNU grep stops at the first match when its output is /dev/null.
    const keepOutput = figures !== undefined || command === 'grep';
    const { seconds, peakMegabytes, output } = await measure(command, args, { keepOutput });
    row.seconds.push(seconds);
    row.peak = Math.max(row.peak, peakMegabytes);
    if (figures !== undefined) row.verdict = compare(figures(output), row.log);
  } catch (error) {
    row.verdict = error instanceof Error ? error.message.split('\n')[0].slice(0, 80) : 'failed';
  }
}

/** All rows in turn, and again: what the neighbours do meets all of them, and ratios hold on a busy machine. */
async function runAll() {
  for (let round = 0; round < runs; round++)
    for (const row of rows) if (round < row.times) await runOnce(row);
}

/** Seconds of a command on a log: the unit of a ratio. @param {string} command @param {string} log */
function secondsOf(command, log) {
  const found = rows.find((row) => row.command === command && row.log === log);
  return found === undefined ? Number.NaN : median(found.seconds);
}

/** @param {number} number */
const ratio = (number) => (Number.isFinite(number) ? number.toFixed(1) : '');

/** @param {Row} row */
function cellsOf({ label, files, log, seconds, peak, verdict }) {
  const size = statSync(log).size / 1e6;
  const packed = files.reduce((sum, file) => sum + statSync(file).size / 1e6, 0);
  const took = median(seconds);
  return [
    label,
    files.includes(log) ? size.toFixed(0) : `${size.toFixed(0)} (${packed.toFixed(0)} packed)`,
    seconds.length === 0 ? '' : `${took.toFixed(2)} (${Math.min(...seconds).toFixed(2)})`,
    seconds.length === 0 ? '' : (size / took).toFixed(0),
    ratio(took / secondsOf('grep', log)),
    ratio(secondsOf(pflogsumm, log) / took),
    peak.toFixed(0),
    verdict,
  ];
}

/** @param {Record<string, number>} figures @param {string} log */
function compare(figures, log) {
  const truth = JSON.parse(readFileSync(`${log}.truth.json`, 'utf8')).statistics;
  const wrong = FIGURES.filter((name) => figures[name] !== truth[name]).map(
    (name) => `${name} ${figures[name] - truth[name]}`,
  );
  return wrong.length === 0 ? 'exact' : wrong.join(', ');
}

const REPORT = [program, 'report', '--format', 'json', '--no-progress', '--year', '2026'];
const statistics = (/** @type {string} */ output) => JSON.parse(output).statistics;

/** @param {string} label @param {string} file @param {string} log @param {string[]} extra */
function programRow(label, file, log, ...extra) {
  row(label, [file], log, process.execPath, [...REPORT, ...extra, file], { figures: statistics });
}

/** Every line by the TypeScript way. @param {string} label @param {string} log */
function kernelOffRow(label, log) {
  const args = ['DSNSTAT_KERNEL=off', process.execPath, ...REPORT, '--jobs', '1', log];
  row(label, [log], log, 'env', args, { figures: statistics });
}

/** @param {string} what @param {string} log @param {string} pattern */
function grepRow(what, log, pattern) {
  row(`\`grep -c '${pattern}'\`, ${what}`, [log], log, 'grep', ['-c', pattern, log]);
}

/** @param {string} what @param {string} log */
function pflogsummRow(what, log) {
  if (pflogsumm) row(`pflogsumm, ${what}`, [log], log, pflogsumm, [log], { times: SLOW_RUNS });
}

const postfix = logFile('postfix', size, false);
const capped = cap === size ? postfix : logFile('postfix', cap, false);
const gz = compressed(postfix, `${postfix}.gz`, 'gzip -6 -c');
const zst = installed('zstd') ? compressed(postfix, `${postfix}.zst`, 'zstd -3 -q -c') : '';
const others = ['sendmail', 'qmail'].map((mta) => /** @type {const} */ ([mta, logFile(mta, size, false)]));
const unique = logFile('postfix', size, true);
const rival = join(here, 'rivals/split2-regex.mjs');

const pflogsumm = installed('pflogsumm');
if (!pflogsumm) note('pflogsumm is not installed: left out');

row('`wc -l`, Postfix', [postfix], postfix, 'wc', ['-l', postfix]);
grepRow('Postfix', postfix, PATTERNS.postfix);
pflogsummRow('Postfix', postfix);
row('`zcat`, Postfix', [gz], postfix, 'zcat', [gz]);
if (capped !== postfix) grepRow(`Postfix, ${cap}`, capped, PATTERNS.postfix);
row(`split2 + regex + Map, ${cap}`, [capped], capped, process.execPath, [rival, capped], {
  figures: JSON.parse,
});
if (existsSync(program)) {
  programRow('dsnstat, Postfix', postfix, postfix, '--jobs', '1');
  programRow('dsnstat, Postfix, 2 jobs', postfix, postfix, '--jobs', '2');
  kernelOffRow('dsnstat, Postfix, without the kernel', postfix);
  programRow('dsnstat, Postfix, .gz', gz, postfix, '--jobs', '1');
  if (zst) programRow('dsnstat, Postfix, .zst', zst, postfix, '--jobs', '1');
  grepRow('Postfix, all addresses unique', unique, PATTERNS.postfix);
  pflogsummRow('Postfix, all addresses unique', unique);
  programRow('dsnstat, Postfix, all addresses unique', unique, unique, '--jobs', '1');
  programRow('dsnstat, Postfix, all addresses unique, 2 jobs', unique, unique, '--jobs', '2');
  for (const [mta, log] of others) {
    grepRow(mta, log, PATTERNS[mta]);
    programRow(`dsnstat, ${mta}`, log, log, '--jobs', '1');
    programRow(`dsnstat, ${mta}, 2 jobs`, log, log, '--jobs', '2');
    kernelOffRow(`dsnstat, ${mta}, without the kernel`, log);
  }
  // The same log as four archives, as rotation leaves them.
  const parts = ['a', 'b', 'c', 'd'].map((part) => `${postfix}.part-a${part}`);
  if (!parts.every((part) => existsSync(part) && statSync(part).mtimeMs >= statSync(postfix).mtimeMs))
    execFileSync('split', ['-n', 'l/4', postfix, `${postfix}.part-`]);
  const packed = parts.map((part) => compressed(part, `${part}.gz`, 'gzip -6 -c'));
  row('`zcat`, Postfix in four archives', packed, postfix, 'zcat', packed);
  const args = [...REPORT, '--jobs', '2', ...packed];
  row('dsnstat, Postfix in four archives, 2 jobs', packed, postfix, process.execPath, args, {
    figures: statistics,
  });
} else note(`${program} is not built: dsnstat's rows are left out`);
await runAll();

// ---- the table --------------------------------------------------------------------------------------------------------

const versions = [
  `Node ${process.version}`,
  versionOf('grep', ['--version']),
  versionOf('gzip', ['--version']),
  zst ? versionOf('zstd', ['--version']) : '',
  pflogsumm ? versionOf('pflogsumm', ['--version']) : '',
  versionOf('git', ['-C', here, 'log', '-1', '--format=dsnstat %h']),
].filter(Boolean);
const [{ model }] = cpus();
const table = [
  [
    'what',
    'MB',
    'seconds (best)',
    'MB/s',
    'x grep',
    'pflogsumm / it',
    'peak RSS MB',
    'figures against the truth',
  ],
  ['---', '--:', '--:', '--:', '--:', '--:', '--:', '---'],
  ...rows.map(cellsOf),
];
console.log(
  `${new Date().toISOString().slice(0, 10)}, ${model}, ${cpus().length} cores, ${(totalmem() / 1e9).toFixed(0)} GB. ${versions.join('; ')}.`,
);
console.log(
  `Page cache warm, median of ${runs} rounds (pflogsumm: ${SLOW_RUNS}); MB and MB/s are of the uncompressed log.\n`,
);
for (const cells of table) console.log(`| ${cells.join(' | ')} |`);
