/**
 * Records -> lives -> chains.
 *
 * Owns which life a record belongs to, how lives hang together, and when a chain is over. Must not know log text
 * (parsers) or what a chain means for the figures (view.ts, summary/).
 *
 * Ids are reused and lines come out of order, so a record finds its life by id, host, instance and time:
 * the newest life with the id that can still be joined (life.ts graceOf). A line that begins a life starts a new one
 * unless the life at hand has only just been seen and has no beginning yet. A line that belongs to no life begins a
 * headless one. A chain is handed on when every life of it is closed; what is handed on is forgotten.
 */

import { bounceAddress, splitAddresses, unwrapAddress } from '../dsn/address.ts';
import { saysGivenUp } from '../dsn/reasons.ts';
import type { Chains, Kernel } from '../kernel/kernel.ts';
import { LineHead } from '../lines/head.ts';
import { find as findBytes } from '../records/bytes.ts';
import {
  ACCEPTED,
  ARRIVAL,
  ATTEMPT,
  AUTH,
  BOUNCE,
  BOUNCE_DISCARDED,
  BY_QUEUE_MANAGER,
  CONTINUATION,
  DEFERRED,
  DELIVERY_RESULT,
  DELIVERY_START,
  DISCARD,
  DSN,
  DSN_DELAY,
  DSN_FAILURE,
  DSN_LOST,
  DSN_SUCCESS,
  END,
  END_DISCARDED,
  END_REQUEUED,
  ENVELOPE,
  EXPIRED,
  FAILED,
  FIRST_DELIVERY,
  FORWARDED,
  GIVEN_UP,
  HOLD,
  KEPT_TOO,
  LOCAL_CHANNEL,
  LOOPBACK,
  MARK,
  MESSAGE_ID,
  MORE,
  NOT_TAKEN,
  ORIGIN_LOCAL,
  ORIGIN_SMTP,
  PART,
  ParsedRecord,
  PIPED,
  POSTFIX,
  PROXY_ACCEPT,
  QMAIL,
  QP_CLIENT,
  QUEUE_INFO,
  QUEUE_NEW,
  QUEUED,
  RECIPIENTS_CHANGED,
  REFUSAL,
  RESENT,
  RESTART,
  SENDER_NAMED,
  SENDMAIL,
  SENT,
  SESSION_ONLY,
  SPF,
  SPF_HEADER_IGNORED,
  SPF_NAMES,
  SPLIT,
  type Span,
  SUBMISSION,
  UNTRIED,
} from '../records/record.ts';
import { asciiText, idCheck, idHash, text, textKey } from '../records/text.ts';
import {
  EMPTY_MESSAGE_ID,
  isLocalRelay,
  isOneAddress,
  messageKeyOf,
  recipientKeyOf,
  unwrappedKeyOf,
} from './keys.ts';
import {
  COMES_BACK_WITHIN,
  CONTINUES,
  checkOf,
  claimable,
  type DsnLink,
  END_IMPLIED,
  giveBack,
  impliesEnd,
  type Life,
  lastSecondOf,
  lastSerial,
  MESSAGE_NUMBER,
  NO_LIVES,
  NO_PARENT,
  OUT_OF_ORDER,
  openIn,
  QUEUE_ID,
  REPORTS,
  type Recipient,
  rootOf,
  SAME_RUN,
  secondOf,
  takeLife,
} from './life.ts';
import { LightLives, type OutlineSink, type PlainSink, type SubmissionSink, type Told } from './light.ts';
import { limit } from './limit.ts';
import { countedFrom, JoinerState, type SenderCheck, type SessionFacts } from './state.ts';

/** Called once per chain, with the life at its root, when nothing can join it any more. */
export type ChainSink = (root: Life) => void;

/** How long what one session line says holds for the next line of the same process. */
export const SESSION_FACTS = 5 * 60_000;
/** A bounce whose qp leads nowhere (QMAILQUEUE wrappers) is matched by its recipient within this time. */
const BOUNCE_WITHOUT_QP = 60_000;
const SWEEP_EVERY = 3_600_000;

export class Joiner {
  readonly state = new JoinerState();
  readonly #sink: ChainSink;
  /** Reads the head's text into the record, for lines that were kept or came in parts; set by the pipeline. */
  reparse: ((head: LineHead, record: ParsedRecord) => boolean) | null = null;
  /** Records for what is read again, by depth: one such line may ask for another. */
  readonly #records: ParsedRecord[] = [];
  #depth = 0;

  /**
   * Lean: texts that only a chain's output needs are not made. A recipient that is delivered without ado keeps its key
   * alone; whatever fails, waits, is handed on or is a DSN has all its texts, because the report names it.
   */
  readonly #lean: boolean;
  /** The life that a kept line is about (takeKept). */
  #kept: Life | null = null;
  /** What its row went on as. */
  #keptNext: readonly (Life | null)[] = [];
  /** A line is read again (takeAgain). */
  #again = false;
  /** Some session may be discarding or holding: spares a look-up for every message where none is. */
  #discarding = false;

  /**
   * This is a piece of a log and what came before it will be joined on its left (merge.ts): whatever that may change
   * is held back. False where a log begins.
   */
  readonly #leftOpen: boolean;
  readonly #mostPending: number;
  readonly #onEvicted: (chains: number) => void;
  /** Ordinary messages of a lean run. */
  readonly light: LightLives | null;

  /**
   * The life that the line at hand was found to be of; who wants to know sets it to null before each line. Light lives
   * are not told.
   */
  touched: Life | null = null;

  constructor(
    sink: ChainSink,
    options: {
      readonly lean?: boolean;
      /** Pending lives that are kept; beyond, those that were silent longest are counted as they stand. */
      readonly mostPending?: number;
      readonly onEvicted?: (chains: number) => void;
      readonly leftOpen?: boolean;
      /** Keeps ordinary messages; with lean only. What it counts goes to onPlain. */
      readonly kernel?: Kernel | null;
      readonly onPlain?: PlainSink;
      readonly onSubmission?: SubmissionSink;
      readonly onOutlined?: OutlineSink;
      readonly told?: Told;
      /** Gets the chains of the kernel's that are over and on their own, to be counted elsewhere. */
      readonly onSent?: (chains: Chains) => void;
    } = {},
  ) {
    this.#sink = sink;
    this.#lean = options.lean ?? false;
    this.#leftOpen = options.leftOpen ?? false;
    this.#mostPending = options.mostPending ?? MOST_PENDING;
    this.#onEvicted = options.onEvicted ?? (() => undefined);
    const { kernel, onPlain, onSubmission, onOutlined, told } = options;
    this.light =
      kernel && onPlain && onSubmission && onOutlined
        ? new LightLives(
            kernel,
            this.state,
            onPlain,
            onSubmission,
            onOutlined,
            told ?? { everyClient: true, uids: [] },
            {
              takeKept: (life, head, next) => this.#takeKept(life, head, next),
              goOn: (parent, child) => this.attach(parent, child, CONTINUES),
              handedInHere: (life) => this.state.piped.add(life),
              report: (parent, child) => this.#report(parent, child),
              forward: (parent, recipient, child) => this.forward(parent, recipient, child),
              close: (life) => this.#close(life),
            },
            // What may go on to the left has to stay.
            this.#leftOpen ? null : (options.onSent ?? null),
          )
        : null;
  }

  get isLeftOpen(): boolean {
    return this.#leftOpen;
  }

