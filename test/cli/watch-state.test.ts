/**
 * `watch --state`: stopped, killed and started again while the log grows and is rotated, the figures are those of one
 * report over all bytes; and the file is that of `report --state`.
 */
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Analysis } from '../../src/analysis/analysis.ts';
import type { Chain } from '../../src/chains/chain.ts';
import { chainOf } from '../../src/chains/view.ts';
import { parseArguments, type WatchOptions } from '../../src/cli/arguments.ts';
import { chooseInputs, type WatchInputs } from '../../src/cli/watch-inputs.ts';
import { WatchState } from '../../src/cli/watch-state.ts';
import { Names } from '../../src/lines/names.ts';
import { Tags } from '../../src/lines/tags.ts';
import { Board, type View } from '../../src/live/board.ts';
import { Engine } from '../../src/live/engine.ts';
import type { Snapshot } from '../../src/live/snapshot.ts';
import type { Report } from '../../src/summary/report.ts';
import { reportOf } from '../../src/summary/view.ts';
import { bytesOf, chains, dsnstat, linesOf, MIXED, output, report, temporaryFolder } from './program.ts';
import { figuresOf, lines, message, Watching } from './watching.ts';

const { folder, room } = temporaryFolder();

/** A run of watch in this process: all but the screen, the snapshots and the signals. */
class Run {
  readonly notices: string[] = [];
  readonly analysis: Analysis;
  readonly engine: Engine;
  readonly board: Board;
  readonly #hosts = new Names();
  readonly #tags = new Tags();
  readonly #options: WatchOptions;
  #inputs: WatchInputs | null = null;
  #state: WatchState | null = null;
  #isKilled = false;
  #done: Promise<View> | null = null;

  constructor(state: string, args: readonly string[]) {
    const parsed = parseArguments(['watch', '--tz', 'UTC', '--state', state, ...args]);
    if (parsed.command !== 'watch') throw new Error('watch');
    this.#options = parsed.options;
    this.analysis = new Analysis({ onChain: (root) => this.board.over(root) });
    this.board = new Board({
      summary: this.analysis.summary,
      describe: (root) => ({ chain: chainOf(root, (host) => this.#hosts.text(host)), hops: null }),
    });
    this.engine = new Engine({
      analysis: this.analysis,
      board: this.board,
      hosts: this.#hosts,
      tags: this.#tags,
      zone: 'UTC',
      year: null,
      speed: null,
      onView: () => undefined,
      onProblem: (problem) => this.notices.push(String(problem)),
      keeping: {
        every: 30,
        save: async (inputs) => {
          if (!this.#isKilled) await this.#state?.save(inputs, this.#inputs?.journal ?? null);
        },
      },
    });
  }

  static async start(state: string, args: readonly string[]): Promise<Run> {
    const run = new Run(state, args);
    const { inputs } = parseArguments(['watch', ...args]) as { inputs: readonly string[] };
    await run.#begin(inputs);
    return run;
  }

  async #begin(names: readonly string[]): Promise<void> {
    const { state: path, history } = this.#options;
    const onNotice = (text: string): unknown => this.notices.push(text);
    this.#state = await WatchState.open(path as string, this.#options, {
      analysis: this.analysis,
      hosts: this.#hosts,
      tags: this.#tags,
      board: this.board,
    });
    this.#state.restore(onNotice);
    this.#inputs = await chooseInputs(names, {
      history,
      replay: false,
      onNotice,
      onProblem: onNotice,
      readBefore: this.#state.readBefore,
      journalCursor: null,
    });
    const { sources, followings, discover } = this.#inputs;
    const beginning = await this.#state.begin(sources, followings, onNotice);
    this.#state.begun(await this.engine.read(beginning.sources, false, beginning.previous));
    this.#done = this.engine
      .follow(followings, { discover: discover ?? undefined })
      .then(() => this.engine.finish());
    // Whoever is killed before has never been there.
    while (!existsSync(path as string)) await sleep(5);
  }

  async taken(count: number): Promise<void> {
    for (let n = 0; this.engine.lines !== count; n += 1) {
      if (n > 500) throw new Error(`${this.engine.lines} of ${count} lines; ${this.notices.join('; ')}`);
      await sleep(10);
    }
  }

  /** Ends it; `kill` leaves the state as it was saved last. */
  async stop(kill = false): Promise<View> {
    this.#isKilled = kill;
    this.engine.stop();
    const view = await (this.#done as Promise<View>);
    this.#state?.release();
    return view;
  }

  report(): Report {
    return reportOf(this.analysis.summary, this.analysis.pending(), {
      top: 1000,
      complete: true,
      generatedAt: new Date(0),
    });
  }
}

