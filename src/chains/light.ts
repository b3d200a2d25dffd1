/**
 * Light lives: messages of a lean run, which the kernel keeps as rows of numbers and lines.
 *
 * Owns the way from a row to a Life: when the joiner asks for such a message, or its chain is over and not plain, the
 * whole chain is promoted, with all that was known of it: numbers become fields, kept lines are taken by the joiner as
 * if they had just come. What never is promoted is counted by the kernel alone.
 */
import { unwrapAddress } from '../dsn/address.ts';
import {
  ARRIVED,
  CLIENT_AT,
  CLIENT_SHIFT,
  CLOSED,
  D_LENGTH,
  D_NEXT,
  D_NUMBER,
  D_RECIPIENT,
  D_STARTED,
  D_TEXT,
  DELIVERED,
  DELIVERIES,
  DELIVERY_SIZE,
  DRAIN,
  FREE_ROWS,
  HAS_FORWARD,
  HAS_LINKS,
  HEAD_AUTH,
  HEAD_OTHER,
  ID_AT,
  IS_REPORT,
  L_CHILD,
  L_FORWARD,
  L_FORWARDED,
  L_FORWARDER,
  L_KEPT,
  L_NOTICES,
  L_PARENT,
  L_PENDING,
  L_RECIPIENT,
  L_SIBLING,
  L_SINCE,
  LAST_RESULT_HOSTS,
  LAST_RESULT_SIZE,
  LAST_RESULTS,
  LINK_ONLY,
  LINKS,
  LINKS_SIZE,
  LOCAL_ORIGIN,
  MOST_RECIPIENTS,
  MOST_ROWS,
  MTA_BITS,
  N_ATTEMPTS,
  N_CHECK,
  N_DELIVERY,
  N_ENVELOPE_RECIPIENTS,
  N_FLAGS,
  N_HASH,
  N_LENGTHS,
  N_PID,
  N_PLACE,
  N_QP,
  N_RECIPIENTS,
  N_SIZE,
  N_UID,
  NAMED_PARENT,
  NEXT_DUE,
  NO_ARRIVALS,
  NO_PICKUPS,
  NOW,
  NULL_PATH,
  NUMBERS,
  NUMBERS_SIZE,
  ORIGIN,
  OUTBOX_FULL,
  OUTBOX_USED,
  OUTLINE_AT,
  OUTLINE_KEY,
  OUTLINE_RECIPIENT,
  OUTLINE_RECIPIENT_LENGTH,
  OUTLINE_RELAY,
  OUTLINE_RELAY_LENGTH,
  OVER,
  PATH_AT,
  PATH_SHIFT,
  PLACE_SHIFT,
  PLAIN,
  PLAIN_COUNTS,
  PLAIN_SIZE,
  PROMOTE_ROW,
  QP_JOINS,
  QP_JOINS_HOSTS,
  RELATED,
  REPEATED,
  REPEATS,
  ROW,
  ROW_LIMIT,
  ROWS_USED,
  S_ADDRESS,
  S_HOST,
  S_INSTANT,
  S_LENGTH,
  S_NEXT,
  S_SEQUENCE,
  S_TAG,
  S_TEXT,
  SEAM,
  SENDS_CHAINS,
  SERIAL_COUNTER,
  SLOT_SIZE,
  SLOTS,
  STATE_BITS,
  STATE_SHIFT,
  SUBMISSION_SIZE,
  SUBMISSIONS,
  T_FIRST,
  T_KEYS,
  T_LAST,
  T_MESSAGE_KEY,
  T_SERIAL,
  TAKEN_OVER,
  TELL_ROW,
  TEXTS,
  TEXTS_SIZE,
  TIMES,
  TIMES_SIZE,
  TO_LOCAL,
  TOLD_CLIENTS,
  TOLD_DELIVERED,
  TOLD_EXPANDED,
  TOLD_UIDS,
  U_COUNT,
  USER_AT,
  USER_SHIFT,
} from '../kernel/assembly/layout.ts';
import type { Chains, Kernel } from '../kernel/kernel.ts';
import { DELIVERIES_APART, LineHead } from '../lines/head.ts';
import { decimal } from '../records/bytes.ts';
import {
  ARRIVAL,
  ATTEMPT,
  AUTH,
  END_DONE,
  MESSAGE_ID,
  type Mta,
  ORIGIN_LOCAL,
  ORIGIN_SMTP,
  ORIGIN_UNKNOWN,
  POSTFIX,
  QMAIL,
  QUEUE_NEW,
  SENDMAIL,
  SENT,
  SUBMISSION,
} from '../records/record.ts';
import { asciiText, text } from '../records/text.ts';
import type { Life, Recipient } from './life.ts';
import { END_IMPLIED, lastSerial, MESSAGE_NUMBER, QUEUE_ID, setLastSerial, takeLife } from './life.ts';
import type { JoinerState } from './state.ts';