  take(head: LineHead, record: ParsedRecord): void {
    let at = head.instant;
    if (Number.isNaN(at)) at = this.state.now === Number.NEGATIVE_INFINITY ? 0 : this.state.now;
    if (at > this.state.now) {
      if (this.state.origin === Number.POSITIVE_INFINITY) this.state.origin = at;
      this.state.now = at;
      this.#closeWhatIsDue();
    }
    switch (record.kind) {
      case ATTEMPT:
        if (record.mta === POSTFIX) this.#postfixAttempt(head, record, at);
        else this.#sendmailAttempt(head, record, at);
        break;
      case ENVELOPE:
        this.#envelope(head, record, at);
        break;
      case MESSAGE_ID:
        this.#messageId(head, record, at);
        break;
      case ARRIVAL:
        this.#arrival(head, record, at);
        break;
      case END:
        this.#end(head, record, at);
        break;
      case SUBMISSION:
        this.#submission(head, record, at);
        break;
      case DSN:
        this.#dsn(head, record, at);
        break;
      case SPLIT:
        this.#split(head, record, at);
        break;
      case EXPIRED:
        this.#expire(this.#lifeOf(head, record, at), at);
        break;
      case DISCARD:
        this.#discard(head, record, at);
        break;
      case HOLD:
        this.#hold(head, record, at);
        break;
      case RECIPIENTS_CHANGED:
        this.#recipientsChanged(head, record, at);
        break;
      case SENDER_NAMED:
        this.#senderNamed(head, record, at);
        break;
      case MARK: {
        const life = this.#lifeOf(head, record, at);
        life.mark ??= asciiText(head.bytes, record.reply.start, record.reply.end);
        break;
      }
      case SPF:
        this.#senderCheck(head, record, at);
        break;
      case REFUSAL:
        if (record.id.present) this.#lifeOf(head, record, at).refused = true;
        break;
      case PROXY_ACCEPT:
        this.#proxyAccept(head, record, at);
        break;
      case DSN_LOST: {
        const life = this.#existing(head, record, at);
        if (life !== null) life.dsnLost = true;
        break;
      }
      case AUTH:
        this.#auth(head, record, at);
        break;
      case PART:
        this.#part(head, record);
        break;
      case QUEUE_NEW:
        this.#queueNew(head, record, at);
        break;
      case QUEUE_INFO:
        this.#queueInfo(head, record, at);
        break;
      case DELIVERY_START:
        this.#deliveryStart(head, record, at);
        break;
      case DELIVERY_RESULT:
        this.#deliveryResult(head, record, at);
        break;
      case BOUNCE:
        this.#bounce(head, record, at);
        break;
      case BOUNCE_DISCARDED:
        this.#lifeOf(head, record, at).dsnLost = true;
        break;
      case RESTART:
        this.#restart(head.host, record.delivery);
        break;
      case CONTINUATION:
        this.#continuation(head, record);
        break;
      case QP_CLIENT:
        this.#qpClient(head, record, at);
        break;
      default:
    }
  }

  /** Log time moves on: what is over by then is closed. */
  advance(at: number): void {
    if (!(at > this.state.now)) return;
    if (this.state.origin === Number.POSITIVE_INFINITY) this.state.origin = at;
    this.state.now = at;
    this.#closeWhatIsDue();
  }

