/**
 * A log's way through an analysis: with the kernel or without, cut anywhere, counted here or apart.
 */
import { expect } from 'vitest';
import { Analysis } from '../../src/analysis/analysis.ts';
import { FastLines } from '../../src/analysis/fast-lines.ts';
import { fullReport } from '../../src/findings/all.ts';
import type { Chains } from '../../src/kernel/kernel.ts';
import { Clock, yearEvidence } from '../../src/lines/clock.ts';
import { HeadParser } from '../../src/lines/head-parser.ts';
import { Names } from '../../src/lines/names.ts';
import { LineSplitter } from '../../src/lines/splitter.ts';
import { Tags } from '../../src/lines/tags.ts';
import { summaryRows } from '../../src/summary/saved.ts';
import type { Summary } from '../../src/summary/summary.ts';
import { withPending } from '../../src/summary/view.ts';

export interface Answer {
  /** With all tables that it is made of. */
  readonly report: unknown;
  /** Lines that the kernel did not take. */
  readonly slow: number;
  /** Bytes of chains that were counted apart. */
  readonly sent: number;
  /** Chains that were counted by the facts of another one. */
  readonly repeated: number;
}

export interface Course {
  /** Chains that are over are counted by another analysis, as in another thread. */
  readonly apart?: boolean;
  /** Hours after the log's end, when nearly all chains are over. */
  readonly later?: number;
}

export function answer(log: Uint8Array, chunk: number, kernel: boolean, course: Course = {}): Answer {
  const { apart = false, later = 0 } = course;
  const other = apart ? new Analysis({ lean: true }) : null;
  let sent = 0;
  const onSent = (chains: Chains) => {
    sent += chains.length;
    other?.receive(structuredClone(chains));
  };
  const analysis = new Analysis({ lean: true, kernel, ...(apart ? { onSent } : {}) });
  let repeated = 0;
  for (const summary of other === null ? [analysis.summary] : [analysis.summary, other.summary])
    onRepeated(summary, () => {
      repeated += 1;
    });
  const clock = new Clock({
    zone: 'Europe/Berlin',
    year: yearEvidence(log.subarray(0, 1 << 18)),
    reference: Date.UTC(2027, 0, 2),
  });
  const heads = new HeadParser(clock, new Names(), new Tags());
  if (apart) analysis.startSending();
  let slow = 0;
  const line = analysis.line.bind(analysis);
  analysis.line = (...at) => {
    slow += 1;
    return line(...at);
  };
  const splitter = new LineSplitter(
    (bytes, start, end) => {
      if (fast === null) analysis.line(heads, bytes, start, end);
      else fast.push(bytes.subarray(start, end + 1));
    },
    () => analysis.overlong(),
  );
  const { light } = analysis.joiner;
  const fast =
    light === null ? null : new FastLines(analysis, light, heads, () => undefined, splitter.maxLine);
  for (let at = 0; at < log.length; at += chunk) {
    // Each chunk is gone after the call, as the blocks of a source are.
    const piece = Buffer.from(log.subarray(at, at + chunk));
    if (fast === null) splitter.push(piece);
    else splitter.pushAround(piece, (lines) => fast.push(lines));
    piece.fill(0x2a);
  }
  splitter.finish();
  if (later > 0) analysis.joiner.advance(analysis.summary.to + later * 3_600_000);
  analysis.stopSending();
  light?.drain();
  if (other !== null) {
    expect([...other.pending()]).toEqual([]);
    analysis.summary.merge(other.summary);
  }
  const pending = [...analysis.pending()];
  const tables = tablesOf(withPending(analysis.summary, pending));
  const report = fullReport(analysis.summary, pending, {
    top: 1000,
    complete: true,
    generatedAt: new Date(0),
  });
  return { report: { ...report, tables }, slow, sent, repeated };
}

/** All rows of all tables; their order is that of counting. */
function tablesOf(summary: Summary): string[] {
  const rows: string[] = [];
  const add = (path: string, value: unknown): void => {
    if (Array.isArray(value) && value.every(Array.isArray))
      // Seen or not: how often means nothing (traffic.ts).
      for (const row of value)
        rows.push(`${path} ${JSON.stringify(path === 'traffic.senders' ? row[0] : row)}`);
    else if (Array.isArray(value) && value.length === 2) add(`${path}.${value[0]}`, value[1]);
    else rows.push(`${path} ${JSON.stringify(value)}`);
  };
  for (const { field, value } of summaryRows(summary)) add(String(field), value);
  return rows.sort();
}

function onRepeated(summary: Summary, then: () => void): void {
  const ask = summary.repeated.bind(summary);
  summary.repeated = (chain) => {
    const is = ask(chain);
    if (is) then();
    return is;
  };
}

/** Some hours later, with what is over counted apart; returns how many bytes of chains were. */
export function expectSameApart(log: Uint8Array, later = 3): number {
  const chunk = 1 << 20;
  const { report, sent } = answer(log, chunk, true, { apart: true, later });
  expect(report).toEqual(answer(log, chunk, false, { later }).report);
  return sent;
}