/** Counts plain messages: of this MTA, accepted in this hour (since the epoch); their recipients by outcome. */
export type PlainSink = (
  mta: Mta,
  hour: number,
  messages: number,
  delivered: number,
  expanded: number,
) => void;

/** Who handed a message in: what findings ask of ordinary messages of our own. */
export type Submission = Pick<
  Life,
  'mta' | 'id' | 'first' | 'origin' | 'uid' | 'authUser' | 'clientIp' | 'reversePath'
>;

/**
 * Counts one plain message that may be one of ours; its recipients by outcome. Says what those like it come to; null where
 * each has to be told.
 */
export type SubmissionSink = (submission: Submission, delivered: number, expanded: number) => Repeat | null;

/** Submissions like one that was told: by the same user, uid or client, under the same reverse-path. */
export interface Repeat {
  /** Accepted later than this: an earlier one may be an example. */
  readonly after: number;
  /** Counts so many more of them. */
  readonly count: (messages: number) => void;
}

/**
 * A chain that is over: a message with its DSNs and reports about those, or one with a null reverse-path. Chains with the
 * same outline (kernel/assembly/outline.ts) differ in what stands here, and in nothing else.
 */
export interface Outlined {
  readonly outline: number;
  /** With the reverse-path that its DSN goes to; "" for the null one. */
  readonly submission: Submission & { readonly reversePath: string };
  /** When each of its DSNs was announced; NaN behind the last. */
  readonly announced: readonly number[];
  /** Who failed, or has a message with a null reverse-path. */
  readonly recipient: string;
  /** The next hop that refused it; "" for none. */
  readonly relay: string;
}

/** Counts a chain; false where it has to become lives, to be counted as such at once. */
export type OutlineSink = (chain: Outlined) => boolean;

/** What the joiner does with lives that were rows. */
export interface Promotions {
  /** Takes a line again that was kept with the row of this life. */
  readonly takeKept: (life: Life, head: LineHead, next: readonly (Life | null)[]) => void;
  /** Makes `child` what the message of `parent` goes on as. */
  readonly goOn: (parent: Life, child: Life) => void;
  /** Postfix: pickup(8) took it in. */
  readonly handedInHere: (life: Life) => void;
  /** qmail: `child` is the message of the bounce that was announced of `parent`. */
  readonly report: (parent: Life, child: Life) => void;
  /** qmail: `child` is what a recipient was forwarded as. */
  readonly forward: (parent: Life, recipient: Recipient, child: Life) => void;
  /** Its time is over. */
  readonly close: (life: Life) => void;
}

/** Whose submissions are told, beside those that authenticated and those from networks that cannot be outside. */
export interface Told {
  /** Any client's: some networks are ours by the user's word. */
  readonly everyClient: boolean;
  /** qmail: those of these uids. */
  readonly uids: readonly number[];
}

export class LightLives {
  readonly kernel: Kernel;
  readonly #state: JoinerState;
  readonly #plain: PlainSink;
  readonly #submission: SubmissionSink;
  readonly #outlined: OutlineSink;
  /** By place in the kernel's table of submissions. */
  readonly #repeats: (Repeat | undefined)[] = [];
  readonly #promotions: Promotions;
  /** Who makes lives of chains that are over, instead of this one. */
  readonly #onSent: ((chains: Chains) => void) | null;
  /** By depth: a line that is taken again may promote another row. */
  readonly #heads: LineHead[] = [];
  /** Promotions under way, one for the sake of another; whose time is over is closed after all of them. */
  #depth = 0;
  #closed: Life[] = [];
  /** The chain that is being promoted is over. */
  #over = false;
  /** How many hosts the kernel knows where bounces are found by their process. */
  #joins = 0;

