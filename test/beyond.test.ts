/**
 * A line ends at its newline: what stands behind it says nothing, wherever the line was cut off. What a parser reads there
 * would be the next line, or memory that nobody has filled.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { HeadParser } from '../src/lines/head-parser.ts';
import { ParsedRecord, Span } from '../src/records/record.ts';
import { parserFor } from '../src/records/registry.ts';
import { Reader } from './lines/reading.ts';
import { readStories } from './support/story.ts';

vi.setConfig({ testTimeout: 120_000 });

const NEWLINE = 10;
const BEHIND = ['zzzzzzzzzzzzzzzz', '4444444444444444', ' 4 <>]: =;,)(["@', ': to=<a>, stat=S'];

/** All lines of the stories and of the lab, those with the same words once. */
function linesOfAll(): Buffer[] {
  const logs = readStories(join(import.meta.dirname, 'stories')).map(({ log }) => log);
  logs.push(readFileSync(join(import.meta.dirname, 'fixtures/lines.txt')));
  const lines = new Map<string, Buffer>();
  for (const log of logs)
    for (const line of log.toString('latin1').split('\n'))
      lines.set(line.replace(/[0-9]+|[0-9A-Za-z]{10,}/g, '0'), Buffer.from(line, 'latin1'));
  return [...lines.values()];
}

const newHeads = (): HeadParser => new Reader({ year: 2026 }).parser;
const usual = newHeads();
const record = new ParsedRecord();
const keys = Object.keys(record) as (keyof ParsedRecord)[];
const spans = keys.filter((key) => record[key] instanceof Span) as 'id'[];
const numbers = keys.filter((key) => key !== 'line' && typeof record[key] !== 'object') as 'kind'[];

/** What is read of the first `length` bytes. */
function read(heads: HeadParser, bytes: Buffer, length: number): string {
  if (!heads.parse(bytes, 0, length)) return 'no head';
  const { head } = heads;
  record.clear();
  const lineClass = parserFor(head)?.parse(head, record) ?? -1;
  let facts = `${lineClass} ${head.instant} ${head.textStart} ${head.textEnd} ${head.pid} ${head.tag.text}`;
  for (const key of numbers) facts += ` ${record[key]}`;
  for (const key of spans)
    if (record[key].present) facts += ` ${key} ${record[key].start} ${record[key].end}`;
  return facts;
}

test('what stands behind a line is not read, wherever it was cut off', () => {
  const wrong: string[] = [];
  let cuts = 0;
  for (const line of linesOfAll()) {
    // What a container runtime cuts off waits for its end.
    const waits = /stdout|stderr|CONTAINER/.test(line.toString('latin1'));
    const bytes = Buffer.alloc(line.length + 1 + BEHIND[0].length);
    for (let length = 1; length <= line.length; length += 1) {
      line.copy(bytes, 0, 0, length);
      bytes[length] = NEWLINE;
      const all = new Set<string>();
      for (const behind of BEHIND) {
        bytes.write(behind, length + 1, 'latin1');
        all.add(read(waits ? newHeads() : usual, bytes, length));
      }
      cuts += 1;
      if (all.size > 1) wrong.push(line.toString('latin1', 0, length));
    }
  }
  expect(cuts).toBeGreaterThan(100_000);
  expect(wrong).toEqual([]);
});