  /** Lives that began up to this time may go on to the left. */
  get #seam(): number {
    return this.#leftOpen ? this.state.origin + SEAM : Number.NEGATIVE_INFINITY;
  }

  /** Before the kernel takes lines. */
  enterKernel(): void {
    const arrivals = !this.#discarding && this.state.checks.size === 0 && !this.#mayDoubt(this.state.now);
    this.light?.enter(this.#seam, arrivals, this.#mostPending);
  }

  /** Closes what is due at the newest instant: merging brings lives whose time is over, and no line that would say so. */
  closeDue(): void {
    this.#closeWhatIsDue();
    this.#closeSilent();
  }

  /** After the state was filled or merged from outside. */
  noticeDiscards(): void {
    for (const [, , facts] of this.state.sessions.entries())
      if (facts.discard !== null) this.#discarding = true;
  }

  /** Before anybody else looks into the state. */
  promoteLight(): void {
    this.light?.promoteAll();
  }

  /** Chains that have not ended: the pending part of a summary. Roots only. */
  *pending(): IterableIterator<Life> {
    this.promoteLight();
    const roots: Life[] = [];
    for (const life of this.state.table.lives()) if (life.parent === null && !life.retired) roots.push(life);
    for (const root of this.state.closedRoots) if (!root.retired) roots.push(root);
    for (const root of this.state.held) roots.push(root);
    // In the order in which they began: that of the table is one of hashes.
    yield* roots.sort((a, b) => a.serial - b.serial);
  }

  // ---- finding lives ----------------------------------------------------------------------------------------------

  /** The newest life of the record's id that can still be joined, or null. */
  #existing(head: LineHead, record: ParsedRecord, at: number): Life | null {
    if (this.#kept !== null) return this.#kept;
    const space = record.mta === QMAIL ? MESSAGE_NUMBER : QUEUE_ID;
    const instance = head.tag.instance;
    const newest = this.#find(record.idHash, checkOf(record.idCheck, space));
    for (let life = newest; life !== null; life = life.older) {
      if (life.host === head.host && life.instance === instance) {
        if (claimable(life, at)) return life;
      } else if (isNamedByFilter(life) && claimable(life, at)) {
        // Named before it spoke itself: the instance behind the filter was not known.
        life.host = head.host;
        life.instance = instance;
        return life;
      }
    }
    if (record.mta !== POSTFIX || !mayHaveOtherName(record.kind)) return null;
    for (let life = newest; life !== null; life = life.older)
      if (life.host === head.host && claimable(life, at)) return life;
    return null;
  }

  /** Near the left end of an open piece: lines before it may stand beside this one. */
  #mayDoubt(at: number): boolean {
    return this.#leftOpen && at <= this.state.origin + DOUBT;
  }

  /**
   * Whether a line of this kind is of `life` hangs on what stands to the left of this piece. It begins a life of its
   * own then; merging, which knows both sides, makes one of the two or leaves them (merge.ts).
   */
  inDoubt(life: Life, kind: number, at: number): boolean {
    // A life of a number that has just been given out has nothing on the left; kept lines are of theirs.
    if (!this.#mayDoubt(at) || life.head === QUEUE_NEW || this.#kept !== null) return false;
    switch (kind) {
      case ARRIVAL:
      case QUEUE_INFO:
      case MESSAGE_ID:
        return true;
      // Where a line came first that no ended life takes, this one is taken as well.
      case ENVELOPE:
        return !ASKS_FOR_OPEN.has(life.head);
      case END:
        return life.head !== END && !ASKS_FOR_OPEN.has(life.head);
      // What a link names need not be the newest life of its id.
      default:
        return life.head === 0 && life.mta === POSTFIX;
    }
  }

  /** The life that a record belongs to; a headless one is begun where there is none. */
  #lifeOf(head: LineHead, record: ParsedRecord, at: number): Life {
    const life = this.#existing(head, record, at);
    if (life === null || this.inDoubt(life, record.kind, at)) return this.begin(head, record, at);
    this.#touch(life, record.kind, at);
    return life;
  }

  begin(head: LineHead, record: ParsedRecord, at: number): Life {
    const { start, end } = record.id;
    const space = record.mta === QMAIL ? MESSAGE_NUMBER : QUEUE_ID;
    const life = this.#make(
      record.mta,
      head.host,
      head.tag.instance,
      space,
      asciiText(head.bytes, start, end),
      record.idHash,
      record.idCheck,
      record.kind,
      at,
    );
    this.touched = life;
    return life;
  }

  #make(
    mta: Life['mta'],
    host: number,
    instance: string,
    space: Life['space'],
    id: string,
    hash: number,
    check: number,
    kind: number,
    at: number,
  ): Life {
    this.light?.promoteId(hash, checkOf(check, space));
    const life = takeLife();
    life.begin(mta, host, instance, space, id, hash, checkOf(check, space), kind, at);
    this.state.table.push(life);
    if (this.state.table.size + (this.light?.size ?? 0) > this.#mostPending) this.#evict(life);
    return life;
  }

  /** Makes room: a tenth of the lives, those that were silent longest, but not the one that begins now. */
  #evict(newest: Life): void {
    if (this.light?.isPromoting === true) return;
    this.light?.promoteAll();
    const lives = [...this.state.table.lives()].filter((life) => life !== newest && !life.closed);
    lives.sort((a, b) => a.last - b.last || a.serial - b.serial);
    let chains = 0;
    for (const life of lives.slice(0, Math.ceil(this.#mostPending / 10))) {
      if (life.retired || life.closed) continue;
      if (life.parent === null) chains += 1;
      this.#close(life);
    }
    this.#onEvicted(chains);
  }

  #touch(life: Life, kind: number, at: number): void {
    this.touched = life;
    if (life.head === 0) life.head = kind;
    if (at > life.last) life.last = at;
    if (at < life.first) life.first = at;
    if (life.closed) this.#reopen(life);
  }

  /** The life that a link names, seen before or after its own lines. */
  #linked(
    head: LineHead,
    parent: Life,
    start: number,
    end: number,
    at: number,
    may: (life: Life) => boolean,
    anyHost: boolean,
  ): Life {
    // By now it may be too long ago for a life to be found.
    for (const next of this.#keptNext)
      if (next?.parent === null && rootOf(parent) !== next && sameId(next.id, head.bytes, start, end))
        return next;
    const hash = idHash(head.bytes, start, end);
    const check = idCheck(head.bytes, start, end);
    let elsewhere: Life | null = null;
    // sendmail's ids do not come again.
    const doubt = parent.mta === POSTFIX && this.#mayDoubt(at);
    let life = this.#find(hash, checkOf(check, QUEUE_ID));
    for (; life !== null; life = life.older) {
      if (life.parent !== null || rootOf(parent) === life || !claimable(life, at) || !may(life)) {
        // It may be one with the life below it, which is not for merging to say yet.
        if (doubt && life.parent === null && life.host === parent.host) break;
        continue;
      }
      // What the left knows of it may speak against it.
      if (doubt) break;
      if (life.host === parent.host) return life;
      elsewhere ??= life;
    }
    if (elsewhere !== null && anyHost) return elsewhere;
    const made = this.#make(
      parent.mta,
      parent.host,
      parent.instance,
      QUEUE_ID,
      asciiText(head.bytes, start, end),
      hash,
      check,
      0,
      at,
    );
    this.state.wait(made);
    return made;
  }

  /** Newest life with the queue id at this place of the line. */
  #named(bytes: Uint8Array, start: number, end: number): Life | null {
    return this.#find(idHash(bytes, start, end), checkOf(idCheck(bytes, start, end), QUEUE_ID));
  }

  /** Newest life in the table under this id; a light one is put there first. */
  #find(hash: number, check: number): Life | null {
    this.light?.promoteId(hash, check);
    return this.state.table.find(hash, check);
  }

  /** qmail: the life that this process put into the queue. */
  #byProcess(host: number, qp: number): Life | undefined {
    this.light?.promoteProcess(host, qp);
    return this.state.lifeByQp.get(host, qp);
  }

  /** False where the child has a parent, or would be its own ancestor. */
  attach(parent: Life, child: Life, relation: typeof CONTINUES | typeof REPORTS): boolean {
    const root = rootOf(parent);
    if (child.parent !== null || root === child) return false;
    child.parent = parent;
    child.relation = relation;
    root.pendingInTree += child.pendingInTree;
    if (relation === CONTINUES) {
      if (parent.next === NO_LIVES) parent.next = [child];
      else parent.next.push(child);
    }
    this.state.closedRoots.delete(child);
    return true;
  }

  // ---- Postfix ----------------------------------------------------------------------------------------------------

  #arrival(head: LineHead, record: ParsedRecord, at: number): void {
    const { bytes } = head;
    if ((record.flags & SESSION_ONLY) !== 0) {
      const facts = this.#session(head, at, true)!;
      facts.clientName = spanText(bytes, record.clientName);
      facts.clientIp = spanText(bytes, record.clientIp);
      facts.authUser = spanText(bytes, record.authUser);
      return;
    }
    let life = this.#existing(head, record, at);
    if (
      life === null ||
      life.arrived ||
      life.end !== 0 ||
      at - life.first > OUT_OF_ORDER ||
      this.inDoubt(life, ARRIVAL, at)
    )
      life = this.begin(head, record, at);
    else this.#touch(life, record.kind, at);
    life.begun = true;
    life.arrived = true;
    life.origin = record.origin;
    life.uid = record.uid;
    life.pid = head.pid;
    if (record.hasReversePath)
      life.reversePath ??= text(bytes, record.reversePath.start, record.reversePath.end);
    if (record.origin === ORIGIN_SMTP && !life.proxied) {
      if (!this.#lean) life.clientName = spanText(bytes, record.clientName);
      if (record.clientIp.present)
        life.clientIp = asciiText(bytes, record.clientIp.start, record.clientIp.end);
      if (record.authUser.present) life.authUser = spanText(bytes, record.authUser);
    }
    if (this.#discarding) this.#applySession(life, head, at);
    if (record.other.present) {
      const older = this.#olderId(head, record, at, life);
      this.attach(older, life, CONTINUES);
      // `postsuper -r ALL` names no ids; what pickup(8) has from another id is not in the queue under that one any more.
      if (record.origin === ORIGIN_LOCAL && older.end === 0) {
        older.end = END_REQUEUED;
        this.state.wait(older);
      }
    }
    this.matchPiped(life);
  }

  /** `orig_queue_id=P`, `orig_id=P`: the id that the message had before; unknown, it stands for the part not seen. */
  #olderId(head: LineHead, record: ParsedRecord, at: number, life: Life): Life {
    const { start, end } = record.other;
    for (let older = this.#named(head.bytes, start, end); older !== null; older = older.older) {
      if (older !== life && claimable(older, at)) return older;
    }
    return this.#makeNamed(head, record, life.host, life.instance, at);
  }

  /** A life of which only a link is known. */
  #makeNamed(head: LineHead, record: ParsedRecord, host: number, instance: string, at: number): Life {
    const { bytes } = head;
    const { start, end } = record.other;
    const id = asciiText(bytes, start, end);
    const hash = idHash(bytes, start, end);
    const check = idCheck(bytes, start, end);
    const made = this.#make(record.mta, host, instance, QUEUE_ID, id, hash, check, 0, at);
    this.state.wait(made);
    return made;
  }

  #messageId(head: LineHead, record: ParsedRecord, at: number): void {
    let life = this.#existing(head, record, at);
    const resent = (record.flags & RESENT) !== 0;
    if (
      life === null ||
      !takesEnvelope(life) ||
      // cleanup(8) is done before the queue manager and the delivery agents begin: the id has come again. A second
      // Message-ID before that is another header of the same mail.
      (!resent && (!mayHaveMessageId(life, at) || this.inDoubt(life, MESSAGE_ID, at)))
    ) {
      life = this.begin(head, record, at);
    } else this.#touch(life, record.kind, at);
    if (!resent || life.head === MESSAGE_ID) life.begun = true;
    if (life.messageKey === 0) {
      life.messageKey = messageKeyOf(head.bytes, record.messageId);
      if (!this.#lean) life.messageId = spanText(head.bytes, record.messageId) ?? '';
    }
    if (life.origin === ORIGIN_LOCAL || life.passes.length > 0) this.matchPiped(life);
  }

  #envelope(head: LineHead, record: ParsedRecord, at: number): void {
    let life = this.#existing(head, record, at);
    if (life === null || !takesEnvelope(life) || this.inDoubt(life, ENVELOPE, at))
      life = this.begin(head, record, at);
    else this.#touch(life, record.kind, at);
    life.held = false;
    if (life.accepted && life.size >= 0) return;
    life.accepted = true;
    life.reversePath = text(head.bytes, record.reversePath.start, record.reversePath.end);
    life.size = record.size;
    life.envelopeRecipients = record.recipients;
    if (this.state.checks.size === 0) return;
    // What may be one life with the one below has its client there.
    const client = this.#mayDoubt(at) ? (life.older?.clientIp ?? null) : null;
    life.spf ??= findCheck(this.state.checks, life, client);
  }

  #postfixAttempt(head: LineHead, record: ParsedRecord, at: number): void {
    const { bytes } = head;
    const life = this.#lifeOf(head, record, at);
    // cleanup(8) itself bounces what it refuses of a local submission: the queue manager never sees it.
    if (life.origin === ORIGIN_LOCAL && !life.accepted) life.accepted = true;
    const key = recipientKeyOf(bytes, record);
    const r = life.findRecipient(key) ?? life.addRecipient(key, '', null);
    if (
      this.#lean &&
      record.outcome === SENT &&
      isOrdinary(life) &&
      (record.flags & (FORWARDED | PIPED | LOOPBACK)) === 0
    ) {
      r.attempts += 1;
      r.outcome = SENT;
      r.handedOn = false;
      if (!record.other.present || (life.arrived && !this.#isOwn(life, head, record))) return;
      r.attempts -= 1;
    }
    if (r.address === '') {
      r.address = text(bytes, record.recipient.start, record.recipient.end);
      if (record.originalRecipient.present) {
        r.original = text(bytes, record.originalRecipient.start, record.originalRecipient.end);
      }
    }
    const wasDelivered = r.outcome === SENT && !r.handedOn;
    this.#attempted(r, head, record, record.outcome, at);
    if (record.outcome !== SENT) return;
    if ((record.flags & PIPED) !== 0) {
      this.#goesOut(life, head.pid, at);
      return;
    }
    if (!record.other.present) return;
    const { start, end } = record.other;
    if ((record.flags & FORWARDED) !== 0) {
      for (const known of life.next) {
        if (!sameId(known.id, bytes, start, end)) continue;
        r.handedOn = !wasDelivered;
        r.forwardedTo = known;
        return;
      }
      const child = this.#linked(head, life, start, end, at, mayContinue, false);
      this.attach(life, child, CONTINUES);
      r.forwardedTo = child;
      // .forward with a local copy: `delivered to maildir` and `forwarded as` for one recipient.
      r.handedOn = !wasDelivered;
    } else if ((record.flags & LOOPBACK) !== 0 || this.#isOwn(life, head, record)) {
      r.handedOn = this.#handOver(head, life, start, end, at);
    } else if (this.#leftOpen && !life.arrived) {
      const relay = text(bytes, record.relay.start, record.relay.end);
      this.state.hops.push({
        life,
        recipient: r,
        relay,
        hash: idHash(bytes, start, end),
        check: idCheck(bytes, start, end),
        serial: lastSerial() + 1,
      });
    }
  }

  /** The next hop's id is in this log, and the message of that id is this one (isOwnHop). */
  #isOwn(life: Life, head: LineHead, record: ParsedRecord): boolean {
    const { bytes } = head;
    const { start, end } = record.other;
    for (const known of life.next) if (sameId(known.id, bytes, start, end)) return true;
    // When a kept line came, that id was nobody's here.
    let hop = this.#kept !== null ? null : this.#named(bytes, start, end);
    if (hop === null) return false;
    const relay = text(bytes, record.relay.start, record.relay.end);
    for (; hop !== null; hop = hop.older) if (isOwnHop(life, relay, hop)) return true;
    return false;
  }

  /** `queued as C` by a next hop on this host: C is ours. */
  #handOver(head: LineHead, life: Life, start: number, end: number, at: number): boolean {
    for (const known of life.next) if (sameId(known.id, head.bytes, start, end)) return true;
    const child = this.#linked(head, life, start, end, at, (c) => mayBeHandedOver(life, c), true);
    this.attach(life, child, CONTINUES);
    return true;
  }

  #attempted(r: Recipient, head: LineHead, record: ParsedRecord, outcome: number, at: number): void {
    const { bytes } = head;
    if (outcome !== QUEUED && (record.flags & UNTRIED) === 0) r.attempts += 1;
    // A line that is read again does not undo what came after it.
    if (this.#again && r.at >= at) return;
    r.outcome = outcome;
    r.at = at;
    r.handedOn = false;
    r.status = record.status.present ? statusText(bytes, record.status.start, record.status.end) : null;
    r.relay = record.relay.present ? text(bytes, record.relay.start, record.relay.end) : null;
    r.reply = record.reply.present ? text(bytes, record.reply.start, record.reply.end) : null;
  }

  #expire(life: Life, at: number): void {
    if (Number.isNaN(life.expiredAt)) life.expiredAt = at;
    for (const r of life.recipients) {
      if (r.outcome === DEFERRED || r.outcome === QUEUED) {
        r.outcome = GIVEN_UP;
        r.at = at;
      }
    }
  }

  #end(head: LineHead, record: ParsedRecord, at: number): void {
    let life = this.#existing(head, record, at);
    // A second end belongs to nobody we know, unless sendmail's was only inferred.
    if (life !== null && !mayEndBy(life, record.end)) life = null;
    if (life === null || this.inDoubt(life, END, at)) life = this.begin(head, record, at);
    else this.#touch(life, record.kind, at);
    if (!isDiscardedAtOnce(life)) life.end = record.end;
    // `done;` [envelope.c dropenvelope]: who still waited was given up, and wanted no DSN.
    if (record.mta === SENDMAIL) this.#expire(life, at);
    life.impliedEnd = record.mta === SENDMAIL;
    if ((record.flags & BY_QUEUE_MANAGER) !== 0) life.endByQueueManager = true;
    if (record.mta === QMAIL) this.state.table.freeNumber(life);
    this.state.wait(life);
  }

  #recipientsChanged(head: LineHead, record: ParsedRecord, at: number): void {
    const life = this.#lifeOf(head, record, at);
    life.recipientsChanged += record.recipients;
    this.#sendmailEnd(life);
  }

  #senderNamed(head: LineHead, record: ParsedRecord, at: number): void {
    const life = this.#lifeOf(head, record, at);
    const path = text(head.bytes, record.reversePath.start, record.reversePath.end);
    if (record.mta === SENDMAIL) {
      life.reversePath = unwrapAddress(path);
      life.senderChanged = true;
    } else life.reversePath = path;
  }

  #discard(head: LineHead, record: ParsedRecord, at: number): void {
    if (!record.id.present) {
      this.#actsOnNext(head, record, at);
      return;
    }
    const life = this.#lifeOf(head, record, at);
    this.#dropped(life, head, record);
    // sendmail may say so before it has taken the message in; Postfix says nothing more before 3.10.
    if (record.mta === SENDMAIL && !life.arrived) return;
    life.end = END_DISCARDED;
    this.state.wait(life);
  }

  /** The message of this session has no id yet. */
  #actsOnNext(head: LineHead, record: ParsedRecord, at: number): void {
    const facts = this.#session(head, at, true)!;
    this.#discarding = true;
    facts.discard = {
      reversePath: record.hasReversePath
        ? text(head.bytes, record.reversePath.start, record.reversePath.end)
        : null,
      recipient: spanText(head.bytes, record.recipient),
      held: record.kind === HOLD,
    };
  }

  #dropped(life: Life, head: LineHead, record: ParsedRecord): void {
    life.discarded = true;
    if (record.mta === POSTFIX) life.accepted = true;
    this.#actionEnvelope(life, head, record);
  }

  /** `; from=<s> to=<r>` of an action line: the only place where a held or dropped message names them. */
  #actionEnvelope(life: Life, head: LineHead, record: ParsedRecord): void {
    if (record.hasReversePath)
      life.reversePath ??= text(head.bytes, record.reversePath.start, record.reversePath.end);
    if (record.recipient.present) named(life, text(head.bytes, record.recipient.start, record.recipient.end));
  }

  #hold(head: LineHead, record: ParsedRecord, at: number): void {
    if (!record.id.present) {
      this.#actsOnNext(head, record, at);
      return;
    }
    const life = this.#lifeOf(head, record, at);
    life.held = true;
    if (record.hasReversePath) life.accepted = true;
    this.#actionEnvelope(life, head, record);
  }

  #proxyAccept(head: LineHead, record: ParsedRecord, at: number): void {
    const facts = this.#session(head, at, false);
    const known = facts !== null && facts.clientIp !== null;
    if (!known && !this.#leftOpen) return;
    const { start, end } = record.other;
    let life = this.#named(head.bytes, start, end);
    while (life !== null && !claimable(life, at)) life = life.older;
    life ??= this.#makeNamed(head, record, head.host, head.tag.instance, at);
    this.touched = life;
    if (known) applyProxy(life, facts);
    else life.proxyPid = head.pid;
  }

  /** Facts of the session that this process holds; kept by pid because the message has no id yet. */
  #session(head: LineHead, at: number, make: boolean): SessionFacts | null {
    let facts = this.state.sessions.get(head.host, head.pid);
    if (facts !== undefined && at - facts.at > SESSION_FACTS) {
      this.state.sessions.delete(head.host, head.pid);
      facts = undefined;
    }
    if (facts === undefined) {
      if (!make) return null;
      facts = { at, clientName: null, clientIp: null, authUser: null, discard: null };
      this.state.sessions.set(head.host, head.pid, facts);
    }
    facts.at = at;
    return facts;
  }

  #applySession(life: Life, head: LineHead, at: number): void {
    const facts = this.#session(head, at, false);
    if (facts !== null && facts.discard !== null) this.actBySession(life, facts);
  }

  /** `NOQUEUE: discard:` or `hold:` of the session came before the message had an id. */
  actBySession(life: Life, facts: SessionFacts): void {
    if (facts.discard === null) return;
    const { reversePath, recipient, held } = facts.discard;
    facts.discard = null;
    life.accepted = true;
    life.reversePath ??= reversePath;
    if (recipient !== null) named(life, recipient);
    if (held) {
      life.held = true;
      return;
    }
    life.discarded = true;
    life.end = END_DISCARDED;
    this.state.wait(life);
  }

  /** A pipe(8) delivery. The recipients of one have a line each; the same process makes the next one at another moment. */
  #goesOut(life: Life, pid: number, at: number): void {
    this.light?.mayComeBack();
    const pass = `${pid} ${at}`;
    if (life.passes.length === 0) life.passes = [pass];
    else if (life.passes.length < MOST_PASSES && !life.passes.includes(pass)) life.passes.push(pass);
    this.matchPiped(life);
  }

  /** Of this life's Message-ID: what came back from a command continues what went there. */
  matchPiped(life: Life): void {
    const { piped } = this.state;
    piped.add(life);
    if (piped.out === 0) return;
    const left: Life[] = [];
    const matches = piped.matches(life);
    for (const [back, out] of matches)
      if (back.parent !== null && back.parent !== out) left.push(this.#detach(back));
    for (const [back, out] of matches) if (back.parent === null) this.attach(out, back, CONTINUES);
    for (const root of left) if (root.pendingInTree === 0 && !root.retired) this.retire(root);
  }

  /** What was taken for another message's continuation is a chain of its own again; the root of the chain that it was in. */
  #detach(life: Life): Life {
    const root = rootOf(life);
    const parent = life.parent!;
    parent.next = parent.next.filter((next) => next !== life);
    life.parent = null;
    life.relation = NO_PARENT;
    life.pendingInTree = openIn(life);
    root.pendingInTree -= life.pendingInTree;
    return root;
  }

  // ---- DSNs and splits, Postfix and sendmail ------------------------------------------------------------------------

  #dsn(head: LineHead, record: ParsedRecord, at: number): void {
    const { bytes } = head;
    const parent = this.#lifeOf(head, record, at);
    const { start, end } = record.other;
    for (const link of parent.dsns)
      if (link.child !== null && sameId(link.child.id, bytes, start, end)) return;
    const child = this.#linked(head, parent, start, end, at, mayReport, false);
    this.attach(parent, child, REPORTS);
    const reason = record.reply.present ? text(bytes, record.reply.start, record.reply.end) : null;
    if (record.mta === SENDMAIL) child.accepted = true;
    parent.addDsn({ kind: record.dsn, child, reason, at, qp: -1 });
    if (record.outcome === GIVEN_UP) this.#expire(parent, at);
    // `Too many hops`: refused by sendmail itself, without a `to=` line, or behind one that it was queued.
    const r = record.recipient.present ? this.#refusedHere(parent, bytes, record.recipient) : null;
    if (r !== null) {
      r.outcome = FAILED;
      r.attempts = 1;
      r.at = at;
      r.status = null;
      r.relay = null;
      r.reply = reason;
    }
    if (record.mta === SENDMAIL && parent.end === 0 && this.#kept === null && impliesEnd(parent))
      this.implyEnd(parent);
  }

  /** The recipient that the text of a DSN names; null where the log has said of it, or of others, what became of them. */
  #refusedHere(parent: Life, bytes: Uint8Array, address: Span): Recipient | null {
    const known = parent.findRecipient(textKey(bytes, address.start, address.end));
    if (known !== null) return known.outcome === QUEUED || known.outcome === DEFERRED ? known : null;
    return parent.recipients.length === 0 ? named(parent, text(bytes, address.start, address.end)) : null;
  }

  #split(head: LineHead, record: ParsedRecord, at: number): void {
    const { bytes } = head;
    const parent = this.#lifeOf(head, record, at);
    let start = record.other.start;
    const end = record.other.end;
    while (start < end) {
      let stop = findBytes(bytes, start, end, LIST_SEPARATOR);
      if (stop < 0) stop = end;
      const child = this.#linked(head, parent, start, stop, at, mayContinue, false);
      this.attach(parent, child, CONTINUES);
      child.accepted = true;
      child.reversePath ??= record.hasReversePath
        ? text(bytes, record.reversePath.start, record.reversePath.end)
        : parent.reversePath;
      start = stop + LIST_SEPARATOR.length;
    }
    // An owner's clone takes all recipients with it: the parent has nothing left to say.
    if (this.#kept === null && impliesEnd(parent)) this.implyEnd(parent);
  }

  // ---- sendmail -----------------------------------------------------------------------------------------------------

  #submission(head: LineHead, record: ParsedRecord, at: number): void {
    const { bytes } = head;
    let life = this.#existing(head, record, at);
    // The same line once more (`message repeated`): ids do not come again so soon.
    if (life !== null && life.arrived && life.size === record.size && at - life.first <= OUT_OF_ORDER) return;
    if (life === null || life.arrived) life = this.begin(head, record, at);
    else this.#touch(life, record.kind, at);
    life.begun = true;
    life.arrived = true;
    life.accepted = (record.flags & ACCEPTED) !== 0;
    life.origin = record.origin;
    life.pid = head.pid;
    life.size = record.size;
    life.envelopeRecipients = record.recipients;
    if (record.hasReversePath && !life.senderChanged)
      life.reversePath = unwrapAddress(text(bytes, record.reversePath.start, record.reversePath.end));
    // Message-IDs that sendmail made itself tell the host's name, which bare senders lack.
    if (
      record.messageId.present &&
      (!this.#lean || record.origin === ORIGIN_LOCAL || life.reversePath === '')
    ) {
      life.messageId = text(bytes, record.messageId.start, record.messageId.end);
    }
    if (!this.#lean) life.clientName = spanText(bytes, record.clientName);
    if (record.clientIp.present) life.clientIp = asciiText(bytes, record.clientIp.start, record.clientIp.end);
    if (record.authUser.present) life.authUser ??= spanText(bytes, record.authUser);
    if (this.state.checks.size > 0) life.spf ??= findCheck(this.state.checks, life);
    if (life.reversePath === '' && (record.flags & LOOPBACK) !== 0) this.#ownReport(life, at);
    if (life.discarded) {
      life.end = END_DISCARDED;
      this.state.wait(life);
    } else if (!life.accepted) this.state.wait(life);
    // Attempts came first, and there are more recipients than they told of.
    else if (life.impliedEnd && !impliesEnd(life)) this.resume(life);
  }

  /** A DSN of the submission program, handed to the daemon: its Message-ID names the id that it had there. */
  #ownReport(life: Life, at: number): void {
    const made = life.messageId === null ? null : /^<\d{12}\.([0-9A-Za-z]{8,18})@/.exec(life.messageId);
    if (made === null) return;
    const id = Buffer.from(made[1]);
    for (let report = this.#named(id, 0, id.length); report !== null; report = report.older) {
      if (
        report === life ||
        report.host !== life.host ||
        !claimable(report, at) ||
        report.relation !== REPORTS
      )
        continue;
      this.attach(report, life, CONTINUES);
      return;
    }
  }

  #sendmailAttempt(head: LineHead, record: ParsedRecord, at: number): void {
    const { bytes } = head;
    const life = this.#lifeOf(head, record, at);
    if (record.outcome === NOT_TAKEN) {
      life.refused = true;
      this.state.wait(life);
      return;
    }
    if (this.#lean && record.outcome === SENT && (record.flags & LOOPBACK) === 0 && isOrdinary(life)) {
      const { start, end } = record.recipient;
      if (isOneAddress(bytes, start, end)) {
        // The usual line, without its texts.
        const key = unwrappedKeyOf(bytes, start, end);
        const r = life.findRecipient(key) ?? life.addRecipient(key, '', null);
        r.attempts += 1;
        r.outcome = SENT;
        r.handedOn = false;
        if (
          r.relay === null &&
          record.relay.present &&
          isLocalRelay(bytes, record.relay.start, record.relay.end)
        )
          r.relay = 'local';
        if ((record.flags & MORE) === 0) this.#sendmailEnd(life);
        return;
      }
    }
    const { start, end } = record.recipient;
    // One address, nearly always: the list's call for each costs as much as the rest.
    if (isOneAddress(bytes, start, end)) {
      if (end > start) this.#attemptFor(life, head, record, start, end, at);
    } else
      splitAddresses(bytes, start, end, (from, to) => this.#attemptFor(life, head, record, from, to, at));
    if (record.outcome === SENT && record.other.present && (record.flags & LOOPBACK) !== 0) {
      const { start, end } = record.other;
      if (this.#handOver(head, life, start, end, at)) {
        for (const r of life.recipients) if (r.outcome === SENT && r.at === at) r.handedOn = true;
      }
    }
    if ((record.flags & MORE) === 0) this.#sendmailEnd(life);
  }

  /** sendmail: the attempt for the address at [from, to). */
  #attemptFor(life: Life, head: LineHead, record: ParsedRecord, from: number, to: number, at: number): void {
    const key = unwrappedKeyOf(head.bytes, from, to);
    let r = life.findRecipient(key);
    const untried = (record.flags & UNTRIED) !== 0;
    if (r === null && untried && isForPostmaster(life, record.outcome, at)) return;
    if (r === null || r.address === '') {
      const address = unwrapAddress(text(head.bytes, from, to));
      if (r === null) r = life.addRecipient(key, address, null);
      else r.address = address;
    }
    // A line that is kept came before the mail was there.
    if (this.#kept === null && hasItAlready(life, r, record.outcome)) return;
    this.#attempted(r, head, record, record.outcome, at);
  }

  #sendmailEnd(life: Life): void {
    // The row knew.
    if (this.#kept !== null) return;
    if (impliesEnd(life)) this.implyEnd(life);
    else if (life.impliedEnd) this.resume(life);
  }

  implyEnd(life: Life): void {
    if (life.end !== 0) return;
    life.end = END_IMPLIED;
    life.impliedEnd = true;
    this.state.wait(life);
  }

  /** It was not over: another recipient of it is tried again. */
  resume(life: Life): void {
    life.end = 0;
    life.impliedEnd = false;
  }

  /** A milter or policy daemon knows the message before it has its envelope, or even its id. */
  #senderCheck(head: LineHead, record: ParsedRecord, at: number): void {
    if (record.outcome === SPF_HEADER_IGNORED) return;
    const { bytes } = head;
    const { start, end } = record.id;
    const byId = record.id.present;
    if (byId) {
      for (let life = this.#named(bytes, start, end); life !== null; life = life.older) {
        if (life.host !== head.host || !claimable(life, at)) continue;
        this.touched = life;
        life.spf ??= SPF_NAMES[record.outcome];
        return;
      }
    }
    const key = byId
      ? `${head.host} ${asciiText(bytes, start, end)}`
      : clientKey(
          head.host,
          text(bytes, record.clientIp.start, record.clientIp.end),
          text(bytes, record.reversePath.start, record.reversePath.end),
        );
    limit(this.state.checks);
    this.state.checks.set(key, {
      at,
      result: record.outcome,
      host: byId ? head.host : -1,
      hash: record.idHash,
      check: record.idCheck,
    });
  }

  #auth(head: LineHead, record: ParsedRecord, at: number): void {
    if (!record.id.present) return;
    const life = this.#lifeOf(head, record, at);
    life.authUser ??= spanText(head.bytes, record.authUser);
  }

  /** Parts of one line come one after the other; the last one is not marked as having more. */
  #part(head: LineHead, record: ParsedRecord): void {
    const { bytes } = head;
    const key = `${head.host} ${asciiText(bytes, record.id.start, record.id.end)}`;
    const piece = Buffer.from(bytes.subarray(record.reply.start, record.reply.end)).toString('latin1');
    const more = (record.flags & MORE) !== 0;
    let pieces = this.state.parts.get(key);
    if (pieces === undefined && record.part > 1) {
      this.#unresolved(head);
      return;
    }
    if (pieces === undefined || record.part === 1) {
      limit(this.state.parts);
      pieces = [];
      this.state.parts.set(key, pieces);
    }
    pieces.push(piece);
    if (more) return;
    this.state.parts.delete(key);
    const whole = Buffer.from(
      `${asciiText(bytes, record.id.start, record.id.end)}: ${pieces.join('')}`,
      'latin1',
    );
    const { textStart, textEnd } = head;
    head.bytes = whole;
    head.textStart = 0;
    head.textEnd = whole.length;
    this.#reread(head);
    head.bytes = bytes;
    head.textStart = textStart;
    head.textEnd = textEnd;
  }

  // ---- qmail --------------------------------------------------------------------------------------------------------

  #queueNew(head: LineHead, record: ParsedRecord, at: number): void {
    const known = this.#existing(head, record, at);
    if (known !== null && mayBeAnnouncedAgain(known)) {
      this.#touch(known, record.kind, at);
      return;
    }
    const life = this.begin(head, record, at);
    life.begun = true;
    life.arrived = true;
  }

  #queueInfo(head: LineHead, record: ParsedRecord, at: number): void {
    this.#queued(head, record, at);
    this.light?.arrived(head.host, record.qp);
  }

  #queued(head: LineHead, record: ParsedRecord, at: number): void {
    let life = this.#existing(head, record, at);
    const reversePath = text(head.bytes, record.reversePath.start, record.reversePath.end);
    if (life !== null && isAnnouncedAgain(life, record.qp, record.size, reversePath)) {
      this.#touch(life, record.kind, at);
      return;
    }
    if (life === null || life.accepted || life.end !== 0 || this.inDoubt(life, QUEUE_INFO, at))
      life = this.begin(head, record, at);
    else this.#touch(life, record.kind, at);
    life.begun = true;
    life.arrived = true;
    life.accepted = true;
    life.reversePath = reversePath;
    life.size = record.size;
    life.uid = record.uid;
    life.qp = record.qp;
    const { host } = head;
    this.state.lifeByQp.set(host, record.qp, life);
    const client = this.state.clientByQp.get(host, record.qp);
    if (client !== undefined && at - client.at <= SESSION_FACTS) applyClient(life, client);
    this.light?.promoteAwaiting(host, record.qp);
    const forward = this.state.forwardByQp.get(host, record.qp);
    if (forward !== undefined) {
      this.state.forwardByQp.delete(host, record.qp);
      if (
        forward.life.serial === forward.serial &&
        at - forward.at <= COMES_BACK_WITHIN &&
        !forward.life.retired &&
        this.forward(forward.life, forward.recipient, life)
      )
        return;
    }
    const orphan = this.state.orphanForwards.get(host, record.qp);
    if (orphan !== undefined) {
      this.state.orphanForwards.delete(host, record.qp);
      if (at - orphan <= OUT_OF_ORDER) life.arrived = false;
    }
    if (life.reversePath !== '' && life.reversePath !== '#@[]') return;
    const bounce = this.state.bounceByQp.get(host, record.qp);
    if (bounce === undefined) return;
    this.state.bounceByQp.delete(host, record.qp);
    this.state.qpJoins.add(host);
    this.claimBounce(bounce, life);
  }

  /** The message of a bounce that was kept with the row of its parent. */
  #report(parent: Life, child: Life): void {
    const { host, qp } = child;
    const link = parent.dsns.find((dsn) => dsn.qp === qp && dsn.child === null);
    if (link === undefined) return;
    if (this.state.bounceByQp.get(host, qp)?.link === link) {
      this.state.bounceByQp.delete(host, qp);
      this.light?.arrived(host, qp);
    }
    this.state.qpJoins.add(host);
    this.claimBounce({ life: parent, link }, child);
  }

  claimBounce(bounce: { life: Life; link: DsnLink }, child: Life): void {
    if (bounce.life.retired || bounce.link.child !== null || !bounce.life.dsns.includes(bounce.link)) return;
    if (this.attach(bounce.life, child, REPORTS)) bounce.link.child = child;
  }

  #deliveryStart(head: LineHead, record: ParsedRecord, at: number): void {
    const life = this.#lifeOf(head, record, at);
    if ((record.flags & FIRST_DELIVERY) !== 0) this.#restart(head.host, record.delivery);
    const { start, end } = record.recipient;
    const key = textKey(head.bytes, start, end);
    const recipient = life.findRecipient(key) ?? life.addRecipient(key, text(head.bytes, start, end), null);
    // What the kernel counted as delivered has no name yet.
    if (recipient.address === '') recipient.address = text(head.bytes, start, end);
    recipient.local = (record.flags & LOCAL_CHANNEL) !== 0;
    // A number that is under way already: whoever has it now.
    this.light?.promoteDelivery(head.host, record.delivery);
    this.state.deliveries.set(head.host, record.delivery, { life, serial: life.serial, recipient, at });
    if (!this.#leftOpen) this.bounceByRecipient(life, recipient.address, at);
  }

  /** qmail-queue behind a wrapper: the bounce's qp is the wrapper's, so the report is known by whom it goes to. */
  bounceByRecipient(child: Life, address: string, at: number): void {
    if (child.parent !== null || (child.reversePath !== '' && child.reversePath !== '#@[]')) return;
    // Where the qp has led to a report once, it always does.
    if (this.state.qpJoins.has(child.host)) return;
    const bounces = this.state.bounceByQp.of(child.host);
    let found = -1;
    for (const [qp, { life, link }] of bounces) {
      if (at - link.at > BOUNCE_WITHOUT_QP) bounces.delete(qp);
      else if (child.reversePath === '#@[]') {
        // To doublebounceto, whoever that is: the wrapper was started a little before.
        if (life.reversePath === '' && qp < child.qp && qp > found) found = qp;
      } else if (found < 0 && life.reversePath !== null && bounceAddress(life.reversePath) === address)
        found = qp;
    }
    const bounce = bounces.get(found);
    if (bounce === undefined) return;
    bounces.delete(found);
    this.claimBounce(bounce, child);
  }

  #deliveryResult(head: LineHead, record: ParsedRecord, at: number): void {
    if (this.#kept === null) this.light?.promoteDelivery(head.host, record.delivery);
    const delivery = this.state.deliveries.get(head.host, record.delivery);
    if (delivery === undefined) {
      const restarted = this.state.restarted.has(head.host, countedFrom(record.delivery));
      if (!restarted) this.#unresolved(head);
      if (!this.#leftOpen || restarted)
        for (const qp of record.forwards) this.orphanForward(head.host, qp, at);
      return;
    }
    this.state.deliveries.delete(head.host, record.delivery);
    const { life, recipient, at: startedAt } = delivery;
    if (life.retired || life.serial !== delivery.serial) return;
    this.#touch(life, record.kind, at);
    // Read again, with a later attempt for the same address known by now: that one says how it went.
    const later = this.#again && recipient.at > at;
    const { handedOn } = recipient;
    this.#attempted(recipient, head, record, record.outcome, at);
    if (head.sploggerStamp !== 0)
      this.state.lastResult.set(head.host, {
        stamp: head.sploggerStamp,
        life,
        serial: life.serial,
        recipient,
      });
    if (!later) recipient.keptToo = (record.flags & KEPT_TOO) !== 0;
    // The row knows what it was forwarded as.
    if (this.#kept !== null) return;
    const { serial } = life;
    for (const qp of record.forwards) {
      const handed = record.outcome === SENT ? recipient : null;
      // `did_0+1+0/qp_Q/`: the forward is in the queue already [qmail-local.c].
      const child = this.#byProcess(head.host, qp);
      const isThere = child !== undefined && child.qp === qp && child.first >= startedAt;
      if (isThere && this.forward(life, handed, child)) {
        if (later) recipient.handedOn = handedOn;
      }
      // Or not yet: qmail-send may report the delivery before it sees the forward.
      else this.state.forwardByQp.set(head.host, qp, { life, serial, recipient: handed, at });
    }
  }

  /** A forward of a message that is not in the log: no message of its own. */
  orphanForward(host: number, qp: number, at: number): void {
    const child = this.#byProcess(host, qp);
    if (
      child !== undefined &&
      child.qp === qp &&
      !child.retired &&
      Math.abs(at - child.first) <= OUT_OF_ORDER
    ) {
      child.arrived = child.parent !== null;
    } else this.state.orphanForwards.set(host, qp, at);
  }

  forward(life: Life, recipient: Recipient | null, child: Life): boolean {
    if (child === life || child.parent !== null || child.retired) return false;
    this.attach(life, child, CONTINUES);
    if (recipient === null) return true;
    recipient.handedOn = !recipient.keptToo;
    recipient.forwardedTo = child;
    return true;
  }

  #bounce(head: LineHead, record: ParsedRecord, at: number): void {
    const life = this.#lifeOf(head, record, at);
    const link: DsnLink = { kind: DSN_FAILURE, child: null, reason: null, at, qp: record.qp };
    life.addDsn(link);
    // A line that was kept comes late: the process may have another bounce by now.
    if (this.#kept !== null && this.state.bounceByQp.has(head.host, record.qp)) return;
    this.state.bounceByQp.set(head.host, record.qp, { life, link });
  }

  #restart(host: number, delivery: number): void {
    this.light?.promoteAll();
    const from = countedFrom(delivery);
    this.state.deliveries.forget(host, from);
    this.state.restarted.set(host, from, true);
  }

  #continuation(head: LineHead, record: ParsedRecord): void {
    this.light?.promoteLastResult(head.host);
    const last = this.state.lastResult.get(head.host);
    if (last === undefined || last.stamp !== head.sploggerStamp || last.life.serial !== last.serial) {
      this.#unresolved(head);
      return;
    }
    this.touched = last.life;
    const { recipient } = last;
    recipient.reply = (recipient.reply ?? '') + text(head.bytes, record.reply.start, record.reply.end);
    if (recipient.outcome === FAILED && saysGivenUp(recipient.reply)) recipient.outcome = GIVEN_UP;
  }

  #qpClient(head: LineHead, record: ParsedRecord, at: number): void {
    const facts: SessionFacts = {
      at,
      clientName: spanText(head.bytes, record.clientName),
      clientIp: spanText(head.bytes, record.clientIp),
      authUser: spanText(head.bytes, record.authUser),
      discard: null,
    };
    const life = this.#byProcess(head.host, record.qp);
    if (
      life !== undefined &&
      life.qp === record.qp &&
      !life.retired &&
      Math.abs(at - life.first) <= SESSION_FACTS
    ) {
      this.touched = life;
      applyClient(life, facts);
    } else this.state.clientByQp.set(head.host, record.qp, facts);
  }

  // ---- closing ------------------------------------------------------------------------------------------------------

  #closeWhatIsDue(): void {
    const now = this.state.now;
    this.light?.closeDue(now, this.#seam);
    this.state.closing.due(now, this.#closeOrWait);
    if (now >= this.state.nextSweep) this.#sweep();
  }

  readonly #closeOrWait = (life: Life): void => {
    if (life.retired || life.closed) return;
    if (this.#isOver(life)) this.#close(life);
    else this.state.wait(life);
  };

  #isOver(life: Life): boolean {
    return lastSecondOf(life) < secondOf(this.state.now);
  }

  #closeSilent(): void {
    const silent: Life[] = [];
    for (const life of this.state.table.lives()) if (!life.closed && this.#isOver(life)) silent.push(life);
    for (const life of silent) if (!life.retired && !life.closed) this.#close(life);
  }

  /** Once per hour of log time: lives that fell silent without an end. */
  #sweep(): void {
    this.state.nextSweep = this.state.now + SWEEP_EVERY;
    this.light?.promoteSilent(this.state.now);
    this.#closeSilent();
    const { now } = this.state;
    this.state.sessions.sweep((facts) => now - facts.at > SESSION_FACTS);
    this.state.clientByQp.sweep((facts) => now - facts.at > SESSION_FACTS);
    // By what is over, not by the clock: where stamps go back, what waits is still asked for (and the kernel forgets with
    // its rows).
    this.state.bounceByQp.sweep((bounce) => bounce.life.retired);
    this.state.forwardByQp.sweep(({ life, serial }) => life.retired || life.serial !== serial);
    this.state.lifeByQp.sweep((life) => life.retired);
    this.light?.processesSwept();
    for (const [key, { at }] of this.state.checks)
      if (now - at > COMES_BACK_WITHIN) this.state.checks.delete(key);
    this.state.piped.sweep();
  }

  #close(life: Life): void {
    life.closed = true;
    this.state.table.remove(life);
    const root = rootOf(life);
    root.pendingInTree -= 1;
    if (root.pendingInTree === 0) this.retire(root);
    else if (life === root) this.state.closedRoots.add(root);
  }

  /** A link found a life again after its own time was over: only where the chain still waits for another life. */
  #reopen(life: Life): void {
    life.closed = false;
    rootOf(life).pendingInTree += 1;
    this.state.table.push(life);
    this.state.closedRoots.delete(life);
    this.state.wait(life);
  }

  retire(root: Life): void {
    this.state.closedRoots.delete(root);
    if (this.#leftOpen && this.#mayGoOnLeft(root)) {
      if (this.state.held.size < this.#mostPending) {
        this.state.held.add(root);
        return;
      }
      this.#onEvicted(1);
    }
    markRetired(root);
    this.#sink(root);
    giveBack(root);
  }

  /** A chain whose beginning, or whose parent, may stand in what comes on the left. */
  #mayGoOnLeft(root: Life): boolean {
    return root.first <= this.state.origin + SEAM || (!root.arrived && !(root.begun && root.mta === POSTFIX));
  }

  /** A line about something that began on the left: kept as it is, to be read again when that is known. */
  #unresolved(head: LineHead): void {
    if (!this.#leftOpen || this.state.unresolved.length >= MOST_UNRESOLVED) return;
    this.state.unresolved.push(copyHead(head));
  }

  /** Takes a line that was kept with the row of this life, of which nobody asked for the texts until now. */
  #takeKept(life: Life, head: LineHead, next: readonly (Life | null)[]): void {
    const outer = this.#kept;
    const outerNext = this.#keptNext;
    const again = this.#again;
    this.#kept = life;
    this.#keptNext = next;
    this.#again = false;
    this.#reread(head);
    this.#kept = outer;
    this.#keptNext = outerNext;
    this.#again = again;
  }

  /** Takes a line that was kept for what comes on the left. */
  takeAgain(head: LineHead): void {
    this.#again = true;
    this.#reread(head);
    this.#again = false;
  }

  #reread(head: LineHead): void {
    this.#records[this.#depth] ??= new ParsedRecord();
    const record = this.#records[this.#depth];
    this.#depth += 1;
    if (this.reparse?.(head, record) === true && record.kind !== PART) this.take(head, record);
    this.#depth -= 1;
  }
}

