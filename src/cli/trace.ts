/**
 * `dsnstat trace WHAT`: the whole life of every message that is, or has, WHAT.
 *
 * One reading as a rule: matches are printed as their chains end. Only where lines of a match were dropped for want of
 * memory, and the inputs are files, they are read a second time for it.
 */
import { statSync } from 'node:fs';
import type { TakenLine } from '../analysis/analysis.ts';
import type { Joiner } from '../chains/joiner.ts';
import type { Life } from '../chains/life.ts';
import { isoTime } from '../chains/view.ts';
import type { Names } from '../lines/names.ts';
import { Anonymiser } from '../outputs/anonymise.ts';
import { printable } from '../outputs/escape.ts';
import { counted } from '../outputs/figures.ts';
import { traceNdjson } from '../outputs/trace-ndjson.ts';
import { refusalsText, traceListText, traceText } from '../outputs/trace-text.ts';
import { Inside } from '../suspects/inside.ts';
import { judgeOfRun } from '../suspects/repeats.ts';
import type { Trace } from '../trace/trace.ts';
import { type Found, Tracer } from '../trace/tracer.ts';
import { type What, whatOf } from '../trace/what.ts';
import type { TraceOptions } from './arguments.ts';
import { useColor } from './color.ts';
import { complain, EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED, UsageError } from './errors.ts';
import { Output } from './output.ts';
import { analyse, type Session } from './session.ts';

/** Matches with dropped lines that are kept for a second reading; beyond it their gaps are said. */
const MOST_AGAIN = 1000;

export async function runTrace(
  text: string,
  inputs: readonly string[],
  options: TraceOptions,
): Promise<number> {
  const what = whatOf(text);
  if (what === null)
    throw new UsageError(
      `trace: ${text.trim() === '<>' ? "<> is the sender of every DSN; dsnstat chains --sender '<>' lists them" : 'WHAT is empty'}`,
    );
  if (inputs.length === 0 && /[/.]/.test(text) && statSync(text, { throwIfNoEntry: false })?.isFile())
    throw new UsageError(`trace what? ${text} is a file: dsnstat trace WHAT ${text}`);
  const output = new Output(options.output);
  const printer = new Printer(output, options);
  const again = new Again(isRepeatable(inputs));
  const session = await read(
    what,
    inputs,
    options,
    {},
    (found, tracer, hosts) => {
      if (printer.full && found.lossy && again.keep(found, tracer, hosts)) return;
      printer.print(tracer.trace(found, hosts));
    },
    output,
  );
  let { complete, failed } = session;
  if (complete && again.numbers.size > 0) {
    const second = await read(
      what,
      inputs,
      options,
      { only: again.numbers },
      (found, tracer, hosts) => {
        const trace = tracer.trace(found, hosts);
        if (again.isWaitedFor(trace)) printer.print(trace);
      },
      output,
    );
    complete = second.complete;
    failed ||= second.failed;
  }
  for (const trace of again.waiting()) printer.print(trace);
  const refusals = session.tracer.refusals(session.hosts);
  if (refusals !== null) printer.refusals(refusals);
  await output.close();
  if (printer.matches === 0 && complete) complain(notFound(what, session, refusals?.count ?? 0));
  if (printer.listed > 0)
    complain(`${counted(printer.matches, 'message')} match, ${options.top} told in full; --top N tells more`);
  if (!complete) return EXIT_INTERRUPTED;
  return failed ? EXIT_FAILED : EXIT_DONE;
}

type HostName = (host: number) => string;

interface Read extends Pick<Session, 'complete' | 'failed'> {
  readonly tracer: Tracer;
  readonly hosts: HostName;
  readonly analysis: Session['analysis'];
}

async function read(
  what: What,
  inputs: readonly string[],
  options: TraceOptions,
  { only }: { readonly only?: ReadonlySet<number> },
  onFound: (found: Found, tracer: Tracer, hosts: HostName) => void,
  output: Output,
): Promise<Read> {
  const tracer = new Tracer(what, {
    raw: options.lines,
    since: options.since,
    until: options.until,
    judged: judgeOfRun(new Inside(options.inside)),
    only,
    limit: memoryLimit(),
  });
  let names: Names | null = null;
  const hosts = (host: number): string => names?.text(host) ?? '';
  const onChain = (root: Life): void => {
    const found = tracer.look(root);
    if (found !== null && (only === undefined || only.has(found.number))) onFound(found, tracer, hosts);
    tracer.forget(root);
  };
  // The window is the tracer's: it must hear of every chain, to forget its lines.
  const session = await analyse(
    inputs,
    { ...options, since: null, until: null, unrecognised: only === undefined ? options.unrecognised : null },
    {
      onChain,
      onLine: (line: TakenLine, joiner: Joiner) => tracer.line(line, joiner),
      onStart: (started) => {
        names = started;
      },
      onBlock: () => (output.full ? output.flush() : null),
    },
  );
  for (const root of session.analysis.pending()) {
    onChain(root);
    if (output.full) await output.flush();
  }
  return { ...session, tracer, hosts };
}