  constructor(
    kernel: Kernel,
    state: JoinerState,
    plain: PlainSink,
    submission: SubmissionSink,
    outlined: OutlineSink,
    told: Told,
    promotions: Promotions,
    onSent: ((chains: Chains) => void) | null,
  ) {
    this.kernel = kernel;
    this.#state = state;
    this.#plain = plain;
    this.#submission = submission;
    this.#outlined = outlined;
    this.#promotions = promotions;
    this.#onSent = onSent;
    kernel.setNumber(TOLD_CLIENTS, told.everyClient ? 1 : 0);
    kernel.setNumber(TOLD_UIDS, told.uids.length);
    for (const [i, uid] of told.uids.entries()) kernel.setNumber(TOLD_UIDS + 4 + 4 * i, uid);
    state.onAwaited = (host, qp) => kernel.await(host, qp);
    state.onKnown = (host, qp) => kernel.know(host, qp);
    const { table } = state;
    table.watch((hash, check, step) => {
      if (!kernel.makeRoomFor(table.size)) kernel.present(hash, check, step);
      else for (const life of table.lives()) if (!life.numberFree) kernel.present(life.hash, life.check, 1);
    });
  }

  /** Something goes through pipe(8), and may come back by pickup(8): whatever came in there has to be known. */
  mayComeBack(): void {
    if (this.#state.piped.out === 0) this.promoteAll();
  }

  /** How many there are. */
  get size(): number {
    return this.kernel.number(ROWS_USED) - this.kernel.number(FREE_ROWS);
  }

  /** Some are about to be lives. */
  get isPromoting(): boolean {
    return this.#depth > 0;
  }

  /** Before the kernel goes on: what it shares with the joiner; `most` lives may be pending on both sides. */
  enter(seam: number, arrivals: boolean, most: number): void {
    const { kernel } = this;
    const state = this.#state;
    kernel.setDouble(NOW, state.now);
    kernel.setDouble(ORIGIN, state.origin);
    kernel.setDouble(SEAM, seam);
    kernel.setDouble(NEXT_DUE, state.nextDue);
    kernel.setDouble(SERIAL_COUNTER, lastSerial());
    kernel.setNumber(ROW_LIMIT, Math.max(0, Math.min(MOST_ROWS, most - state.table.size)));
    kernel.setNumber(NO_ARRIVALS, arrivals ? 0 : 1);
    for (; this.#joins < state.qpJoins.size; this.#joins += 1) {
      for (const host of state.qpJoins) if (host < QP_JOINS_HOSTS) kernel.bytes[QP_JOINS + host] = 1;
    }
    kernel.setNumber(NO_PICKUPS, state.piped.out > 0 ? 1 : 0);
  }

  /** When it has stopped. */
  leave(): void {
    const { kernel } = this;
    this.#state.now = kernel.double(NOW);
    this.#state.origin = kernel.double(ORIGIN);
    setLastSerial(kernel.double(SERIAL_COUNTER));
  }

  /** What the kernel asks for by `answer`; false where it is not about rows. */
  serve(answer: number): boolean {
    if (answer === PROMOTE_ROW) this.#promote(this.kernel.number(ROW));
    else if (answer === TELL_ROW) this.#tell(this.kernel.number(ROW));
    else if (answer === DRAIN) this.drain();
    else if (answer === OUTBOX_FULL) this.#send();
    else return false;
    return true;
  }

  #send(): void {
    if (this.kernel.number(OUTBOX_USED) > 0) this.#onSent?.(this.kernel.takeChains());
  }