function copyHead(head: LineHead): LineHead {
  const copy = new LineHead();
  Object.assign(copy, head);
  copy.bytes = Buffer.from(head.bytes.subarray(head.textStart, head.textEnd));
  copy.textStart = 0;
  copy.textEnd = copy.bytes.length;
  return copy;
}

/** Links reach back no further than this: lives that begin within it of a seam wait for what is on its other side. */
const SEAM = COMES_BACK_WITHIN + OUT_OF_ORDER;
/** Lines beside a seam may be out of order by OUT_OF_ORDER, on either side of it. */
export const DOUBT = 2 * OUT_OF_ORDER;
/** First lines that a life which has ended does not take. */
const ASKS_FOR_OPEN: ReadonlySet<number> = new Set([ARRIVAL, MESSAGE_ID, ENVELOPE, QUEUE_INFO]);
const MOST_UNRESOLVED = 100_000;
/** Of one message through pipe(8). */
const MOST_PASSES = 4096;

/** About 1 KB each. A host with more messages in its queues has other troubles. */
export const MOST_PENDING = 500_000;

function clientKey(host: number, ip: string, reversePath: string): string {
  return `${host} ${ip} ${reversePath.toLowerCase()}`;
}

/** What was said of this message, or of its client and reverse-path not long before it: policy daemons name no id. */
export function findCheck(
  checks: ReadonlyMap<string, SenderCheck>,
  life: Life,
  client: string | null = null,
): string | null {
  const ip = life.clientIp ?? client;
  const found =
    checks.get(`${life.host} ${life.id}`) ??
    (ip === null || life.reversePath === null
      ? undefined
      : checks.get(clientKey(life.host, ip, life.reversePath)));
  if (found === undefined || Math.abs(life.first - found.at) > SESSION_FACTS) return null;
  return SPF_NAMES[found.result];
}