/** Characters of lines kept at the most; for tests. */
function memoryLimit(): number | undefined {
  const given = process.env.DSNSTAT_TRACE_LIMIT;
  return given !== undefined && /^\d+$/.test(given) ? Number(given) : undefined;
}

/** Whether all inputs can be read twice: no pipe, no standard input. */
function isRepeatable(inputs: readonly string[]): boolean {
  if (inputs.length === 0) return process.stdin.isTTY === true;
  return inputs.every((path) => {
    if (path === '-') return false;
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat === undefined || stat.isFile() || stat.isDirectory();
  });
}

/** Matches whose lines were dropped, as they are known without them. */
class Again {
  readonly numbers = new Set<number>();
  readonly #possible: boolean;
  readonly #traces = new Map<string, Trace>();

  constructor(possible: boolean) {
    this.#possible = possible;
  }

  keep(found: Found, tracer: Tracer, hosts: HostName): boolean {
    if (!this.#possible || this.#traces.size >= MOST_AGAIN) return false;
    const trace = tracer.trace(found, hosts);
    this.#traces.set(keyOf(trace), trace);
    for (const number of tracer.numbersOf(found.root)) this.numbers.add(number);
    return true;
  }

  /** True once for a trace that is one of those. */
  isWaitedFor(trace: Trace): boolean {
    return this.#traces.delete(keyOf(trace));
  }

  /** What the second reading did not find: the file has changed in between. */
  waiting(): Iterable<Trace> {
    return this.#traces.values();
  }
}

function keyOf({ chain }: Trace): string {
  const { mta, host, queue_id: id, qp, first_seen: first, message_id: messageId, size } = chain;
  return [mta, host, id, qp, first, messageId, size].join(' ');
}

class Printer {
  /** Found so far, and those of them that got a line only. */
  matches = 0;
  listed = 0;
  readonly #output: Output;
  readonly #options: TraceOptions;
  readonly #style: { readonly color: boolean; readonly zone: string };
  readonly #anonymiser: Anonymiser | null;

  constructor(output: Output, options: TraceOptions) {
    this.#output = output;
    this.#options = options;
    this.#style = { color: useColor(options, process.stdout), zone: options.tz };
    this.#anonymiser = options.anonymise ? new Anonymiser() : null;
  }

  /** The next match is told in full. */
  get full(): boolean {
    return this.#options.format === 'ndjson' || this.matches < this.#options.top;
  }

  print(found: Trace): void {
    const trace = this.#anonymiser === null ? found : this.#anonymiser.trace(found);
    if (this.#options.format === 'ndjson') this.#output.add(traceNdjson(trace));
    else if (this.full) this.#output.add(traceText(trace, this.#style));
    else {
      this.listed += 1;
      this.#output.add(traceListText(trace, this.#style));
    }
    this.matches += 1;
  }

  refusals(found: NonNullable<ReturnType<Tracer['refusals']>>): void {
    const refusals = this.#anonymiser === null ? found : this.#anonymiser.refusals(found);
    this.#output.add(
      this.#options.format === 'ndjson' ? traceNdjson(refusals) : refusalsText(refusals, this.#style),
    );
  }
}

function notFound(what: What, { analysis }: Read, refused: number): string {
  const { summary } = analysis;
  const names = what.address === null ? 'queue id, qp or Message-ID' : 'Message-ID, sender or recipient';
  const from = isoTime(summary.from);
  const period = from === null ? '' : ` from ${from} to ${isoTime(summary.to)}`;
  const rest = refused === 0 ? '' : `; ${counted(refused, 'line')} of the SMTP dialogue refused it`;
  return `${printable(what.text)}: no message in the log${period} has this ${names}${rest}`;
}
