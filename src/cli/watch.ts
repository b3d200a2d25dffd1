/**
 * `dsnstat watch`: follows logs; a screen on a terminal, snapshots into a pipe.
 *
 * Owns the wiring of following, analysis, board and screen, the signals, and what is said where: while there is a
 * screen nothing else may write on the terminal.
 */
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { isatty, ReadStream, type WriteStream } from 'node:tty';
import { Analysis } from '../analysis/analysis.ts';
import type { Chain } from '../chains/chain.ts';
import { type Life, rootOf } from '../chains/life.ts';
import { type ChainJudge, chainOf } from '../chains/view.ts';
import { Names } from '../lines/names.ts';
import { Tags } from '../lines/tags.ts';
import { Board, MOST_ENTRIES, MOST_PLAIN, type View } from '../live/board.ts';
import { Engine, type FollowedInput } from '../live/engine.ts';
import type { Entry } from '../live/entry.ts';
import { snapshotOf } from '../live/snapshot.ts';
import { Anonymiser } from '../outputs/anonymise.ts';
import { chainText } from '../outputs/chain-text.ts';
import { snapshotNdjson } from '../outputs/snapshot-ndjson.ts';
import { snapshotText } from '../outputs/snapshot-text.ts';
import { traceText } from '../outputs/trace-text.ts';
import { MALFORMED, MTA_NAMES, type Mta, UNRECOGNISED } from '../records/record.ts';
import type { Screen, ScreenOptions } from '../screen/start.tsx';
import type { Ui, Wish } from '../screen/ui.ts';
import { boundTables } from '../summary/counter.ts';
import { reportOf } from '../summary/view.ts';
import { Inside } from '../suspects/inside.ts';
import { judge } from '../suspects/judge.ts';
import { Repeats } from '../suspects/repeats.ts';
import { LineStore } from '../trace/line-store.ts';
import { retrace } from '../trace/retrace.ts';
import type { WatchOptions } from './arguments.ts';
import { useColor } from './color.ts';
import { complain, EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED, reasonOf } from './errors.ts';
import { Output } from './output.ts';
import { UnreadFile, whyUseless } from './session.ts';
import { chooseInputs, type WatchInputs } from './watch-inputs.ts';
import { saveEvery, WatchState } from './watch-state.ts';

export async function runWatch(inputs: readonly string[], options: WatchOptions): Promise<number> {
  return new Watch(options).run(inputs);
}

/** Columns of a snapshot that goes into a pipe. */
const WIDTH = 100;
/** Rows of each grouping in the report that a screen leaves behind: it fits 24 rows. */
const SHORT = 2;

class Watch {
  readonly #options: WatchOptions;
  readonly #output: Output;
  readonly #inside: Inside;
  readonly #mta: Mta | null;
  readonly #anonymiser: Anonymiser | null;
  /** Lines for the lives of chains; null where there is no screen to ask for them. */
  readonly #lines: LineStore | null;
  /** The roots of chains that were pending when they were described. */
  readonly #roots = new WeakMap<Chain, { readonly root: Life; readonly serial: number }>();
  /** The life that was asked for last: it stays on the screen for many frames. */
  #told: { readonly entry: Entry; readonly lines: boolean; readonly text: string } | null = null;
  readonly #hosts = new Names();
  readonly #tags = new Tags();
  readonly #repeats = new Repeats();
  readonly #unread: UnreadFile | null;
  readonly #analysis: Analysis;
  readonly #board: Board;
  readonly #engine: Engine;
  #inputs: WatchInputs | null = null;
  #state: WatchState | null = null;
  #restoring = false;
  /** Why the state could not be written at the last time. */
  #unkept = '';
  #screen: Screen | null = null;
  #hadScreen = false;
  #keys: ReadStream | null = null;
  #view: View | null = null;
  /** Said while the screen was there, to be printed after it. */
  #unsaid: string[] = [];
  #failed = false;
  readonly #signals = new Set<NodeJS.Signals>();