const LIST_SEPARATOR = Uint8Array.of(0x3b, 0x20);

function markRetired(life: Life): void {
  life.retired = true;
  for (const next of life.next) markRetired(next);
  for (const link of life.dsns) if (link.child !== null && !link.child.retired) markRetired(link.child);
}

/** A recipient that no attempt line names. */
function named(life: Life, address: string): Recipient {
  const bytes = Buffer.from(address);
  const key = textKey(bytes, 0, bytes.length);
  return life.findRecipient(key) ?? life.addRecipient(key, address, null);
}

/** Whether a Message-ID line of this instant may still be this life's. */
export function mayHaveMessageId(life: Life, at: number): boolean {
  // In a burst the lines of cleanup(8) may come behind those of the others.
  if (life.messageKey === 0 && at - life.first <= OUT_OF_ORDER) return true;
  // A size is the queue manager's word; a hold comes before it.
  if (life.size >= 0 || (life.recipients.length > 0 && !life.held)) return false;
  return life.messageKey === 0 || at - life.last <= OUT_OF_ORDER;
}

/** Somebody's message, not a DSN: nobody asks for the names of its recipients while all goes well. */
function isOrdinary(life: Life): boolean {
  return life.reversePath !== null && life.reversePath !== '' && life.parent === null;
}

