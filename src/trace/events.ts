/**
 * Kept lines -> events: each line is read once more, now with all texts, because it is known to matter.
 *
 * Must not know formats; which lines belong to a life is the keeper's, and the joiner's, business.
 */

import type { DsnKind } from '../chains/chain.ts';
import type { DsnLink, Life } from '../chains/life.ts';
import { isoTime } from '../chains/view.ts';
import { splitAddresses, unwrapAddress } from '../dsn/address.ts';
import { replyStatus } from '../dsn/status.ts';
import { DELIVERIES_APART, LineHead } from '../lines/head.ts';
import {
  ARRIVAL,
  ATTEMPT,
  AUTH,
  BOUNCE,
  BOUNCE_DISCARDED,
  CONTINUATION,
  DEFERRED,
  DELIVERY_RESULT,
  DELIVERY_START,
  DISCARD,
  DROPPED,
  DSN,
  DSN_LOST,
  END,
  END_CANCELLED,
  END_DELETED,
  END_DISCARDED,
  END_REQUEUED,
  ENVELOPE,
  EXPIRED,
  FAILED,
  FORWARDED,
  GIVEN_UP,
  HOLD,
  KEPT_TOO,
  LOCAL_CHANNEL,
  MARK,
  MESSAGE_ID,
  NOT_TAKEN,
  ORIGIN_LOCAL,
  ORIGIN_SMTP,
  ParsedRecord,
  PROBED,
  PROXY_ACCEPT,
  QMAIL,
  QP_CLIENT,
  QUARANTINED,
  QUEUE_INFO,
  QUEUE_NEW,
  QUEUED,
  RECORDED,
  REFUSAL,
  REJECT,
  SENDER_NAMED,
  SENDMAIL,
  SENT,
  SPLIT,
  type Span,
  SUBMISSION,
} from '../records/record.ts';
import { PARSERS, parserFor } from '../records/registry.ts';
import { asciiText, text } from '../records/text.ts';
import type { KeptLine } from './keeper.ts';
import type { AttemptOutcome, TraceEvent } from './trace.ts';
import type { dsnKinds } from './what.ts';

/** The events of a life in time order; lines of one instant stay as they were. */
export function eventsOf(
  life: Life,
  lines: readonly KeptLine[],
  kinds: ReturnType<typeof dsnKinds>,
): TraceEvent[] {
  const reader = new EventReader(life, kinds);
  const events: { at: number; event: TraceEvent }[] = [];
  for (const line of lines) {
    let first = true;
    for (const facts of reader.read(line)) {
      const raw = first && line.raw.length > 0 ? { lines: line.raw.map(unlatin) } : {};
      first = false;
      events.push({ at: line.at, event: { at: isoTime(line.at), ...facts, ...raw } });
    }
  }
  return events.sort((a, b) => a.at - b.at).map(({ event }) => event);
}

type Facts = TraceEvent extends infer E ? (E extends unknown ? Omit<E, 'at' | 'lines'> : never) : never;

/** latin1 holds the bytes; people and JSON want the characters. */
export function unlatin(raw: string): string {
  return Buffer.from(raw, 'latin1').toString('utf8');
}

const OUTCOMES: Readonly<Record<number, AttemptOutcome>> = {
  [SENT]: 'delivered',
  [DEFERRED]: 'deferred',
  [FAILED]: 'failed',
  [GIVEN_UP]: 'expired',
  [DROPPED]: 'discarded',
  [QUARANTINED]: 'held',
  [QUEUED]: 'queued',
  [PROBED]: 'probe',
  [NOT_TAKEN]: 'refused',
};

class EventReader {
  readonly #life: Life;
  readonly #kinds: ReturnType<typeof dsnKinds>;
  readonly #record = new ParsedRecord();
  readonly #head = new LineHead();
  /** qmail: recipients of the deliveries under way. */
  readonly #deliveries = new Map<number, { recipient: string; local: boolean }>();

  constructor(life: Life, kinds: ReturnType<typeof dsnKinds>) {
    this.#life = life;
    this.#kinds = kinds;
  }

