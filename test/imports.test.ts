/** Imports point one way: along the data. Each folder may know only the folders named here (ARCHITECTURE.md). */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');

/** The data's way; dsn/ is vocabulary for all. */
const ORDER = [
  'dsn',
  'source',
  'follow',
  'lines',
  'records',
  'parsers',
  'kernel',
  'chains',
  'suspects',
  'summary',
  'findings',
  'analysis',
  'live',
  'trace',
  'recipients',
  'explain',
  'probe',
  'workers',
  'outputs',
  'screen',
  'cli',
];

/** Against the order, with the reason. `type` allows types only, which vanish when compiled. */
const EXCEPTIONS: readonly { from: string; to: string; type: boolean; why: string }[] = [
  {
    from: 'src/records/registry.ts',
    to: 'parsers',
    type: false,
    why: 'the one place that lists the parsers',
  },
];

interface Import {
  readonly file: string;
  readonly target: string;
  readonly typeOnly: boolean;
  /** What stands before `from`. */
  readonly names: string;
  readonly dynamic: boolean;
}

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name));
}

/** "src/lines/clock.ts" -> "lines". */
function folderOf(file: string): string {
  const [first, second] = file.split('/');
  return first === 'src' ? second : first;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const found: Import[] = [];
  for (const match of text.matchAll(
    /^(?:import|export)\s+(type\s)?([^;'"]*?)from\s+'([^']+)'|\bimport\('([^']+)'\)/gm,
  )) {
    const target = match[3] ?? match[4];
    const dynamic = match[3] === undefined;
    found.push({ file, typeOnly: match[1] !== undefined, dynamic, target, names: match[2] ?? '' });
  }
  return found;
}

const ALL = [...sources('src'), ...sources('parsers')].flatMap(importsOf);
const LOCAL = ALL.filter(({ target }) => target.startsWith('.')).map((found) => ({
  ...found,
  target: relative(ROOT, resolve(ROOT, dirname(found.file), found.target)),
}));

function isException({ file, target, typeOnly }: Import): boolean {
  return EXCEPTIONS.some(
    (rule) => rule.from === file && rule.to === folderOf(target) && (typeOnly || !rule.type),
  );
}

describe('imports', () => {
  test('every folder has a place in the order', () => {
    expect(
      [...new Set(LOCAL.map(({ file }) => folderOf(file)))].filter((name) => !ORDER.includes(name)),
    ).toEqual([]);
  });

  test('point along the way of the data', () => {
    const wrong = LOCAL.filter(
      (found) =>
        ORDER.indexOf(folderOf(found.target)) > ORDER.indexOf(folderOf(found.file)) && !isException(found),
    );
    expect(wrong.map(({ file, target }) => `${file} -> ${target}`)).toEqual([]);
  });

  test('lines, records and chains know no bytes of files; outputs know no parsers and read nothing', () => {
    const forbidden: Record<string, readonly string[]> = {
      lines: ['source'],
      records: ['source'],
      parsers: ['source', 'chains', 'dsn'],
      kernel: ['source'],
      chains: ['source', 'parsers'],
      summary: ['source', 'lines', 'parsers'],
      outputs: ['source', 'records', 'parsers', 'analysis'],
    };
    const wrong = LOCAL.filter(({ file, target }) => forbidden[folderOf(file)]?.includes(folderOf(target)));
    expect(wrong.map(({ file, target }) => `${file} -> ${target}`)).toEqual([]);
  });

  test('explain/ and probe/ know neither files nor parsers, and nothing of other commands', () => {
    const others = [
      'source',
      'lines',
      'parsers',
      'summary',
      'analysis',
      'trace',
      'recipients',
      'explain',
      'probe',
    ];
    const wrong = LOCAL.filter(
      ({ file, target }) =>
        ['explain', 'probe'].includes(folderOf(file)) &&
        folderOf(file) !== folderOf(target) &&
        others.includes(folderOf(target)),
    );
    expect(wrong.map(({ file, target }) => `${file} -> ${target}`)).toEqual([]);
  });

  test('only source/, follow/ and cli/ touch files and processes, and only probe/ talks to the network besides', () => {
    const wrong = ALL.filter(
      ({ file, target, names }) =>
        /^node:(fs|child_process|net|tls|dns|http|stream)/.test(target) &&
        // Arithmetic on addresses opens no socket.
        !(target === 'node:net' && /^\{ (?:(?:BlockList|isIP)(?:, )?)+ \}\s*$/.test(names)) &&
        !['source', 'follow', 'cli'].includes(folderOf(file)) &&
        !(folderOf(file) === 'probe' && /^node:(net|tls)$/.test(target)) &&
        // Reads its own compiled code.
        file !== 'src/kernel/kernel.ts',
    );
    expect(wrong.map(({ file, target }) => `${file} -> ${target}`)).toEqual([]);
  });

  test('Ink and React are for the screen, which only watch loads, and only when it has a terminal', () => {
    const users = ALL.filter(({ target }) => /^(ink|react)\b/.test(target)).map(({ file }) => folderOf(file));
    expect([...new Set(users)]).toEqual(['screen']);
    const loads = LOCAL.filter(
      ({ file, target, typeOnly, dynamic }) =>
        folderOf(target) === 'screen' && folderOf(file) !== 'screen' && !typeOnly && !dynamic,
    );
    expect(loads).toEqual([]);
    const watch = LOCAL.filter(({ target, dynamic }) => target === 'src/cli/watch.ts' && !dynamic);
    expect(watch).toEqual([]);
  });

  test('every exception is still needed', () => {
    const unused = EXCEPTIONS.filter(
      ({ from, to }) => !LOCAL.some((l) => l.file === from && folderOf(l.target) === to),
    );
    expect(unused).toEqual([]);
  });
});