export function applyProxy(life: Life, facts: SessionFacts): void {
  life.proxied = true;
  life.proxyPid = 0;
  life.clientName = facts.clientName;
  life.clientIp = facts.clientIp;
  life.authUser ??= facts.authUser;
}

export function applyClient(life: Life, facts: SessionFacts): void {
  life.origin = ORIGIN_SMTP;
  life.clientIp = facts.clientIp;
  life.clientName = facts.clientName;
  life.authUser = facts.authUser;
}

/**
 * qmail-send says `new msg` and `info msg` before it is done with todo/, and again when it could not finish then (a full
 * disk, a crash) [todo_do]; with the same words, and before anything is tried.
 */
export function mayBeAnnouncedAgain(life: Life): boolean {
  return life.accepted && !life.closed && life.end === 0 && life.recipients.length === 0;
}

export function isAnnouncedAgain(life: Life, qp: number, size: number, reversePath: string | null): boolean {
  return (
    mayBeAnnouncedAgain(life) && life.qp === qp && life.size === size && life.reversePath === reversePath
  );
}

/**
 * sendmail logs a copy for PostmasterCopy that cannot be addressed as an untried failure of the message, once its report is
 * made [envelope.c dropenvelope]: none of its recipients.
 */
export function isForPostmaster(life: Life, outcome: number, at: number): boolean {
  if (life.mta !== SENDMAIL || outcome !== FAILED) return false;
  return life.dsns.some(
    ({ kind, at: made }) => kind !== DSN_DELAY && kind !== DSN_SUCCESS && at >= made && at - made <= SAME_RUN,
  );
}