type Act = { readonly act: string; readonly n: number };

const ACTS = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ act: fc.constant('write'), n: fc.integer({ min: 1, max: 60 }) }) },
    { weight: 2, arbitrary: fc.record({ act: fc.constant('look'), n: fc.constant(0) }) },
    { weight: 3, arbitrary: fc.record({ act: fc.constantFrom('rotate', 'copytruncate'), n: fc.nat(1) }) },
    { weight: 3, arbitrary: fc.record({ act: fc.constantFrom('stop', 'kill'), n: fc.constant(0) }) },
  ),
  { minLength: 8, maxLength: 16 },
);

/** The log and its rotated files, as logrotate leaves them: the second is compressed, the log's name is made anew. */
class Log {
  readonly path = join(room(), 'mail.log');
  /** Messages written. */
  count = 0;
  #rotated = 0;

  constructor() {
    writeFileSync(this.path, '');
  }

  write(messages: number): void {
    let text = '';
    for (let i = 0; i < messages; i += 1) text += message(this.count++);
    appendFileSync(this.path, text);
  }

  rotate(by: string): void {
    for (let i = this.#rotated; i > 1; i -= 1) renameSync(`${this.path}.${i}.gz`, `${this.path}.${i + 1}.gz`);
    if (this.#rotated > 0) {
      writeFileSync(`${this.path}.2.gz`, gzipSync(readFileSync(`${this.path}.1`)));
      rmSync(`${this.path}.1`);
    }
    this.#rotated += 1;
    if (by === 'rotate') {
      renameSync(this.path, `${this.path}.1`);
      writeFileSync(this.path, '');
    } else {
      copyFileSync(this.path, `${this.path}.1`);
      truncateSync(this.path);
    }
  }
}

describe('the model', () => {
  test('stopped and killed at any time, rotated and compressed meanwhile: each line counts once', async () => {
    const property = fc.asyncProperty(ACTS, async (acts: readonly Act[]) => {
      const log = new Log();
      const state = `${log.path}.state`;
      const told: string[] = [];
      let run: Run | null = await Run.start(state, [log.path]);
      for (const { act, n } of acts) {
        if (act === 'write') log.write(n);
        else if (act === 'look') await run?.taken(2 * log.count);
        else if (act === 'rotate' || act === 'copytruncate') {
          // The first line of a log is its identity: an empty one cannot be told from others.
          if (statSync(log.path).size === 0) continue;
          // A copy that is compressed in the same moment is lost to a program that runs.
          await run?.taken(2 * log.count);
          log.rotate(act);
        } else if (run === null) run = await Run.start(state, [log.path]);
        else {
          await run.stop(act === 'kill');
          told.push(...run.notices);
          run = null;
        }
      }
      run ??= await Run.start(state, [log.path]);
      await run.taken(2 * log.count);
      await run.stop();
      expect(run.report().statistics.incoming).toBe(log.count);
      told.push(...run.notices);
      expect(told.filter((text) => !text.includes('was truncated'))).toEqual([]);
    });
    await fc.assert(property, { numRuns: 12, endOnFailure: true });
  });
});

describe('chains that are under way at the stop', () => {
  /** All but the number of files. */
  const meaning = ({ input: { files: _, ...input }, ...rest }: Report): unknown => ({ ...rest, input });

  test.each(['postfix-mixed.log.gz', 'sendmail-wide.log.gz', 'qmail-mixed.log.gz', 'postfix-newyear.log.gz'])(
    '%s, stopped four times: the report of the whole',
    async (name) => {
      const path = join(room(), 'mail.log');
      const bytes = gunzipSync(readFileSync(new URL(`../fixtures/${name}`, import.meta.url)));
      const whole = join(dirname(path), 'whole.log');
      writeFileSync(whole, bytes);
      const expected = await Run.start(`${whole}.state`, [whole]);
      const view = await expected.stop();
      for (let n = 1; n <= 5; n += 1) {
        // Cut anywhere, in the midst of a line as well; each run sees half of its part live.
        const [from, half, to] = [n - 1, n - 0.5, n].map((part) => Math.floor((bytes.length * part) / 5));
        appendFileSync(path, bytes.subarray(from, half));
        const run = await Run.start(`${path}.state`, [path]);
        appendFileSync(path, bytes.subarray(half, to));
        const end = await run.stop(n === 3);
        if (n < 5) continue;
        expect(meaning(run.report())).toEqual(meaning(expected.report()));
        const { whole: figures, hour, steps, suspects, groups } = end;
        expect({ figures, hour, steps, suspects }).toEqual({
          figures: view.whole,
          hour: view.hour,
          steps: view.steps,
          suspects: view.suspects,
        });
        for (const [grouping, rows] of Object.entries(groups)) {
          const wanted = view.groups[grouping as keyof typeof groups];
          expect(new Map(rows.map((row) => [row.key, row]))).toEqual(
            new Map(wanted.map((row) => [row.key, row])),
          );
        }
        expect(run.notices).toEqual([]);
      }
    },
  );
});

describe('logs that come and go', () => {
  test('two rotations while nobody looks: the piece between them is read, an older one is not', async () => {
    const log = new Log();
    const state = `${log.path}.state`;
    writeFileSync(`${log.path}.1`, message(900_000));
    const hourAgo = new Date(Date.now() - 3_600_000);
    utimesSync(`${log.path}.1`, hourAgo, hourAgo);
    log.write(3);
    const run = await Run.start(state, [log.path]);
    await run.stop();
    log.write(2);
    renameSync(`${log.path}.1`, `${log.path}.3`);
    renameSync(log.path, `${log.path}.2`);
    writeFileSync(`${log.path}.1`, '');
    appendFileSync(`${log.path}.1`, message(log.count++));
    log.write(1);
    const again = await Run.start(state, [log.path]);
    await again.stop();
    expect(again.analysis.summary.lines.reduce((sum, n) => sum + n, 0)).toBe(2 * log.count);
  });

  test('a log that is away at the start and comes back goes on where it was', async () => {
    const log = new Log();
    const state = `${log.path}.state`;
    log.write(3);
    await (await Run.start(state, [log.path])).stop();
    renameSync(log.path, join(folder, 'away'));
    const run = await Run.start(state, [log.path]);
    renameSync(join(folder, 'away'), log.path);
    log.write(2);
    await run.taken(2 * log.count);
    await run.stop();
  });

  test('a folder that comes up later is looked into', async () => {
    const place = join(room(), 'later');
    const run = await Run.start(join(folder, 'later.state'), [place]);
    mkdirSync(place);
    writeFileSync(join(place, 'mail.log'), message(1));
    await run.taken(2);
    await run.stop();
    expect(run.notices).toEqual([
      `${place}: no such file; waiting for it`,
      `${join(place, 'mail.log')}: a new log; following it, too`,
    ]);
  });

  test('new logs of a folder, and of folders in it, are followed; rotated ones, copies and others are not', async () => {
    const place = room();
    const put = (name: string, text: string): void => writeFileSync(join(place, name), text);
    const state = join(folder, 'folder.state');
    const run = await Run.start(state, [place]);
    expect(run.notices).toEqual([`${place}: no log in it yet; waiting for one`]);
    put('mx1.log', '');
    await sleep(1_200);
    appendFileSync(join(place, 'mx1.log'), message(1));
    await run.taken(2);
    put('mx1.log.1', readFileSync(join(place, 'mx1.log'), 'utf8'));
    put('mx1.log.copy.log', readFileSync(join(place, 'mx1.log'), 'utf8'));
    put('old.log.gz', '');
    writeFileSync(join(place, 'old.log.gz'), gzipSync(message(77)));
    put('notes.txt', 'not a log\n');
    mkdirSync(join(place, 'send'));
    writeFileSync(join(place, 'send', 'current'), message(2));
    await run.taken(4);
    appendFileSync(join(place, 'send', 'current'), message(3));
    appendFileSync(join(place, 'mx1.log'), message(4));
    await run.taken(8);
    await sleep(1_200);
    await run.stop();
    expect(run.engine.lines).toBe(8);
    expect(run.notices.slice(1)).toEqual([
      `${join(place, 'mx1.log')}: a new log; following it, too`,
      `${join(place, 'send', 'current')}: a new log; following it, too`,
    ]);
    // The next run knows them.
    for (const name of ['mx1.log.1', 'mx1.log.copy.log']) rmSync(join(place, name));
    const again = await Run.start(state, [place]);
    await again.stop();
    expect(again.engine.lines).toBe(8 + 2);
  });
});

describe('the program', () => {
  const bytes = bytesOf(MIXED);
  const all = report(['--tz', 'UTC', MIXED]);
  const parts = [0, 1, 2, 3].map((n) => {
    const cut = (part: number): number => bytes.indexOf(10, Math.floor((bytes.length * part) / 4) - 1) + 1;
    return bytes.subarray(n === 0 ? 0 : cut(n), n === 3 ? bytes.length : cut(n + 1));
  });
  const asSnapshot = (value: unknown): Snapshot => value as Snapshot;

  test('watch, report and check go on with one file, each where the other ended', async () => {
    const path = join(room(), 'mail.log');
    const state = `${path}.state`;
    appendFileSync(path, parts[0]);
    const first = new Watching(['--state', state, path]);
    await first.until(lines(100));
    expect(dsnstat(['--tz', 'UTC', '--state', state, path]).stderr).toContain(
      `${state} is in use by another dsnstat (process ${first.child.pid})`,
    );
    await first.stop('SIGHUP');
    expect({ status: first.child.exitCode, stderr: first.stderr }).toEqual({ status: 0, stderr: '' });
    expect(statSync(state).mode & 0o777).toBe(0o600);
    expect(existsSync(`${state}.lock`)).toBe(false);
    appendFileSync(path, parts[1]);
    renameSync(path, `${path}.1`);
    writeFileSync(path, parts[2]);
    output(['report', '--tz', 'UTC', '--state', state, path]);
    const second = new Watching(['--state', state, path]);
    await second.until(lines(300));
    appendFileSync(path, parts[3]);
    const last = await second.until(lines(linesOf(MIXED).length));
    await second.stop();
    expect(figuresOf(last)).toEqual(figuresOf(asSnapshot(all)));
    expect(second.stderr).toBe(
      `dsnstat: ${state}: another command or --anonymise comes in between; the last hour, the chart by minute and the groups of suspects begin now\n`,
    );
    expect(figuresOf(asSnapshot(report(['--tz', 'UTC', '--state', state, path])))).toEqual(
      figuresOf(asSnapshot(all)),
    );
    const check = dsnstat(['check', '--tz', 'UTC', '--state', state, path]);
    expect(check).toEqual(dsnstat(['check', '--tz', 'UTC', MIXED]));
    expect(check.stdout).toContain('10 suspects');
  });

  test('a run that is killed is gone on with from its last saving', async () => {
    const path = join(room(), 'mail.log');
    const state = `${path}.state`;
    writeFileSync(path, parts[0]);
    const first = new Watching(['--state', state, path], { DSNSTAT_SAVE_EVERY: '100' });
    await first.until(lines(100));
    appendFileSync(path, Buffer.concat([parts[1], parts[2]]));
    await first.until(lines(400));
    await first.stop('SIGKILL');
    expect(existsSync(`${state}.lock`)).toBe(true);
    appendFileSync(path, parts[3]);
    const second = new Watching(['--state', state, path]);
    const last = await second.until(lines(linesOf(MIXED).length));
    await second.stop();
    expect(figuresOf(last)).toEqual(figuresOf(asSnapshot(all)));
    expect(second.stderr).toBe('');
  });

  test('a state that cannot be used is told in a line and left alone', () => {
    const log = join(room(), 'mail.log');
    writeFileSync(log, parts[0]);
    const state = `${log}.state`;
    output(['report', '--tz', 'UTC', '--state', state, log]);
    const good = readFileSync(state, 'utf8');
    const cases: [string, string, string[]][] = [
      [good.slice(0, -200), 'damaged in line', []],
      ['Nov 21 01:02:03 mx postfix/qmgr[1]: 123: removed\n', 'not a summary that dsnstat saved', []],
      [good, 'made with other options (--tz UTC) than now (--mta qmail --tz UTC)', ['--mta', 'qmail']],
    ];
    for (const [content, message, args] of cases) {
      writeFileSync(state, content);
      const { status, stdout, stderr } = dsnstat(['watch', '--tz', 'UTC', '--state', state, ...args, log]);
      expect({ status, stdout, lines: stderr.split('\n').length }).toEqual({
        status: 2,
        stdout: '',
        lines: 2,
      });
      expect(stderr).toContain(message);
      expect(readFileSync(state, 'utf8')).toBe(content);
      expect(existsSync(`${state}.lock`)).toBe(false);
    }
    // A place that cannot be written to is told before anything is read.
    expect(dsnstat(['watch', '--state', '/nonexistent/state', log]).stderr).toMatch(
      /^dsnstat: \/nonexistent\/state: no such file or directory\n$/,
    );
  });

  test('chains prints each chain once, in the run in which it is over', () => {
    const log = join(room(), 'mail.log');
    const state = `${log}.state`;
    // A message a minute, so that the one before it is over; every third bounces.
    const text = Array.from({ length: 24 }, (_, n) => {
      const [id, dsn] = [0xb00000 + 2 * n, 0xb00001 + 2 * n].map((m) => m.toString(16).toUpperCase());
      const line = (second: number, rest: string): string =>
        `${new Date(Date.UTC(2026, 10, 20, 0, n, second)).toISOString()} mx postfix/${rest}\n`;
      const [status, dsnLines] =
        n % 3 > 0
          ? ['dsn=2.0.0, status=sent (250 OK)', '']
          : [
              'dsn=5.1.1, status=bounced (host h.test[192.0.2.9] said: 550 5.1.1 unknown)',
              line(5, `bounce[4]: ${id}: sender non-delivery notification: ${dsn}`) +
                line(5, `qmgr[2]: ${dsn}: from=<>, size=9, nrcpt=1 (queue active)`) +
                line(
                  6,
                  `smtp[3]: ${dsn}: to=<s${n}@a.test>, relay=a.test[192.0.2.1]:25, delay=1, dsn=2.0.0, status=sent (250 OK)`,
                ) +
                line(6, `qmgr[2]: ${dsn}: removed`),
            ];
      return (
        line(1, `smtpd[1]: ${id}: client=a.test[192.0.2.1]`) +
        line(1, `cleanup[1]: ${id}: message-id=<${n}@a.test>`) +
        line(2, `qmgr[2]: ${id}: from=<s${n}@a.test>, size=9, nrcpt=1 (queue active)`) +
        line(4, `smtp[3]: ${id}: to=<r@b.test>, relay=h.test[192.0.2.9]:25, delay=1, ${status}`) +
        dsnLines +
        line(7, `qmgr[2]: ${id}: removed`)
      );
    }).join('');
    const printed: Chain[] = [];
    const runs: number[] = [];
    for (const part of [0.21, 0.4, 0.4, 0.73, 1]) {
      // Cut in the midst of lines and of messages.
      writeFileSync(log, text.slice(0, Math.floor(text.length * part)));
      const now = chains(['--tz', 'UTC', '--state', state, log]);
      runs.push(now.length);
      printed.push(...now);
    }
    expect(runs.every((n, i) => (i === 2 ? n === 0 : n > 0))).toBe(true);
    // The last ones may still get lines.
    const whole = chains(['--tz', 'UTC', log]);
    expect(whole).toHaveLength(24);
    expect(printed.length).toBeGreaterThan(20);
    expect(printed).toEqual(whole.slice(0, printed.length));
  });

  test('chains has a state of its own', () => {
    const log = join(room(), 'mail.log');
    writeFileSync(log, parts[0]);
    const state = `${log}.state`;
    chains(['--tz', 'UTC', '--state', state, log]);
    const report = dsnstat(['report', '--tz', 'UTC', '--state', state, log]);
    expect(report.stderr).toMatch(
      /made by chains; what another command read would never be printed; the state /,
    );
    rmSync(state);
    output(['report', '--tz', 'UTC', '--state', state, log]);
    const refused = dsnstat(['chains', '--tz', 'UTC', '--state', state, log]);
    expect(refused.stderr).toMatch(
      /made by another command than chains, which must print every chain itself; /,
    );
    expect([report.status, refused.status]).toEqual([2, 2]);
  });

  test.each([
    ['trace', ['A1', MIXED], /a state has no lines to tell a message from/],
    ['recipients', ['--domain', 'corp.test', MIXED], /a state does not keep what each address proves/],
    ['explain', ['a.eml'], /a state does not keep the messages/],
    ['merge', ['a.summary'], /it reads summaries in full/],
    ['probe', ['mx.example'], /it reads no log/],
  ])('%s says why a state means nothing to it', (command, args, why) => {
    const { status, stdout, stderr } = dsnstat([command, '--state', 'x', ...args]);
    expect({ status, stdout, lines: stderr.split('\n').length }).toEqual({ status: 2, stdout: '', lines: 2 });
    expect(stderr).toMatch(/--state is not for dsnstat \w+, only for dsnstat report, chains, check, watch: /);
    expect(stderr).toMatch(why);
  });
});
