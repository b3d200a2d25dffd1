/**
 * A trace as a tree for people: a line per event, in time order; what hangs on an event stands indented below it.
 *
 * Owns the wording. Every text of the log goes through `printable`.
 */
import type { Trace, TraceEvent, TraceLife, TraceRefusals } from '../trace/trace.ts';
import { printable } from './escape.ts';
import { counted, localTime, zoneName } from './figures.ts';
import { type Style, styleFor } from './style.ts';

export interface TraceTextOptions {
  readonly color: boolean;
  /** IANA name, "local" or "+02:00" for the times shown; UTC when there is none. */
  readonly zone?: string;
}

const INDENT = '  ';
/** Deeper than bounces of bounces go; a log that says otherwise must not push the text off the page. */
const DEEPEST = 6;
const NO_TIME = ' '.repeat(19);
/** Below the words behind time and event. */
const BELOW = ' '.repeat(22);

/** The whole life; ends in an empty line, so that blocks stand apart. */
export function traceText(trace: Trace, options: TraceTextOptions): string {
  return new Tree(trace, options).text();
}

/** One line, for where there are too many to be told in full. */
export function traceListText({ chain }: Trace, options: TraceTextOptions): string {
  const style = styleFor(options.color);
  const words = [
    `${timeText(chain.first_seen, options.zone)}  ${style.strong(printable(chain.queue_id))}`,
    printable(senderText(chain.reverse_path)),
    printable(recipientsText(chain)),
  ];
  if (chain.dsns.length > 0) words.push(counted(chain.dsns.length, 'DSN'));
  return `${words.join('  ')}\n`;
}

export function refusalsText(refusals: TraceRefusals, options: TraceTextOptions): string {
  const style = styleFor(options.color);
  const shown = refusals.last.length < refusals.count ? `; the last ${refusals.last.length}:` : ':';
  const lines = [
    `${style.strong('Refused in the SMTP dialogue')}  ${counted(refusals.count, 'line')} with ${printable(refusals.what)}, of which no message came${shown}`,
  ];
  for (const { at, text } of refusals.last)
    lines.push(`${INDENT}${timeText(at, options.zone)}  ${printable(text)}`);
  return `${lines.join('\n')}\n\n`;
}

function timeText(at: string | null, zone: string | undefined): string {
  return at === null ? NO_TIME : localTime(at, zone);
}

function senderText(reversePath: string | null): string {
  return reversePath === null ? 'from an unknown sender' : `from <${reversePath}>`;
}

function recipientsText({ recipients }: Trace['chain']): string {
  if (recipients.length === 0) return 'no recipient in the log';
  const { recipient, outcome, status } = recipients[0];
  const rest = recipients.length === 1 ? '' : ` and ${recipients.length - 1} more`;
  const to = recipient === null ? 'an unnamed recipient' : `<${recipient}>`;
  return `to ${to}${rest}: ${outcome}${status === null ? '' : ` ${status}`}`;
}

class Tree {
  readonly #trace: Trace;
  readonly #zone: string | undefined;
  readonly #style: Style;
  readonly #lines: string[] = [];
  readonly #shown = new Set<TraceLife>();
  readonly #ids: ReadonlySet<string>;

  constructor(trace: Trace, options: TraceTextOptions) {
    this.#trace = trace;
    this.#zone = options.zone;
    this.#style = styleFor(options.color);
    this.#ids = new Set(trace.lives.map((life) => life.queue_id));
  }

