#!/usr/bin/env node
// The parts of the hot path, each on the same block of a generated log, with all parts before it included: the price of
// a part is the difference to the row above. After a build: the kernel is taken from dist/.
//   node bench/parts.mjs [--mta postfix|sendmail|qmail] [--file FILE] [--time MILLISECONDS]
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Bench } from 'tinybench';
import { bundle } from '../src/bundle.mjs';

const NEWLINE = 10;
const BLOCK = 16e6;
/** Blocks as the source hands them out. */
const CHUNK = 1 << 20;

const here = dirname(fileURLToPath(import.meta.url));
const BUILT = join(here, '../dist/parts');
const { values } = parseArgs({
  options: {
    mta: { type: 'string', default: 'postfix' },
    file: { type: 'string' },
    time: { type: 'string', default: '2000' },
  },
});

function readBlock() {
  const scratch = values.file === undefined ? mkdtempSync(join(tmpdir(), 'parts-')) : undefined;
  const path = values.file ?? join(/** @type {string} */ (scratch), 'log');
  if (scratch !== undefined) {
    execFileSync(
      process.execPath,
      [join(here, 'generate.mjs'), '--mta', values.mta, '--size', String(BLOCK), '--out', path],
      { stdio: 'ignore' },
    );
  }
  const fd = openSync(path, 'r');
  const block = Buffer.allocUnsafe(BLOCK);
  const length = readSync(fd, block, 0, BLOCK, 0);
  closeSync(fd);
  if (scratch !== undefined) rmSync(scratch, { recursive: true });
  return block.subarray(0, block.lastIndexOf(NEWLINE, length - 1) + 1);
}

/** The modules of the parts, each by its name, with what they share beside them; the kernel is the built one. */
async function compile() {
  const modules = [...new Set(PARTS.flatMap(({ modules }) => modules))];
  await bundle(Object.fromEntries(modules.map((module) => [basename(module, '.ts'), module])), BUILT);
}

const block = readBlock();
/** @param {(chunk: Buffer) => void} push */
function inChunks(push) {
  for (let from = 0; from < block.length; from += CHUNK) push(block.subarray(from, from + CHUNK));
}

/** Kept from being optimised away. */
let seen = 0;

/** What reading heads takes, in the order of headParser. */
const HEADS = [
  'src/lines/splitter.ts',
  'src/lines/head-parser.ts',
  'src/lines/clock.ts',
  'src/lines/names.ts',
  'src/lines/tags.ts',
];

/** @type {{ name: string, modules: string[], make: (...modules: any[]) => () => void }[]} */
const PARTS = [
  {
    name: 'newlines (Buffer.indexOf)',
    modules: [],
    make: () => () => {
      for (let at = block.indexOf(NEWLINE); at >= 0; at = block.indexOf(NEWLINE, at + 1)) seen++;
    },
  },
  {
    name: 'lines (LineSplitter)',
    modules: ['src/lines/splitter.ts'],
    make:
      ({ LineSplitter }) =>
      () => {
        const splitter = new LineSplitter(
          () => seen++,
          () => {},
        );
        inChunks((chunk) => splitter.push(chunk));
        splitter.finish();
      },
  },
  {
    name: '+ heads (HeadParser)',
    modules: HEADS,
    make: (...modules) => {
      const { LineSplitter } = modules[0];
      return () => {
        const heads = headParser(modules);
        eachLine(LineSplitter, (bytes, start, end) => (seen += heads.parse(bytes, start, end) ? 1 : 0));
      };
    },
  },
  {
    name: '+ records (parsers)',
    modules: [...HEADS, 'src/records/registry.ts', 'src/records/record.ts'],
    make: (...modules) => {
      const { LineSplitter } = modules[0];
      const [, , , , , { parserFor }, { ParsedRecord }] = modules;
      return () => {
        const heads = headParser(modules);
        const record = new ParsedRecord();
        eachLine(LineSplitter, (bytes, start, end) => {
          heads.parse(bytes, start, end);
          record.clear();
          seen += parserFor(heads.head)?.parse(heads.head, record) ?? 0;
        });
      };
    },
  },
  {
    name: '+ join and count (Analysis, lean, without the kernel)',
    modules: [...HEADS, 'src/analysis/analysis.ts'],
    make: (...modules) => {
      const { LineSplitter } = modules[0];
      const [, , , , , { Analysis }] = modules;
      return () => {
        const heads = headParser(modules);
        const analysis = new Analysis({ lean: true, kernel: false });
        eachLine(LineSplitter, (bytes, start, end) => (seen += analysis.line(heads, bytes, start, end)));
      };
    },
  },
  {
    name: 'all of it, with the kernel (FastLines)',
    modules: [...HEADS, 'src/analysis/analysis.ts', 'src/analysis/fast-lines.ts'],
    make: (...modules) => {
      const [, , , , , { Analysis }, { FastLines }] = modules;
      return () => {
        const analysis = new Analysis({ lean: true });
        const count = (/** @type {number} */ _, /** @type {number} */ lines) => (seen += lines);
        const fast = new FastLines(analysis, analysis.joiner.light, headParser(modules), count, 1 << 18);
        for (let from = 0; from < block.length; ) {
          const to = block.lastIndexOf(NEWLINE, Math.min(from + CHUNK, block.length) - 1) + 1;
          fast.push(block.subarray(from, to));
          from = to;
        }
      };
    },
  },
];

/** @param {any[]} modules splitter, head parser, clock, names, tags */
function headParser([, { HeadParser }, { Clock }, { Names }, { Tags }]) {
  return new HeadParser(
    new Clock({ zone: 'UTC', year: 2026, reference: Date.UTC(2026, 11, 31) }),
    new Names(),
    new Tags(),
  );
}

/** @param {any} LineSplitter @param {(bytes: Uint8Array, start: number, end: number) => void} onLine */
function eachLine(LineSplitter, onLine) {
  const splitter = new LineSplitter(onLine, () => {});
  inChunks((chunk) => splitter.push(chunk));
  splitter.finish();
}

const bench = new Bench({ throws: true, time: Number(values.time), warmupTime: 300 });
await compile();
for (const { name, modules, make } of PARTS) {
  const loaded = modules.map((module) => import(join(BUILT, `${basename(module, '.ts')}.js`)));
  bench.add(name, make(...(await Promise.all(loaded))), { async: false });
}
await bench.run();

let lines = 0;
for (const byte of block) if (byte === NEWLINE) lines++;
console.log(
  `${values.file ?? values.mta}, ${(block.length / 1e6).toFixed(0)} MB, ${lines} lines, Node ${process.version} (${seen % 10})\n`,
);
console.log('| part, with all before it | p50 ms | MiB/s | ns a line |');
console.log('| --- | --: | --: | --: |');
for (const { name, result } of bench.tasks) {
  if (!('latency' in result)) continue;
  const { p50 } = result.latency;
  console.log(
    `| ${name} | ${p50.toFixed(1)} | ${(block.length / 1048576 / (p50 / 1000)).toFixed(0)} | ${((p50 * 1e6) / lines).toFixed(0)} |`,
  );
}