/**
 * sendmail: who has the mail is not tried again. Where the next hop for the others cannot be reached, a line says of all that
 * they were deferred [deliver.c deliver].
 */
export function hasItAlready(life: Life, r: Recipient, outcome: number): boolean {
  return life.mta === SENDMAIL && r.outcome === SENT && r.attempts > 0 && outcome === DEFERRED;
}

function sameId(id: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (id.length !== end - start) return false;
  for (let i = 0; i < id.length; i += 1) if (id.charCodeAt(i) !== bytes[start + i]) return false;
  return true;
}

/** Whether lines of cleanup(8) and the queue manager may still be of this life. */
export function takesEnvelope(life: Life): boolean {
  return life.end === 0 || isDiscardedAtOnce(life);
}

/** Postfix: over by its session's word before its own lines came. */
export function isDiscardedAtOnce(life: Life): boolean {
  return life.mta === POSTFIX && life.end === END_DISCARDED;
}

/** Whether a line that says this end is of this life. */
export function mayEndBy(life: Life, end: number): boolean {
  return life.end === 0 || life.impliedEnd || life.end === end || isDiscardedAtOnce(life);
}

/** Known from a filter's word only. */
export function isNamedByFilter(life: Life): boolean {
  return life.head === 0 && (life.relation === CONTINUES || life.proxied || life.proxyPid > 0);
}