  /** What a line says; several facts where a line speaks of several recipients. */
  *read(line: KeptLine): IterableIterator<Facts> {
    if (!line.recorded || !this.#parse(line)) {
      yield {
        event: 'other',
        text: afterId(line.text),
        program: line.tag.text === '' ? null : line.tag.text,
      };
      return;
    }
    yield* this.#facts(line);
  }

  #parse(line: KeptLine): boolean {
    const head = this.#head;
    head.bytes = Buffer.from(line.text, 'latin1');
    head.textStart = 0;
    head.textEnd = head.bytes.length;
    head.tag = line.tag;
    head.host = line.host;
    head.pid = line.pid;
    head.instant = line.at;
    head.sploggerStamp = line.sploggerStamp;
    head.continuation = line.continuation;
    const parser = parserFor(head) ?? PARSERS.find((p) => p.claims(head));
    if (parser === undefined) return false;
    this.#record.clear();
    return parser.parse(head, this.#record) === RECORDED;
  }

  *#facts(line: KeptLine): IterableIterator<Facts> {
    const { bytes } = this.#head;
    const r = this.#record;
    const said = (span: Span): string | null => (span.present ? text(bytes, span.start, span.end) : null);
    const path = r.hasReversePath ? unwrapAddress(text(bytes, r.reversePath.start, r.reversePath.end)) : null;
    const size = r.size < 0 ? null : r.size;
    const recipients = r.recipients < 0 ? null : r.recipients;
    const uid = r.uid < 0 ? null : r.uid;
    switch (r.kind) {
      case ARRIVAL:
      case SUBMISSION:
      case QUEUE_NEW:
        yield {
          event: 'arrival',
          origin: r.origin === ORIGIN_SMTP ? 'smtp' : r.origin === ORIGIN_LOCAL ? 'local' : 'unknown',
          client_ip: said(r.clientIp),
          client_name: said(r.clientName),
          auth_user: said(r.authUser),
          uid,
          reverse_path: path,
          size,
          recipients,
          message_id: said(r.messageId),
          older_queue_id: r.kind === ARRIVAL ? said(r.other) : null,
        };
        return;
      case MESSAGE_ID:
        yield { event: 'message_id', message_id: said(r.messageId) };
        return;
      case ENVELOPE:
      case QUEUE_INFO:
        yield {
          event: 'queued',
          reverse_path: path,
          size,
          recipients,
          uid,
          qp: r.kind === QUEUE_INFO && r.qp >= 0 ? r.qp : null,
        };
        return;
      case ATTEMPT:
        yield* this.#attempts(said);
        return;
      case DELIVERY_START: {
        const recipient = said(r.recipient) ?? '';
        const local = (r.flags & LOCAL_CHANNEL) !== 0;
        this.#deliveries.set(r.delivery, { recipient, local });
        yield { event: 'attempt_started', recipient, delivery: r.delivery % DELIVERIES_APART, local };
        return;
      }
      case DELIVERY_RESULT: {
        const delivery = this.#deliveries.get(r.delivery);
        const reply = said(r.reply);
        yield {
          event: 'attempt',
          recipient: delivery?.recipient ?? null,
          original_recipient: null,
          outcome:
            r.outcome === SENT && r.forwards.length > 0 && (r.flags & KEPT_TOO) === 0
              ? 'handed_on'
              : OUTCOMES[r.outcome],
          status: said(r.status) ?? (reply === null ? null : replyStatus(reply)),
          relay: delivery?.local === true ? 'local' : null,
          reply,
          next_queue_id: r.forwards.length > 0 ? this.#idOfQp(r.forwards[0]) : null,
          delivery: r.delivery % DELIVERIES_APART,
        };
        return;
      }
      case DSN: {
        const id = said(r.other);
        const link = this.#life.dsns.find((l) => l.child !== null && l.child.id === id);
        yield this.#dsn(link, id, said(r.reply));
        return;
      }
      case BOUNCE: {
        const link = this.#life.dsns.find((l) => l.qp === r.qp && Math.abs(l.at - line.at) < 1000);
        yield this.#dsn(link, link?.child?.id ?? null, null);
        return;
      }
      case SPLIT:
        yield { event: 'split', queue_ids: (said(r.other) ?? '').split('; ') };
        return;
      case EXPIRED:
        yield { event: 'expired' };
        return;
      case DISCARD:
      case HOLD:
        yield {
          event: r.kind === HOLD ? 'held' : 'discarded',
          reverse_path: path,
          recipient: said(r.recipient),
        };
        return;
      case MARK:
        yield { event: 'dsn_suppressed', cause: said(r.reply) ?? '' };
        return;
      case DSN_LOST:
      case BOUNCE_DISCARDED:
        yield { event: 'dsn_lost' };
        return;
      case AUTH:
        yield { event: 'authenticated', auth_user: said(r.authUser) };
        return;
      case QP_CLIENT:
        yield {
          event: 'client',
          client_ip: said(r.clientIp),
          client_name: said(r.clientName),
          auth_user: said(r.authUser),
        };
        return;
      case PROXY_ACCEPT:
        yield {
          event: 'client',
          client_ip: this.#life.clientIp,
          client_name: this.#life.clientName,
          auth_user: this.#life.authUser,
        };
        return;
      case SENDER_NAMED:
        yield { event: 'sender', reverse_path: path ?? text(bytes, r.reversePath.start, r.reversePath.end) };
        return;
      case CONTINUATION:
        yield { event: 'reply_continued', reply: said(r.reply) ?? '' };
        return;
      case REFUSAL:
      case REJECT:
        yield {
          event: 'refused',
          text: afterId(line.text),
          program: line.tag.text === '' ? null : line.tag.text,
        };
        return;
      case END:
        yield { event: 'end', end: endName(r.end) };
        return;
      default:
        yield {
          event: 'other',
          text: afterId(line.text),
          program: line.tag.text === '' ? null : line.tag.text,
        };
    }
  }

  *#attempts(said: (span: Span) => string | null): IterableIterator<Facts> {
    const { bytes } = this.#head;
    const r = this.#record;
    const addresses: string[] = [];
    if (r.mta === SENDMAIL) {
      splitAddresses(bytes, r.recipient.start, r.recipient.end, (start, end) => {
        addresses.push(unwrapAddress(text(bytes, start, end)));
      });
    } else addresses.push(text(bytes, r.recipient.start, r.recipient.end));
    const next = r.other.present ? asciiText(bytes, r.other.start, r.other.end) : null;
    // Ours, or the next hop's business: only an id that hangs on this life is the former.
    const own = next !== null && this.#life.next.some((life) => life.id === next);
    const reply = said(r.reply);
    const replied = reply !== null && r.mta === SENDMAIL ? replyStatus(reply) : null;
    for (const recipient of addresses) {
      yield {
        event: 'attempt',
        recipient,
        original_recipient: said(r.originalRecipient),
        outcome:
          r.outcome === SENT && (own || (r.flags & FORWARDED) !== 0) ? 'handed_on' : OUTCOMES[r.outcome],
        status: replied ?? said(r.status),
        relay: said(r.relay),
        reply,
        next_queue_id: next,
        delivery: null,
      };
    }
  }

  #dsn(link: DsnLink | undefined, id: string | null, reason: string | null): Facts {
    const kind = link === undefined ? null : ((this.#kinds.get(link) as DsnKind | undefined) ?? null);
    return { event: 'dsn', kind, made: kind !== null, queue_id: id, reason };
  }

  #idOfQp(qp: number): string | null {
    return this.#life.next.find((life) => life.mta === QMAIL && life.qp === qp)?.id ?? null;
  }
}

function endName(end: number): 'done' | 'cancelled' | 'discarded' | 'deleted' | 'requeued' {
  switch (end) {
    case END_CANCELLED:
      return 'cancelled';
    case END_DISCARDED:
      return 'discarded';
    case END_DELETED:
      return 'deleted';
    case END_REQUEUED:
      return 'requeued';
    default:
      return 'done';
  }
}

/** Without the id in front: whoever reads knows it. */
function afterId(latin: string): string {
  return unlatin(latin.replace(/^[0-9A-Za-z]{5,}: /, ''));
}
