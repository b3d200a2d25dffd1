/** A live run without a terminal: real files, the real engine, its views kept. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll } from 'vitest';
import { Analysis } from '../../src/analysis/analysis.ts';
import { prepareInputs, readInputs } from '../../src/analysis/reading.ts';
import type { Chain } from '../../src/chains/chain.ts';
import { chainOf } from '../../src/chains/view.ts';
import type { Following } from '../../src/follow/inputs.ts';
import { Names } from '../../src/lines/names.ts';
import { Tags } from '../../src/lines/tags.ts';
import { Board, type View } from '../../src/live/board.ts';
import { Engine } from '../../src/live/engine.ts';
import { findSources } from '../../src/source/find.ts';
import type { Source } from '../../src/source/source.ts';
import type { Report } from '../../src/summary/report.ts';
import { reportOf } from '../../src/summary/view.ts';

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dsnstat-live-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface RunningOptions {
  readonly speed?: number;
  readonly remembered?: number;
  /** What the detectors would say of a chain. */
  readonly judge?: (chain: Chain) => Chain['suspect'];
}

export class Running {
  readonly hosts = new Names();
  readonly views: View[] = [];
  readonly problems: unknown[] = [];
  readonly analysis: Analysis;
  readonly board: Board;
  readonly engine: Engine;

  constructor({ speed, remembered, judge }: RunningOptions = {}) {
    this.analysis = new Analysis({ onChain: (root) => this.board.over(root) });
    this.board = new Board({
      summary: this.analysis.summary,
      remembered,
      describe: (root) => {
        const chain = chainOf(root, (host) => this.hosts.text(host));
        return { chain: judge === undefined ? chain : { ...chain, suspect: judge(chain) }, hops: null };
      },
    });
    this.engine = new Engine({
      analysis: this.analysis,
      board: this.board,
      hosts: this.hosts,
      tags: new Tags(),
      zone: 'UTC',
      year: null,
      speed: speed ?? null,
      onView: (view) => this.views.push(view),
      onProblem: (problem) => this.problems.push(problem),
    });
  }

  /** What the files hold, then what comes, until the inputs end or `stop` is called. */
  async run(sources: readonly Source[], followings: readonly Following[]): Promise<View> {
    await this.engine.read(sources, false);
    await this.engine.follow(followings);
    return this.engine.finish();
  }

  /** Waits until so many lines have been taken. */
  async taken(lines: number): Promise<void> {
    for (let n = 0; this.engine.lines < lines; n += 1) {
      if (n > 2000) throw new Error(`${this.engine.lines} of ${lines} lines have come, no more`);
      await sleep(10);
    }
  }

  report(): Report {
    return reportFrom(this.analysis);
  }
}

function reportFrom(analysis: Analysis): Report {
  return reportOf(analysis.summary, analysis.pending(), {
    top: 1000,
    complete: true,
    generatedAt: new Date(0),
  });
}

/** What `dsnstat report` says of these files. */
export async function batchReport(paths: readonly string[]): Promise<Report> {
  const { sources } = await findSources(paths, { stdinIsTty: true });
  const analysis = new Analysis();
  const prepared = await prepareInputs(sources, {
    zone: 'UTC',
    year: null,
    hosts: new Names(),
    tags: new Tags(),
  });
  await readInputs(prepared, analysis, {
    onProblem: (error) => {
      throw error;
    },
  });
  return reportFrom(analysis);
}
