/** Traces of every story: the same chains, no line invented, none of a message's lines missing. */
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Analysis } from '../../src/analysis/analysis.ts';
import type { Life } from '../../src/chains/life.ts';
import { Clock } from '../../src/lines/clock.ts';
import { HeadParser } from '../../src/lines/head-parser.ts';
import { Names } from '../../src/lines/names.ts';
import { LineSplitter } from '../../src/lines/splitter.ts';
import { Tags } from '../../src/lines/tags.ts';
import { traceNdjson } from '../../src/outputs/trace-ndjson.ts';
import { traceText } from '../../src/outputs/trace-text.ts';
import { RECORDED } from '../../src/records/record.ts';
import { Inside } from '../../src/suspects/inside.ts';
import { judgeOfRun } from '../../src/suspects/repeats.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { Tracer } from '../../src/trace/tracer.ts';
import { type What, whatOf } from '../../src/trace/what.ts';
import { answerWhole, REFERENCE, yearOf } from '../support/answer.ts';
import { readStories, type Story, type StoryOptions } from '../support/story.ts';

const stories = readStories(join(import.meta.dirname, '../stories'));

interface Told {
  readonly traces: Trace[];
  /** Lines that gave a fact about a life. */
  readonly ofLives: string[];
}

function tell(text: string, log: Uint8Array, options: StoryOptions, limit?: number): Told {
  const what = whatOf(text) as What;
  const judged = judgeOfRun(new Inside());
  const tracer = new Tracer(what, { raw: true, since: null, until: null, judged, limit });
  const hosts = new Names();
  const traces: Trace[] = [];
  const ofLives: string[] = [];
  const onChain = (root: Life): void => {
    const found = tracer.look(root);
    if (found !== null) traces.push(tracer.trace(found, (host) => hosts.text(host)));
    tracer.forget(root);
  };
  const analysis = new Analysis({
    mta: options.mta,
    onChain,
    onLine: (line, joiner) => {
      tracer.line(line, joiner);
      if (line.lineClass === RECORDED && line.life !== null)
        ofLives.push(Buffer.from(line.bytes.subarray(line.start, line.end)).toString('utf8'));
    },
  });
  const heads = new HeadParser(
    new Clock({ zone: options.tz, year: yearOf(log, options), reference: REFERENCE }),
    hosts,
    new Tags(),
  );
  const splitter = new LineSplitter(
    (bytes, start, end) => analysis.line(heads, bytes, start, end),
    () => analysis.overlong(),
  );
  splitter.push(Buffer.from(log));
  splitter.finish();
  for (const root of analysis.pending()) onChain(root);
  return { traces, ofLives };
}

function linesOf(trace: Trace): string[] {
  return trace.lives.flatMap(({ events }) => events.flatMap((event) => event.lines ?? []));
}

describe('stories', () => {
  test.each(stories.map((story) => [story.name, story] as const))('%s', (_, story: Story) => {
    const { log, options } = story;
    const { chains } = answerWhole(log, options, yearOf(log, options));
    const inLog = log.toString('utf8').split('\n');
    const told = new Set<string>();
    for (const chain of chains) {
      const { traces } = tell(chain.queue_id, log, options);
      const same = JSON.stringify(chain);
      const trace = traces.find((t) => JSON.stringify(t.chain) === same) ?? traces[0];
      expect(trace?.chain).toEqual(chain);
      if (trace === undefined) continue;
      expect(trace.lives.map((life) => life.queue_id)).toEqual(expect.arrayContaining(chain.queue_ids));
      for (const line of linesOf(trace)) {
        expect(inLog).toContain(line);
        told.add(line);
      }
      let attempts = 0;
      for (const { events } of trace.lives) {
        expect(events.map(({ at }) => at)).toEqual(events.map(({ at }) => at).sort());
        for (const { event } of events) if (event === 'attempt') attempts += 1;
      }
      expect(attempts).toBeGreaterThanOrEqual(chain.recipients.reduce((sum, r) => sum + r.attempts, 0));
    }
  });

  test('every line that gave a fact about a life is told of it', () => {
    for (const { name, log, options } of stories) {
      const ids = new Set<string>();
      for (const [id] of log.toString('latin1').matchAll(/[0-9A-Za-z]{5,}/g)) ids.add(id);
      for (const [, id] of log.toString('latin1').matchAll(/(?:msg|bounce\/) ?(\d+)/g)) ids.add(id);
      const told = new Set<string>();
      let ofLives: string[] = [];
      for (const id of ids) {
        const answer = tell(id, log, options);
        ofLives = answer.ofLives;
        for (const trace of answer.traces) for (const line of linesOf(trace)) told.add(line);
      }
      expect(
        ofLives.filter((line) => !told.has(line)),
        name,
      ).toEqual([]);
    }
  });
});

describe('whatever the log', () => {
  const lines = stories
    .flatMap(({ log }) => log.toString('latin1').split('\n'))
    .filter((line) => line !== '');
  const options: StoryOptions = { tz: 'UTC', year: 2026, mta: null };

  test('damaged and mixed lines: a text of visible lines, and JSON that can be read', () => {
    const damaged = fc
      .tuple(fc.constantFrom(...lines), fc.nat(), fc.string({ unit: 'binary', maxLength: 4 }))
      .map(
        ([line, at, noise]) =>
          line.slice(0, at % (line.length + 1)) + noise + line.slice(at % (line.length + 1)),
      );
    const log = fc.array(
      fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...lines) }, { weight: 1, arbitrary: damaged }),
      {
        maxLength: 60,
      },
    );
    const what = fc.constantFrom('@example.com', '@example.net', '@example.org', '@corp.test');
    fc.assert(
      fc.property(log, what, fc.constantFrom(undefined, 500), (mixed, wanted, limit) => {
        for (const trace of tell(wanted, Buffer.from(mixed.join('\n'), 'latin1'), options, limit).traces) {
          expect(JSON.parse(traceNdjson(trace))).toMatchObject({ kind: 'trace', what: wanted });
          expect(traceText(trace, { color: false })).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\u2028\u2029]/u);
        }
      }),
      { numRuns: 300 },
    );
  });
});
