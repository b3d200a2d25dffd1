/**
 * Stories: logs with what must come out, written in Markdown (test/stories/README.md has the format).
 *
 * Owns the reading of the Markdown. Must not know what the program answers.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Mta } from '../../src/records/record.ts';

const MTAS = ['sendmail', 'postfix', 'qmail'];

export interface StoryOptions {
  readonly tz: string;
  /** null: from the log itself, or from REFERENCE. */
  readonly year: number | null;
  readonly mta: Mta | null;
}

export interface Story {
  /** `file.md:line title`, where an editor finds it. */
  readonly name: string;
  readonly options: StoryOptions;
  readonly traps: readonly number[];
  readonly knownWrong: boolean;
  /** Why starting in the middle cannot be judged line by line; null: it is. */
  readonly startsUnjudged: string | null;
  readonly log: Buffer;
  readonly chains: readonly string[];
  readonly figures: readonly string[];
}

export function readStories(folder: string): Story[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.md') && name !== 'README.md');
  return files
    .sort()
    .flatMap((file) => storiesIn(file, readFileSync(join(folder, file), 'latin1').split('\n')));
}

/** Second-level headings begin stories; what stands before the first one is for people. */
function storiesIn(file: string, lines: readonly string[]): Story[] {
  const headings = lines.flatMap((line, i) => (line.startsWith('## ') && !inBlock(lines, i) ? [i] : []));
  return headings.map((at, i) => readStory(file, at, lines.slice(at, headings[i + 1] ?? lines.length)));
}

function inBlock(lines: readonly string[], at: number): boolean {
  return lines.slice(0, at).filter((line) => line.startsWith('```')).length % 2 === 1;
}

function readStory(file: string, at: number, lines: readonly string[]): Story {
  const name = `${file}:${at + 1} ${lines[0].slice(3)}`;
  const facts = new Map<string, string>();
  const blocks = new Map<string, string[]>();
  let block: string[] | null = null;
  for (const line of lines.slice(1)) {
    if (line.startsWith('```')) {
      const word = line.slice(3);
      block = block === null ? [] : null;
      if (block === null) continue;
      if (!['log', 'chains', 'figures'].includes(word) || blocks.has(word)) fail(name, `block ${word}`);
      blocks.set(word, block);
    } else if (block !== null) block.push(line);
    else {
      const fact = /^(Options|Traps|Status|Escapes|Starts): (.*)$/.exec(line);
      if (fact !== null) facts.set(fact[1], fact[2]);
    }
  }
  const [log, chains, figures] = ['log', 'chains', 'figures'].map((word) => blocks.get(word));
  if (log === undefined || chains === undefined || figures === undefined) fail(name, 'a block is missing');
  const status = facts.get('Status');
  if (status !== undefined && !status.startsWith('known wrong')) fail(name, `Status: ${status}`);
  return {
    name,
    options: readOptions(name, facts.get('Options') ?? ''),
    traps: (facts.get('Traps') ?? '').split(',').flatMap((n) => (n.trim() === '' ? [] : [Number(n)])),
    knownWrong: status !== undefined,
    startsUnjudged: facts.get('Starts') ?? null,
    log: logBytes(log, facts.get('Escapes') === 'yes'),
    chains: joinContinued(chains),
    figures,
  };
}

function readOptions(name: string, text: string): StoryOptions {
  const given = new Map(
    text.split(' ').flatMap((word) => (word === '' ? [] : ([word.split('=', 2)] as [string, string][]))),
  );
  for (const key of given.keys()) if (!['tz', 'year', 'mta'].includes(key)) fail(name, `option ${key}`);
  const mta = given.get('mta');
  return {
    tz: given.get('tz') ?? 'UTC',
    year: given.has('year') ? Number(given.get('year')) : null,
    mta: mta === undefined ? null : (MTAS.indexOf(mta) as Mta),
  };
}

/** With escapes, `\xNN` is that byte; everything else is as it stands, backslashes too. */
function logBytes(lines: readonly string[], escapes: boolean): Buffer {
  const text = lines.map((line) => `${line}\n`).join('');
  const read = escapes
    ? text.replace(/\\x([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : text;
  return Buffer.from(read, 'latin1');
}

/** A chain may go on in lines that begin with a blank. */
function joinContinued(lines: readonly string[]): string[] {
  const joined: string[] = [];
  for (const line of lines) {
    // Files are read as latin1 for the sake of the logs; what we expect is text.
    const text = Buffer.from(line, 'latin1').toString().trim();
    if (text === '') continue;
    if (/^\s/.test(line)) joined.push(`${joined.pop() ?? ''} ${text}`);
    else joined.push(text);
  }
  return joined;
}

function fail(name: string, what: string): never {
  throw new Error(`${name}: ${what}`);
}