  text(): string {
    const { chain, lives, matched_by: matchedBy, nature } = this.#trace;
    const words = [
      `${timeText(chain.first_seen, this.#zone)} ${zoneName(this.#zone)}`,
      chain.host === null ? chain.mta : `${chain.mta} on ${chain.host}`,
    ];
    if (matchedBy.length > 0) words.push(`found by ${matchedBy.map((by) => BY[by]).join(', ')}`);
    if (chain.qp !== undefined && chain.qp !== null) words.splice(2, 0, `qp ${chain.qp}`);
    if (nature === 'probe') words.push('an address probe, no mail');
    if (nature === 'nothing') words.push('never became a message');
    this.#lines.push(`${this.#style.strong(printable(chain.queue_id))}  ${printable(words.join(', '))}`);
    const [root] = lives;
    if (root !== undefined) this.#life(root, 1);
    if (chain.suppressed !== null)
      this.#say(1, `DSN suppressed: ${chain.suppressed.cause}`, this.#style.alarm);
    if (chain.suspect !== null) {
      const { verdict, score, reasons } = chain.suspect;
      this.#say(
        1,
        `suspect: ${verdict} backscatter, score ${score}: ${reasons.join(', ')}`,
        this.#style.alarm,
      );
    }
    return `${this.#lines.join('\n')}\n\n`;
  }

  #say(depth: number, text: string, dress = (plain: string): string => plain): void {
    this.#lines.push(INDENT.repeat(Math.min(depth, DEEPEST)) + dress(printable(text)));
  }

  #life(life: TraceLife, depth: number): void {
    this.#shown.add(life);
    const [first] = life.gaps;
    if (first?.gap === 'beginning_missing' || first?.gap === 'lines_not_kept') this.#gap(first.text, depth);
    const results = new Set(life.events.map((event) => (event.event === 'attempt' ? event.delivery : null)));
    let queued = false;
    for (const event of life.events) {
      // qmail: its result says the same and more.
      const quiet = event.event === 'attempt_started' && results.has(event.delivery);
      if (!quiet) {
        const { head, words, below, alarm } = describe(event, queued, this.#ids);
        const dress = alarm ? this.#style.alarm : (text: string) => text;
        const line = `${timeText(event.at, this.#zone)}  ${head.padEnd(10)} ${words.join(', ')}`;
        this.#say(depth, line.trimEnd(), dress);
        for (const text of below) this.#say(depth, BELOW + INDENT + text, this.#style.faint);
      }
      if (event.event === 'queued') queued = true;
      for (const line of event.lines ?? []) this.#say(depth, `${BELOW}| ${line}`, this.#style.faint);
      for (const id of linkedBy(event)) this.#child(life, id, depth + 1);
    }
    for (const child of this.#trace.lives)
      if (child.parent_queue_id === life.queue_id) this.#child(life, child.queue_id, depth + 1);
    if (life.ended && life.mta === 'sendmail' && !life.events.some((event) => event.event === 'end'))
      this.#say(
        depth,
        `${timeText(life.last_seen, this.#zone)}  ${'end'.padEnd(10)} all recipients done (sendmail logs no end)`,
      );
    for (const gap of life.gaps) {
      if (gap !== first || (gap.gap !== 'beginning_missing' && gap.gap !== 'lines_not_kept'))
        this.#gap(gap.text, depth);
    }
  }

  #gap(text: string, depth: number): void {
    this.#say(depth, `${NO_TIME}  ${'gap'.padEnd(10)} ${text}`, this.#style.alarm);
  }

  #child(parent: TraceLife, id: string, depth: number): void {
    const child = this.#trace.lives.find(
      (life) => life.queue_id === id && life.parent_queue_id === parent.queue_id && !this.#shown.has(life),
    );
    if (child === undefined) return;
    const dsn = this.#trace.chain.dsns.find(
      (d) => d.queue_id === child.queue_id && d.parent_queue_id === parent.queue_id,
    );
    const words =
      child.relation === 'continues'
        ? 'the same message goes on'
        : dsn === undefined
          ? 'DSN'
          : `DSN (${dsn.kind.replace('_', ' ')})${dsn.recipient === null ? '' : ` to <${dsn.recipient}>`}: ${dsn.outcome}${dsn.status === null ? '' : ` ${dsn.status}`}`;
    const head = this.#style.strong(printable(child.queue_id));
    this.#lines.push(`${INDENT.repeat(Math.min(depth, DEEPEST))}${head}  ${printable(words)}`);
    this.#life(child, depth + 1);
  }
}

const BY: Readonly<Record<Trace['matched_by'][number], string>> = {
  queue_id: 'queue id',
  qp: 'qp',
  message_id: 'Message-ID',
  reverse_path: 'sender',
  recipient: 'recipient',
  original_recipient: 'original recipient',
};

function linkedBy(event: TraceEvent): readonly string[] {
  if (event.event === 'attempt') return event.next_queue_id === null ? [] : [event.next_queue_id];
  if (event.event === 'dsn') return event.queue_id === null ? [] : [event.queue_id];
  return event.event === 'split' ? event.queue_ids : [];
}

interface Description {
  readonly head: string;
  readonly words: readonly string[];
  /** What an MTA or a server said, on lines of its own. */
  readonly below: readonly string[];
  readonly alarm: boolean;
}