  constructor(options: WatchOptions) {
    this.#options = options;
    boundTables(options.maxKeys);
    this.#output = new Output(options.output);
    this.#unread = options.unrecognised === null ? null : new UnreadFile(options.unrecognised);
    const unread = this.#unread;
    const inside = new Inside(options.inside);
    this.#inside = inside;
    this.#mta = options.mta === 'auto' ? null : (MTA_NAMES.indexOf(options.mta) as Mta);
    const store = mayHaveScreen(options) ? new LineStore([MOST_ENTRIES, MOST_PLAIN]) : null;
    this.#lines = store;
    this.#analysis = new Analysis({
      inside,
      mta: this.#mta,
      mostPending: options.maxPending,
      since: options.since,
      until: options.until,
      onChain: (root) => {
        // What ends while a state is merged in stands in the sums that the board goes on from.
        if (!this.#restoring) this.#board.over(root);
        store?.forget(root);
      },
      onLine: store === null ? undefined : (line, joiner) => store.line(line, joiner),
      onUnread: unread === null ? undefined : (bytes, start, end) => unread.line(bytes, start, end),
    });
    const anonymiser = options.anonymise ? new Anonymiser() : null;
    this.#anonymiser = anonymiser;
    const repeats = this.#repeats;
    this.#board = new Board({
      summary: this.#analysis.summary,
      describe: (root, over) => {
        let hops: readonly string[] | null = null;
        const judged: ChainJudge = (life, dsns, recipients) => {
          const found = judge(life, dsns, recipients, inside);
          if (found === null) return null;
          hops = found.failed.flatMap(({ hop }) => (hop === null ? [] : [hop]));
          // What is pending is judged at every look; repeats count a chain once, when it is over.
          return over ? repeats.add(found) : found.suspect;
        };
        const told = chainOf(root, (host) => this.#hosts.text(host), judged);
        const chain = anonymiser === null ? told : anonymiser.chain(told);
        if (!over) this.#roots.set(chain, { root, serial: root.serial });
        if (anonymiser === null) return { chain, hops };
        return {
          chain,
          hops: (hops as readonly string[] | null)?.map((hop) => anonymiser.text(hop)) ?? null,
        };
      },
      disguised: anonymiser !== null,
      onListed: (entry, root, trouble) => store?.keep(entry.key, root, trouble ? 0 : 1),
    });
    this.#engine = new Engine({
      analysis: this.#analysis,
      board: this.#board,
      hosts: this.#hosts,
      tags: this.#tags,
      zone: options.tz,
      year: options.year,
      speed: options.speed,
      onView: (view) => {
        this.#view = view;
        this.#screen?.show(view);
      },
      onProblem: this.#problem,
      keeping:
        options.state === null ? undefined : { every: saveEvery(), save: (inputs) => this.#keep(inputs) },
    });
  }

  async run(inputs: readonly string[]): Promise<number> {
    const { history, replay } = this.#options;
    await this.#goOn();
    this.#inputs = await chooseInputs(inputs, {
      history,
      replay,
      onNotice: this.#notice,
      onProblem: this.#problem,
      readBefore: this.#state?.readBefore,
      journalCursor: this.#state?.journal ?? null,
    });
    const { followings, failed, discover } = this.#inputs;
    this.#failed ||= failed;
    if (this.#inputs.sources.length + followings.length === 0 && discover === null) return EXIT_FAILED;
    const { sources, previous } = (await this.#state?.begin(
      this.#inputs.sources,
      followings,
      this.#notice,
    )) ?? { sources: this.#inputs.sources, previous: undefined };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, this.#stop);
    process.on('SIGCONT', this.#resume);
    let snapshots: NodeJS.Timeout | null = null;
    try {
      await this.#startScreen();
      if (this.#screen === null) {
        snapshots = setInterval(() => void this.#print(false), this.#options.interval * 1000);
      }
      const read = await this.#engine.read(sources, replay, previous);
      if (replay) this.#judge(read);
      if (this.#engine.isWhole) {
        this.#state?.begun(read);
        if (this.#state !== null && replay) await this.#keep([]);
        if (followings.length > 0 || discover !== null)
          await this.#engine.follow(followings, { discover: discover ?? undefined });
      } else {
        for (const following of followings) await following.close();
        if (this.#state !== null) this.#notice(`interrupted; ${this.#options.state} was left as it was`);
      }
      if (this.#screen !== null) await this.#engine.stay();
      // The report at the end is of all, whatever the screen was showing.
      this.#board.setFilter(null);
      this.#view = await this.#engine.finish();
    } finally {
      if (snapshots !== null) clearInterval(snapshots);
      this.#closeScreen();
      await this.#unread?.close();
      this.#state?.release();
    }
    for (const text of this.#unsaid) complain(text);
    this.#unsaid = [];
    await this.#print(true);
    await this.#output.close();
    if (this.#signals.has('SIGHUP')) letGoOfTerminal();
    return this.#failed ? EXIT_FAILED : EXIT_DONE;
  }

  // ---- the state

  /** Goes on from where the last run with the state ended. */
  async #goOn(): Promise<void> {
    const { state: path } = this.#options;
    if (path === null) return;
    this.#state = await WatchState.open(path, this.#options, {
      analysis: this.#analysis,
      hosts: this.#hosts,
      tags: this.#tags,
      board: this.#board,
    });
    this.#restoring = true;
    if (this.#state.restore(this.#notice)) {
      const { clients, victims } = this.#analysis.summary.suspects;
      this.#repeats.goOn(clients, victims);
      // Their first lines were read by the run before.
      if (this.#lines !== null) for (const root of this.#analysis.pending()) this.#lines.miss(root);
    }
    this.#restoring = false;
  }

  async #keep(inputs: readonly FollowedInput[]): Promise<void> {
    try {
      await this.#state?.save(inputs, this.#inputs?.journal ?? null);
      this.#unkept = '';
    } catch (error) {
      // Said once; what is followed is worth more.
      const reason = error instanceof Error ? reasonOf(error) : String(error);
      if (reason !== this.#unkept) this.#problem(new Error(reason));
      this.#unkept = reason;
    }
  }

  // ---- what is said

  readonly #notice = (text: string): void => {
    if (this.#screen === null) complain(text);
    else {
      this.#screen.notice(text);
      this.#unsaid.push(text);
    }
  };

  readonly #problem = (error: unknown): void => {
    this.#failed = true;
    if (this.#screen === null) complain(error);
    else this.#notice(error instanceof Error ? error.message : String(error));
  };

  /** Finished logs without a line of an MTA are a mistake; a followed one may be silent so far. */
  #judge(read: Awaited<ReturnType<Engine['read']>>): void {
    if (this.#signals.size > 0 || this.#options.mta !== 'auto') return;
    for (const input of read) {
      if (input.ours > 0 || (input.source.part?.from ?? 0) > 0) continue;
      this.#notice(`${input.source.path}: ${whyUseless(input)}`);
      if (input.malformed > 0) this.#failed = true;
    }
    const isNew = this.#analysis.summary.seen.every((seen) => !seen);
    if (isNew && read.every(({ ours }) => ours === 0)) this.#failed = true;
  }

  // ---- snapshots

  async #print(final: boolean): Promise<void> {
    const view = this.#view;
    if (view === null) return;
    const { format, top, tz } = this.#options;
    const report = reportOf(this.#analysis.summary, this.#analysis.pending(), {
      top: 0,
      complete: true,
      generatedAt: new Date(),
    });
    // Behind a screen the report is to be short: what it showed can be had again by `report`.
    const rows = this.#hadScreen ? Math.min(top, SHORT) : top;
    const snapshot = snapshotOf(report, view, this.#engine.progress(), { top: rows, final });
    const text =
      format === 'ndjson'
        ? snapshotNdjson(snapshot)
        : snapshotText(snapshot, {
            color: useColor(this.#options, process.stdout),
            zone: tz,
            width: process.stdout.columns ?? WIDTH,
          });
    this.#output.add(text);
    try {
      await this.#output.flush();
    } catch (error) {
      // To a terminal that is gone there is nothing to print, and nobody to tell.
      if (!this.#signals.has('SIGHUP') || (error as NodeJS.ErrnoException).code !== 'EIO')
        this.#problem(error);
      this.#engine.stop();
    }
  }

  // ---- the screen

  async #startScreen(): Promise<void> {
    const { tz } = this.#options;
    if (!mayHaveScreen(this.#options)) return;
    this.#keys = keyboard();
    if (this.#keys === null) return;
    this.#keys.on('error', this.#hangUp);
    this.#keys.on('end', this.#hangUp);
    // React's development build remembers every render; Ink draws only the last frame where it sees a CI.
    process.env.NODE_ENV = 'production';
    process.env.CI = 'false';
    const { startScreen } = (await import('../screen/start.tsx')) as {
      startScreen(options: ScreenOptions): Screen;
    };
    process.on('uncaughtExceptionMonitor', this.#closeOnCrash);
    this.#hadScreen = true;
    this.#screen = startScreen({
      stdin: this.#keys,
      stdout: process.stdout as WriteStream,
      color: useColor(this.#options, process.stdout),
      zone: tz,
      status: () => ({
        progress: this.#engine.progress(),
        sources: this.#inputs?.names ?? [],
        unread: this.#analysis.summary.lines[UNRECOGNISED] + this.#analysis.summary.lines[MALFORMED],
      }),
      lifeOf: (entry, lines) => this.#lifeOf(entry, lines),
      onWish: (wish, ui, view) => this.#grant(wish, ui, view),
    });
  }

  /** As `trace` would tell it; what the figures know of it where its lines are gone. */
  #lifeOf(entry: Entry, raw: boolean): string {
    const told = this.#told;
    if (told !== null && told.entry === entry && told.lines === raw) return told.text;
    const text = this.#traceOf(entry, raw) ?? this.#factsOf(entry);
    this.#told = { entry, lines: raw, text };
    return text;
  }

  #traceOf({ chain, key }: Entry, raw: boolean): string | null {
    let stored = this.#lines?.of(key) ?? null;
    if (stored === null) {
      const known = this.#roots.get(chain);
      if (known === undefined || known.root.serial !== known.serial || known.root.retired) return null;
      stored = this.#lines?.ofPending(rootOf(known.root)) ?? null;
    }
    if (stored === null) return null;
    const { suspect } = chain;
    const now = this.#analysis.summary.to;
    const trace = retrace(stored, { suspect, now, inside: this.#inside, mta: this.#mta, raw });
    if (trace === null) return null;
    const style = { color: false, zone: this.#options.tz };
    return traceText(this.#anonymiser === null ? trace : this.#anonymiser.trace(trace), style);
  }

  #factsOf({ chain }: Entry): string {
    const facts = chainText(chain, { color: false, zone: this.#options.tz });
    return `${facts.trimEnd()}\n\nIts lines are no longer at hand; dsnstat trace ${chain.queue_id} reads them from the log.\n`;
  }

  readonly #closeOnCrash = (): void => this.#closeScreen();

  #closeScreen(): void {
    const screen = this.#screen;
    this.#screen = null;
    screen?.close();
    process.off('uncaughtExceptionMonitor', this.#closeOnCrash);
    if (this.#keys !== null && this.#keys !== process.stdin) this.#keys.destroy();
    this.#keys = null;
  }

  #grant(wish: Wish, ui: Ui, view: View | null): void {
    switch (wish.kind) {
      case 'quit':
        this.#engine.stop();
        return;
      case 'suspend':
        this.#screen?.suspend();
        process.kill(process.pid, 'SIGTSTP');
        return;
      case 'pause':
        this.#engine.pause(wish.paused);
        return;
      case 'filter':
        this.#board.setFilter(wish.text);
        this.#engine.refresh();
        return;
      case 'reset':
        this.#board.reset();
        this.#engine.refresh();
        return;
      default:
        if (view !== null) void this.#export(ui, view, wish.format);
    }
  }

  async #export(ui: Ui, view: View, format: 'json' | 'csv'): Promise<void> {
    try {
      const { exportOf } = await import('../screen/export.ts');
      const { name, text } = await exportOf(ui, view, format);
      const stamp = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
      this.#screen?.message(`written to ${writeNew(`dsnstat-${name}-${stamp}`, format, text)}`);
    } catch (error) {
      this.#screen?.message(
        `cannot write the file: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  // ---- signals

  /** The same signal once more ends it at once. SIGHUP comes from every corner when a terminal or a session ends. */
  readonly #stop = (signal: NodeJS.Signals): void => {
    if (this.#signals.has(signal) && signal !== 'SIGHUP') {
      this.#closeScreen();
      process.exit(EXIT_INTERRUPTED);
    }
    this.#signals.add(signal);
    this.#engine.stop();
  };

  /** The terminal that keys came from is gone. */
  readonly #hangUp = (): void => this.#stop('SIGHUP');

  readonly #resume = (): void => this.#screen?.resume();
}

/**
 * Node puts the terminal's attributes back at its very end, and aborts where the terminal is gone (node::ResetStdio);
 * what is closed it passes over.
 */
function letGoOfTerminal(): void {
  const isDead = (stream: { readonly isTTY?: boolean }, fd: number): boolean =>
    stream.isTTY === true && !isatty(fd);
  for (const [fd, stream] of [process.stdin, process.stdout, process.stderr].entries())
    if (isDead(stream, fd)) closeSync(fd);
}

/** Standard output is a terminal that can be drawn on, and nothing else was asked for. */
function mayHaveScreen({ format, output }: WatchOptions): boolean {
  return format === 'auto' && output === null && process.stdout.isTTY === true && process.env.TERM !== 'dumb';
}

/** Where keys come from: standard input, or the terminal itself where that carries the log. */
function keyboard(): ReadStream | null {
  if (process.stdin.isTTY === true) return process.stdin as ReadStream;
  let fd: number;
  try {
    fd = openSync('/dev/tty', 'r');
  } catch {
    return null;
  }
  try {
    return new ReadStream(fd);
  } catch {
    closeSync(fd);
    return null;
  }
}

/** The name of the file, which did not exist before; only its owner may read it: it holds addresses. */
function writeNew(base: string, extension: string, text: string): string {
  for (let n = 1; ; n += 1) {
    const name = `${base}${n === 1 ? '' : `-${n}`}.${extension}`;
    try {
      writeFileSync(name, text, { flag: 'wx', mode: 0o600 });
      return name;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || n > 99) throw error;
    }
  }
}