  /** From here on, chains that are over leave, if anybody gets them. */
  startSending(): void {
    if (this.#onSent !== null) this.kernel.setNumber(SENDS_CHAINS, 1);
  }

  /** Sends the chains that wait for company; from here on, all stay here. */
  stopSending(): void {
    this.#send();
    this.kernel.setNumber(SENDS_CHAINS, 0);
  }

  /** Makes lives of the chains that another one has sent, and closes them. */
  receive(chains: Chains): void {
    this.kernel.receive(chains, (row, now) => {
      this.#state.now = now;
      this.#promote(row);
    });
  }

  /** Counts the lives whose time is over at `now`; those that began up to `seam` go on as Lives. */
  closeDue(now: number, seam: number): void {
    const { kernel } = this;
    kernel.setDouble(NOW, now);
    kernel.setDouble(SEAM, seam);
    while (this.serve(kernel.call.closeDue()));
  }

  /** Hands on what the kernel has counted. */
  drain(): void {
    const { kernel } = this;
    const counts = kernel.number(PLAIN_COUNTS);
    for (let i = 0; i < counts; i += 1) {
      const entry = PLAIN + i * PLAIN_SIZE;
      this.#plain(
        kernel.number(entry + 8) as Mta,
        kernel.double(entry),
        kernel.double(entry + 16),
        kernel.double(entry + 24),
        kernel.double(entry + 32),
      );
    }
    kernel.setNumber(PLAIN_COUNTS, 0);
    const repeats = kernel.number(REPEATS);
    for (let i = 0; i < repeats; i += 1) {
      const slot = kernel.number(REPEATED + 4 * i);
      const entry = SUBMISSIONS + slot * SUBMISSION_SIZE;
      this.#repeats[slot]?.count(kernel.number(entry + U_COUNT));
      kernel.setNumber(entry + U_COUNT, 0);
    }
    kernel.setNumber(REPEATS, 0);
  }

  /** The life with this id, if it is one of these, becomes a Life in the joiner's table. */
  promoteId(hash: number, check: number): void {
    const row = this.kernel.call.rowOf(hash, check);
    if (row >= 0) this.#promote(row);
  }

  /** qmail: some lives that were found by their process have gone. */
  processesSwept(): void {
    this.kernel.knowNone();
    for (const [host, qp] of this.#state.lifeByQp.entries()) this.kernel.know(host, qp);
  }

  /** qmail: the message of this process is in the queue; nothing waits for it any more. */
  arrived(host: number, qp: number): void {
    if (!this.#state.awaits(host, qp)) this.kernel.awaitNoMore(host, qp);
  }

  /** qmail: the life that this process put into the queue. */
  promoteProcess(host: number, qp: number): void {
    const row = this.kernel.call.rowOfProcess(host, qp);
    if (row >= 0) this.#promote(row);
  }

  /** qmail: the life that this delivery is one of. */
  promoteDelivery(host: number, delivery: number): void {
    // Here are those of the usual qmail-send only.
    if (delivery >= DELIVERIES_APART) return;
    const row = this.kernel.call.rowOfDelivery(host, delivery);
    if (row >= 0) this.#promote(row);
  }

  promoteAll(): void {
    this.#promoteEach(false);
    this.drain();
  }

  /** Lives that fell silent are the joiner's sweep's business. */
  promoteSilent(now: number): void {
    this.kernel.setDouble(NOW, now);
    this.#promoteEach(true);
  }

  /** In the order in which they began: newer lives of an id stand above the older ones. */
  #promoteEach(silent: boolean): void {
    const { kernel } = this;
    const serialOf = (row: number): number => kernel.double(TIMES + row * TIMES_SIZE + T_SERIAL);
    const rows: { row: number; serial: number }[] = [];
    for (let row = -1; ; ) {
      row = kernel.call.nextRow(row + 1, silent ? 1 : 0);
      if (row < 0) break;
      rows.push({ row, serial: serialOf(row) });
    }
    rows.sort((a, b) => a.serial - b.serial);
    // Unless it went with another one of its chain.
    for (const { row, serial } of rows) if (serialOf(row) === serial) this.#promote(row);
  }

  /** With the row goes its whole chain. */
  #promote(row: number): void {
    let root = row;
    for (let parent = this.#parentOf(root); parent >= 0; parent = this.#parentOf(root)) root = parent;
    const isOver = this.#isOver(root);
    if (isOver && this.#depth === 0 && this.#isCounted(root)) return;
    const outer = this.#over;
    this.#over = isOver;
    this.#depth += 1;
    this.#begin(root);
    this.#depth -= 1;
    this.#over = outer;
    if (this.#depth > 0) return;
    const closed = this.#closed;
    this.#closed = [];
    for (const life of closed) this.#promotions.close(life);
  }

  /** Counts a chain that is over by its outline, if it can be. */
  #isCounted(root: number): boolean {
    const { kernel } = this;
    if (kernel.call.outline(root) === 0) return false;
    const recipient = kernel.number(OUTLINE_RECIPIENT);
    const relay = kernel.number(OUTLINE_RELAY);
    const isCounted = this.#outlined({
      outline: kernel.double(OUTLINE_KEY),
      submission: this.#submissionOf(root),
      announced: [kernel.double(OUTLINE_AT), kernel.double(OUTLINE_AT + 8), kernel.double(OUTLINE_AT + 16)],
      recipient: asciiText(kernel.bytes, recipient, recipient + kernel.number(OUTLINE_RECIPIENT_LENGTH)),
      relay: relay > 0 ? text(kernel.bytes, relay, relay + kernel.number(OUTLINE_RELAY_LENGTH)) : '',
    });
    if (isCounted) kernel.call.releaseChain(root);
    return isCounted;
  }