function describe(event: TraceEvent, again: boolean, ids: ReadonlySet<string>): Description {
  const plain = (head: string, ...words: (string | null)[]): Description => ({
    head,
    words: words.filter((word): word is string => word !== null && word !== ''),
    below: [],
    alarm: false,
  });
  switch (event.event) {
    case 'arrival':
      return plain(
        'arrival',
        event.origin === 'smtp'
          ? clientText(event.client_ip, event.client_name)
          : event.origin === 'local'
            ? 'submitted locally'
            : 'new message',
        event.auth_user === null ? null : `authenticated as ${event.auth_user}`,
        event.uid === null ? null : `uid ${event.uid}`,
        event.reverse_path === null ? null : `from <${event.reverse_path}>`,
        event.size === null ? null : counted(event.size, 'byte'),
        event.recipients === null ? null : counted(event.recipients, 'recipient'),
        event.message_id === null ? null : `Message-ID ${event.message_id}`,
        event.older_queue_id === null ? null : `before as ${event.older_queue_id}`,
      );
    case 'message_id':
      return plain('header', `Message-ID ${event.message_id ?? 'empty'}`);
    case 'queued':
      return plain(
        'queued',
        again ? 'taken up again' : null,
        event.reverse_path === null ? null : `from <${event.reverse_path}>`,
        event.size === null || again ? null : counted(event.size, 'byte'),
        event.recipients === null || again ? null : counted(event.recipients, 'recipient'),
        event.uid === null ? null : `uid ${event.uid}`,
        event.qp === null ? null : `qp ${event.qp}`,
      );
    case 'attempt': {
      const to = event.recipient === null ? 'to a recipient that no line names' : `to <${event.recipient}>`;
      const original =
        event.original_recipient === null || event.original_recipient === event.recipient
          ? ''
          : ` (orig. <${event.original_recipient}>)`;
      return {
        head: event.outcome === 'queued' ? 'waiting' : 'attempt',
        words: [
          `${to}${original}: ${event.outcome.replace('_', ' ')}${event.status === null ? '' : ` ${event.status}`}`,
          ...(event.relay === null || event.relay === 'none' ? [] : [`by ${event.relay}`]),
          ...(event.next_queue_id === null
            ? []
            : [`${ids.has(event.next_queue_id) ? 'goes on' : 'there'} as ${event.next_queue_id}`]),
        ],
        below: event.reply === null ? [] : [event.reply],
        alarm: event.outcome === 'failed' || event.outcome === 'expired',
      };
    }
    case 'attempt_started':
      return plain('attempt', `to <${event.recipient}>: begun, its result is not in the log`);
    case 'dsn': {
      const kind = event.kind === null ? '' : ` (${event.kind.replace('_', ' ')})`;
      return {
        head: 'DSN',
        words: [
          `${event.made ? 'made' : 'announced'}${kind}${event.queue_id === null ? '' : ` as ${event.queue_id}`}`,
        ],
        below: event.reason === null ? [] : [event.reason],
        alarm: false,
      };
    }
    case 'split':
      return plain('split', `goes on as ${event.queue_ids.join(', ')}`);
    case 'expired':
      return { ...plain('expired', 'given up, too long in the queue'), alarm: true };
    case 'discarded':
    case 'held':
      return plain(
        event.event,
        event.reverse_path === null ? null : `from <${event.reverse_path}>`,
        event.recipient === null ? null : `to <${event.recipient}>`,
      );
    case 'dsn_suppressed':
      return plain('mark', `DSNs about it are not wanted: ${event.cause}`);
    case 'dsn_lost':
      return plain('DSN', 'could not be made, or was thrown away');
    case 'authenticated':
      return plain('auth', `authenticated as ${event.auth_user ?? 'nobody'}`);
    case 'client':
      return plain(
        'client',
        clientText(event.client_ip, event.client_name),
        event.auth_user === null ? null : `authenticated as ${event.auth_user}`,
      );
    case 'sender':
      return plain('sender', `<${event.reverse_path}>`);
    case 'reply_continued':
      return { head: 'reply', words: ['goes on'], below: [event.reply], alarm: false };
    case 'refused':
      return { ...plain('refused', event.text), alarm: true };
    case 'other':
      return plain('note', event.program === null ? event.text : `${event.program}: ${event.text}`);
    default:
      return plain('end', ENDS[event.end]);
  }
}

function clientText(ip: string | null, name: string | null): string {
  return ip === null && name === null
    ? 'by SMTP'
    : `by SMTP from ${name ?? ''}${ip === null ? '' : `[${ip}]`}`;
}

const ENDS = {
  done: 'removed from the queue',
  cancelled: 'cancelled, never became a message',
  discarded: 'discarded',
  deleted: 'deleted by the operator',
  requeued: 'put back into the queue under another id',
};