/** A DSN was handed in by nobody, and its sender is null (or Postfix's double-bounce for the postmaster). */
export function mayReport(life: Life): boolean {
  if (life.arrived) return false;
  return (
    life.reversePath === null || life.reversePath === '' || life.reversePath.startsWith('double-bounce@')
  );
}

/** What local(8) forwards was handed in by nobody. */
export function mayContinue(life: Life): boolean {
  return !life.arrived;
}

/**
 * Postfix: services may log by another name than their instance (Debian's master.cf has `-o syslog_name=postfix/relay`). Who
 * takes a message in is the first to speak of it.
 */
export function mayHaveOtherName(kind: number): boolean {
  return kind !== ARRIVAL;
}

/** The id behind a filter was taken in by SMTP from this host, not long after its older self. */
export function mayBeHandedOver(older: Life, life: Life): boolean {
  return (
    older !== life && life.first >= older.first - OUT_OF_ORDER && life.first <= older.last + OUT_OF_ORDER
  );
}

/**
 * Whether `hop`, which has the id that the relay gave the message, is that message on this host: handed in from the very
 * address that the relay has, by a host that talks to itself by its own name; or with the same Message-ID, by another
 * instance of Postfix.
 */
export function isOwnHop(life: Life, relay: string, hop: Life): boolean {
  if (hop === life || hop.clientIp === null) return false;
  const { host, messageKey } = hop;
  const named = messageKey !== 0 && messageKey !== EMPTY_MESSAGE_ID;
  if (named && messageKey === life.messageKey && host === life.host) return true;
  const open = relay.indexOf('[') + 1;
  return open > 0 && relay.startsWith(hop.clientIp, open);
}

function spanText(bytes: Uint8Array, span: Span): string | null {
  return span.present ? text(bytes, span.start, span.end) : null;
}

// "2.0.0", "5.1.1", ...: the same few texts millions of times, so they are shared.
const STATUS_TEXTS = new Map<number, string>();

function statusText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start !== 5) return asciiText(bytes, start, end);
  const key = (bytes[start] << 24) | (bytes[start + 2] << 16) | (bytes[start + 4] << 8) | bytes[start + 1];
  let known = STATUS_TEXTS.get(key);
  if (known === undefined || bytes[start + 3] !== bytes[start + 1]) {
    known = asciiText(bytes, start, end);
    if (bytes[start + 3] === bytes[start + 1] && STATUS_TEXTS.size < 2000) STATUS_TEXTS.set(key, known);
  }
  return known;
}