  /** Whether no row of the chain waits for anything. */
  #isOver(root: number): boolean {
    const flags = this.kernel.number(NUMBERS + root * NUMBERS_SIZE + N_FLAGS);
    if ((flags & CLOSED) === 0) return false;
    return (flags & RELATED) === 0 || this.kernel.number(LINKS + root * LINKS_SIZE + L_PENDING) === 0;
  }

  /** The life of a row, which may have gone before. */
  #lifeOf(row: number): Life | null {
    const { kernel } = this;
    if (kernel.double(TIMES + row * TIMES_SIZE + T_SERIAL) !== 0) return this.#begin(row);
    const n = NUMBERS + row * NUMBERS_SIZE;
    return this.#state.table.find(kernel.number(n + N_HASH), kernel.number(n + N_CHECK));
  }

  #parentOf(row: number): number {
    const { kernel } = this;
    if ((kernel.number(NUMBERS + row * NUMBERS_SIZE + N_FLAGS) & RELATED) === 0) return -1;
    return kernel.number(LINKS + row * LINKS_SIZE + L_PARENT) - 1;
  }

  /** The life of this row, and what hangs on it; it is nobody's child. */
  #begin(row: number): Life {
    const { kernel } = this;
    const n = NUMBERS + row * NUMBERS_SIZE;
    const t = TIMES + row * TIMES_SIZE;
    const flags = kernel.number(n + N_FLAGS);
    const mta = (flags & MTA_BITS) as Mta;
    const lengths = kernel.number(n + N_LENGTHS);
    const place = kernel.number(n + N_PLACE);
    const host = place & 0xffff;
    const arrived = (flags & ARRIVED) !== 0;
    const life = takeLife();
    life.begin(
      mta,
      host,
      kernel.instance(place >> PLACE_SHIFT),
      mta === QMAIL ? MESSAGE_NUMBER : QUEUE_ID,
      this.#ascii(row, ID_AT, lengths & 255),
      kernel.number(n + N_HASH),
      kernel.number(n + N_CHECK),
      headOf(mta, flags),
      kernel.double(t + T_FIRST),
    );
    life.last = kernel.double(t + T_LAST);
    life.serial = kernel.double(t + T_SERIAL);
    // What is kept of its submission says it all.
    const told = mta === SENDMAIL && (flags & (LOCAL_ORIGIN | NULL_PATH)) !== 0;
    life.begun = arrived || (mta === POSTFIX && (flags & HEAD_OTHER) !== 0);
    life.arrived = arrived && !told;
    life.accepted = (flags & TAKEN_OVER) !== 0;
    life.origin = originOf(mta, flags);
    if (mta !== QMAIL && arrived) life.pid = kernel.number(n + N_PID);
    life.uid = kernel.number(n + N_UID);
    life.size = kernel.number(n + N_SIZE);
    life.envelopeRecipients = kernel.number(n + N_ENVELOPE_RECIPIENTS);
    life.qp = kernel.number(n + N_QP);
    life.messageKey = kernel.double(t + T_MESSAGE_KEY);
    const client = (lengths >>> CLIENT_SHIFT) & 255;
    if (client > 0) life.clientIp = this.#ascii(row, CLIENT_AT, client);
    const user = (lengths >>> USER_SHIFT) & 255;
    if (user > 0) life.authUser = this.#text(row, USER_AT, user);
    if (
      arrived
        ? life.accepted || mta === SENDMAIL || (flags & LOCAL_ORIGIN) !== 0
        : life.accepted && mta === POSTFIX
    ) {
      const path = this.#text(row, PATH_AT, lengths >>> PATH_SHIFT);
      life.reversePath = mta === SENDMAIL ? unwrapAddress(path) : path;
    }
    const count = kernel.number(n + N_RECIPIENTS);
    for (let i = 0; i < count; i += 1) {
      const r = life.addRecipient(kernel.double(t + T_KEYS + 8 * i), '', null);
      const attempts = kernel.number(n + N_ATTEMPTS + 4 * i);
      r.attempts = attempts & (TO_LOCAL - 1);
      if (stateIn(attempts) === DELIVERED) r.outcome = SENT;
      if ((attempts & TO_LOCAL) === 0) continue;
      if (mta === QMAIL) r.local = true;
      else r.relay = 'local';
    }
    // Its number was free for another message when it ended.
    life.numberFree = mta === QMAIL && (flags & OVER) !== 0;
    this.#state.table.tuck(life);
    const kept = (flags & HAS_LINKS) === 0 ? NOTHING_KEPT : this.#kept(row, flags);
    // Nothing kept is gone before the kernel runs again.
    kernel.call.release(row);
    if (kept.length > 0) this.#takeKept(row, life, kept);
    if (mta === QMAIL) {
      // What is over is not found by its process any more.
      if (life.qp >= 0 && !this.#over) {
        // A newer life may have its process by now; one that was given back may be another by now.
        const newer = this.#state.lifeByQp.get(host, life.qp);
        if (newer?.qp !== life.qp || newer.retired || newer.serial < life.serial)
          this.#state.lifeByQp.set(host, life.qp, life);
      }
      for (let slot = kernel.number(n + N_DELIVERY); slot !== 0; ) {
        const d = DELIVERIES + (slot - 1) * DELIVERY_SIZE;
        const recipient = life.recipients[kernel.number(d + D_RECIPIENT)];
        recipient.address = text(kernel.bytes, d + D_TEXT, d + D_TEXT + kernel.number(d + D_LENGTH));
        const { serial } = life;
        const at = kernel.double(d + D_STARTED);
        this.#state.deliveries.set(host, kernel.number(d + D_NUMBER), { life, serial, recipient, at });
        slot = kernel.number(d + D_NEXT);
      }
    }
    if ((flags & OVER) !== 0) {
      life.impliedEnd = mta === SENDMAIL;
      life.end = mta === SENDMAIL ? END_IMPLIED : END_DONE;
      life.endByQueueManager = mta === POSTFIX;
      if ((flags & CLOSED) === 0) this.#state.wait(life);
    } else if (
      (flags & CLOSED) === 0 &&
      ((flags & LINK_ONLY) !== 0 || (mta === SENDMAIL && arrived && !life.accepted))
    )
      this.#state.wait(life);
    if ((flags & HAS_FORWARD) !== 0) {
      const l = LINKS + row * LINKS_SIZE;
      const qp = kernel.number(l + L_FORWARD);
      const recipient = life.recipients[kernel.number(l + L_FORWARDER)];
      const at = kernel.double(l + L_FORWARDED);
      if (qp >= 0) this.#state.forwardByQp.set(host, qp, { life, serial: life.serial, recipient, at });
    }
    if (mta === POSTFIX && (flags & LOCAL_ORIGIN) !== 0) this.#promotions.handedInHere(life);
    if ((flags & CLOSED) !== 0) this.#closed.push(life);
    return life;
  }

  /** Lines kept with a row, and the rows that it went on as, in the order of the log. */
  #kept(row: number, flags: number): Kept[] {
    const { kernel } = this;
    const l = LINKS + row * LINKS_SIZE;
    const kept: Kept[] = [];
    const keep = (slot: number): void => {
      kept.push({ sequence: kernel.number(slotAt(slot) + S_SEQUENCE), slot, child: -1 });
    };
    for (let i = 0; i < MOST_RECIPIENTS; i += 1) {
      const slot = kernel.number(l + L_KEPT + 4 * i);
      if (slot !== 0) keep(slot);
    }
    for (let slot = kernel.number(l + L_NOTICES); slot !== 0; slot = kernel.number(slotAt(slot) + S_NEXT))
      keep(slot);
    if ((flags & RELATED) === 0) return kept.sort(inOrder);
    for (let child = kernel.number(l + L_CHILD) - 1; child >= 0; ) {
      const c = LINKS + child * LINKS_SIZE;
      // A chain of its own, until its parent finds it again.
      kernel.setNumber(c + L_PARENT, 0);
      kept.push({ sequence: kernel.number(c + L_SINCE), slot: 0, child });
      child = kernel.number(c + L_SIBLING) - 1;
    }
    return kept.sort(inOrder);
  }

  #takeKept(row: number, life: Life, kept: readonly Kept[]): void {
    const { kernel } = this;
    // What it went on as is there before the lines that say so.
    const children = kept.map(({ child }) => (child < 0 ? null : this.#lifeOf(child)));
    this.#heads[this.#depth] ??= new LineHead();
    const head = this.#heads[this.#depth];
    this.#depth += 1;
    for (const [i, { slot, child }] of kept.entries()) {
      if (child >= 0) {
        const next = children[i];
        if (next !== null) this.#attach(life, child, next);
        continue;
      }
      const s = slotAt(slot);
      head.begin(kernel.bytes, kernel.double(s + S_INSTANT));
      head.host = kernel.number(s + S_HOST);
      head.tag = kernel.tag(kernel.number(s + S_TAG));
      head.pid = kernel.number(NUMBERS + row * NUMBERS_SIZE + N_PID);
      head.textStart = s + S_TEXT;
      head.textEnd = head.textStart + kernel.number(s + S_LENGTH);
      if (life.mta === QMAIL) this.#result(row, life, slot, head);
      else this.#promotions.takeKept(life, head, children);
    }
    this.#depth -= 1;
    // The numbers know of attempts without texts, too.
    const attempts = NUMBERS + row * NUMBERS_SIZE + N_ATTEMPTS;
    for (const [i, r] of life.recipients.entries()) {
      const number = kernel.number(attempts + 4 * i);
      r.attempts = number & (TO_LOCAL - 1);
      if (stateIn(number) !== DELIVERED) continue;
      r.outcome = SENT;
      r.handedOn = false;
      if ((number & TO_LOCAL) !== 0 && life.mta === SENDMAIL) r.relay ??= 'local';
    }
  }

  /** What the row `child` says of how it came to its parent; where it says nothing, the parent's lines do. */
  #attach(life: Life, child: number, next: Life): void {
    const { kernel } = this;
    const flags = kernel.number(NUMBERS + child * NUMBERS_SIZE + N_FLAGS);
    if ((flags & NAMED_PARENT) !== 0) this.#promotions.goOn(life, next);
    else if (life.mta !== QMAIL) return;
    else if ((flags & IS_REPORT) !== 0) this.#promotions.report(life, next);
    else {
      const recipient = life.recipients[kernel.number(LINKS + child * LINKS_SIZE + L_RECIPIENT)];
      this.#promotions.forward(life, recipient, next);
    }
  }

  /** A kept line of qmail's: the address stands behind it, the delivery has gone by. */
  #result(row: number, life: Life, slot: number, head: LineHead): void {
    const { kernel } = this;
    const { deliveries, lastResult } = this.#state;
    const kept = LINKS + row * LINKS_SIZE + L_KEPT;
    const recipient = life.recipients.find((_, i) => kernel.number(kept + 4 * i) === slot);
    if (recipient === undefined) {
      this.#promotions.takeKept(life, head, NOTHING_NEXT);
      return;
    }
    const address = kernel.number(slotAt(slot) + S_ADDRESS);
    recipient.address = text(kernel.bytes, head.textEnd, head.textEnd + address);
    // `delivery D: ...`
    const delivery = decimal(kernel.bytes, head.textStart + 9, head.textEnd);
    const now = deliveries.get(life.host, delivery);
    deliveries.set(life.host, delivery, { life, serial: life.serial, recipient, at: head.instant });
    const last = LAST_RESULTS + life.host * LAST_RESULT_SIZE;
    if (kernel.number(last) === row + 1 && kernel.double(last + 8) === life.serial) {
      const stamp = kernel.double(last + 16);
      if (life.recipients[kernel.number(last + 4)] === recipient && stamp !== 0)
        lastResult.set(life.host, { stamp, life, serial: life.serial, recipient });
    }
    this.#promotions.takeKept(life, head, NOTHING_NEXT);
    if (now !== undefined) deliveries.set(life.host, delivery, now);
  }

  /** qmail: the last result of this host becomes known to the joiner: splogger goes on with it. */
  promoteLastResult(host: number): void {
    const { kernel } = this;
    if (host >= LAST_RESULT_HOSTS) return;
    const last = LAST_RESULTS + host * LAST_RESULT_SIZE;
    const row = kernel.number(last) - 1;
    if (row >= 0 && kernel.double(TIMES + row * TIMES_SIZE + T_SERIAL) === kernel.double(last + 8))
      this.#promote(row);
  }

  /** qmail: the lives whose forward or bounce this process puts into the queue. */
  promoteAwaiting(host: number, qp: number): void {
    const { call } = this.kernel;
    const forwarded = call.rowOfForward(host, qp);
    if (forwarded >= 0) this.#promote(forwarded);
    const bounced = call.rowOfBounce(host, qp);
    if (bounced >= 0) this.#promote(bounced);
  }

  /** A plain message of which the findings want to know who handed it in. */
  #tell(row: number): void {
    const { kernel } = this;
    const submission = this.#submissionOf(row);
    const repeat = this.#submission(submission, kernel.number(TOLD_DELIVERED), kernel.number(TOLD_EXPANDED));
    if (repeat !== null) {
      const slot = kernel.call.tellAgain(row, repeat.after);
      if (slot >= 0) this.#repeats[slot] = repeat;
    }
    kernel.call.releaseChain(row);
  }

  /** One object as it is: to spread it into another one cost 8 us. */
  #submissionOf(row: number): Outlined['submission'] {
    const { kernel } = this;
    const n = NUMBERS + row * NUMBERS_SIZE;
    const flags = kernel.number(n + N_FLAGS);
    const mta = (flags & MTA_BITS) as Mta;
    const lengths = kernel.number(n + N_LENGTHS);
    const client = (lengths >>> CLIENT_SHIFT) & 255;
    const user = (lengths >>> USER_SHIFT) & 255;
    const path = (flags & NULL_PATH) !== 0 ? '' : this.#text(row, PATH_AT, lengths >>> PATH_SHIFT);
    return {
      mta,
      id: this.#ascii(row, ID_AT, lengths & 255),
      first: kernel.double(TIMES + row * TIMES_SIZE + T_FIRST),
      origin: originOf(mta, flags),
      uid: kernel.number(n + N_UID),
      authUser: user > 0 ? this.#text(row, USER_AT, user) : null,
      clientIp: client > 0 ? this.#ascii(row, CLIENT_AT, client) : null,
      reversePath: mta === SENDMAIL ? unwrapAddress(path) : path,
    };
  }

  #text(row: number, at: number, length: number): string {
    const start = TEXTS + row * TEXTS_SIZE + at;
    return text(this.kernel.bytes, start, start + length);
  }

  #ascii(row: number, at: number, length: number): string {
    const start = TEXTS + row * TEXTS_SIZE + at;
    return asciiText(this.kernel.bytes, start, start + length);
  }
}

/** A line in a slot, or (child >= 0) a row that it went on as. */
interface Kept {
  readonly sequence: number;
  readonly slot: number;
  readonly child: number;
}

function inOrder(a: Kept, b: Kept): number {
  return a.sequence - b.sequence;
}

const NOTHING_KEPT: readonly Kept[] = [];
const NOTHING_NEXT: readonly Life[] = [];

function slotAt(slot: number): number {
  return SLOTS + (slot - 1) * SLOT_SIZE;
}

function stateIn(attempts: number): number {
  return (attempts >>> STATE_SHIFT) & STATE_BITS;
}

function originOf(mta: Mta, flags: number): Life['origin'] {
  if (mta === QMAIL || (flags & ARRIVED) === 0) return ORIGIN_UNKNOWN;
  return (flags & LOCAL_ORIGIN) !== 0 ? ORIGIN_LOCAL : ORIGIN_SMTP;
}

/** Kind of its first record, 0 without any. */
function headOf(mta: Mta, flags: number): number {
  if ((flags & LINK_ONLY) !== 0) return 0;
  if (mta === POSTFIX) return (flags & HEAD_OTHER) !== 0 ? MESSAGE_ID : ARRIVAL;
  if (mta === QMAIL) return QUEUE_NEW;
  if ((flags & HEAD_OTHER) !== 0) return ATTEMPT;
  return (flags & HEAD_AUTH) !== 0 ? AUTH : SUBMISSION;
}
