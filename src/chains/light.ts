/**
 * Light lives: ordinary messages of a lean run, which the kernel keeps as rows of numbers.
 *
 * Owns the way from a row to a Life: when any other line of such a message turns up, it is promoted, with all that was
 * known of it, and goes on in the joiner. What never is promoted was handed in, taken over, delivered and gone, and is
 * counted by the kernel alone.
 */
import { unwrapAddress } from '../dsn/address.ts';
import {
  ARRIVED,
  CLIENT_AT,
  CLIENT_SHIFT,
  DRAIN,
  HEAD_AUTH,
  ID_AT,
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
  NEXT_DUE,
  NO_ARRIVALS,
  NOW,
  NUMBERS,
  NUMBERS_SIZE,
  ORIGIN,
  OVER,
  PATH_AT,
  PATH_SHIFT,
  PLACE_SHIFT,
  PLAIN,
  PLAIN_COUNTS,
  PLAIN_SIZE,
  PROMOTE_ROW,
  ROW,
  SEAM,
  SERIAL_COUNTER,
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
  TO_AT,
  TO_LENGTH,
  TO_LOCAL,
  TOLD_CLIENTS,
  TOLD_UIDS,
  UNDER_WAY,
  UNDER_WAY_SHIFT,
  USER_AT,
  USER_SHIFT,
} from '../kernel/assembly/layout.ts';
import type { Kernel } from '../kernel/kernel.ts';
import {
  ARRIVAL,
  AUTH,
  END_DONE,
  type Mta,
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
import type { Life } from './life.ts';
import { END_IMPLIED, lastSerial, MESSAGE_NUMBER, QUEUE_ID, setLastSerial, takeLife } from './life.ts';
import type { JoinerState } from './state.ts';

/** Counts plain messages: of this MTA, accepted in this hour (since the epoch), delivered to so many recipients. */
export type PlainSink = (mta: Mta, hour: number, messages: number, recipients: number) => void;

/** Who handed a message in: what findings ask of ordinary messages of our own. */
export type Submission = Pick<
  Life,
  'mta' | 'id' | 'first' | 'origin' | 'uid' | 'authUser' | 'clientIp' | 'reversePath'
>;

/** Counts one plain message that may be one of ours, delivered to so many recipients. */
export type SubmissionSink = (submission: Submission, recipients: number) => void;

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

  constructor(kernel: Kernel, state: JoinerState, plain: PlainSink, submission: SubmissionSink, told: Told) {
    this.kernel = kernel;
    this.#state = state;
    this.#plain = plain;
    this.#submission = submission;
    kernel.setNumber(TOLD_CLIENTS, told.everyClient ? 1 : 0);
    kernel.setNumber(TOLD_UIDS, told.uids.length);
    for (const [i, uid] of told.uids.entries()) kernel.setNumber(TOLD_UIDS + 4 + 4 * i, uid);
    state.onAwaited = (host, qp) => kernel.await(host, qp);
    state.table.watch((hash, check, step) => kernel.present(hash, check, step));
  }

  /** Before the kernel goes on: what it shares with the joiner. */
  enter(seam: number, arrivals: boolean): void {
    const { kernel } = this;
    const state = this.#state;
    kernel.setDouble(NOW, state.now);
    kernel.setDouble(ORIGIN, state.origin);
    kernel.setDouble(SEAM, seam);
    kernel.setDouble(NEXT_DUE, state.nextDue);
    kernel.setDouble(SERIAL_COUNTER, lastSerial());
    kernel.setNumber(NO_ARRIVALS, arrivals ? 0 : 1);
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
    else return false;
    return true;
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
      );
    }
    kernel.setNumber(PLAIN_COUNTS, 0);
  }

  /** The life with this id, if it is one of these, becomes a Life in the joiner's table. */
  promoteId(hash: number, check: number): void {
    const row = this.kernel.call.rowOf(hash, check);
    if (row >= 0) this.#promote(row);
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
    const rows: number[] = [];
    for (let row = -1; ; ) {
      row = kernel.call.nextRow(row + 1, silent ? 1 : 0);
      if (row < 0) break;
      rows.push(row);
    }
    const serialOf = (row: number): number => kernel.double(TIMES + row * TIMES_SIZE + T_SERIAL);
    rows.sort((a, b) => serialOf(a) - serialOf(b));
    for (const row of rows) this.#promote(row);
  }

  #promote(row: number): void {
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
    life.begun = arrived;
    life.arrived = arrived;
    life.accepted = (flags & TAKEN_OVER) !== 0;
    life.origin = mta === QMAIL || !arrived ? ORIGIN_UNKNOWN : ORIGIN_SMTP;
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
    if (life.accepted || (mta === SENDMAIL && arrived)) {
      const path = this.#text(row, PATH_AT, lengths >>> PATH_SHIFT);
      life.reversePath = mta === SENDMAIL ? unwrapAddress(path) : path;
    }
    const count = kernel.number(n + N_RECIPIENTS);
    for (let i = 0; i < count; i += 1) {
      const r = life.addRecipient(kernel.double(t + T_KEYS + 8 * i), '', null);
      const attempts = kernel.number(n + N_ATTEMPTS + 4 * i);
      r.attempts = attempts & (TO_LOCAL - 1);
      if (r.attempts > 0) r.outcome = SENT;
      if ((attempts & TO_LOCAL) === 0) continue;
      if (mta === QMAIL) r.local = true;
      else r.relay = 'local';
    }
    this.#state.table.tuck(life);
    if (mta === QMAIL) {
      if (life.qp >= 0) {
        // A newer life may have its process by now.
        const newer = this.#state.lifeByQp.get(host, life.qp);
        if (newer === undefined || newer.retired || newer.serial < life.serial)
          this.#state.lifeByQp.set(host, life.qp, life);
      }
      if ((flags & UNDER_WAY) !== 0) {
        const recipient = life.recipients[flags >> UNDER_WAY_SHIFT];
        recipient.address = this.#text(row, TO_AT, kernel.bytes[TEXTS + row * TEXTS_SIZE + TO_LENGTH]);
        const { serial, last } = life;
        this.#state.deliveries.set(host, kernel.number(n + N_DELIVERY), {
          life,
          serial,
          recipient,
          at: last,
        });
      }
    }
    if ((flags & OVER) !== 0) {
      life.impliedEnd = mta === SENDMAIL;
      life.end = mta === SENDMAIL ? END_IMPLIED : END_DONE;
      life.endByQueueManager = mta === POSTFIX;
      this.#state.wait(life);
    } else if (mta === SENDMAIL && arrived && !life.accepted) this.#state.wait(life);
    kernel.call.release(row);
  }

  /** A plain message of which the findings want to know who handed it in. */
  #tell(row: number): void {
    const { kernel } = this;
    const n = NUMBERS + row * NUMBERS_SIZE;
    const mta = (kernel.number(n + N_FLAGS) & MTA_BITS) as Mta;
    const lengths = kernel.number(n + N_LENGTHS);
    const client = (lengths >>> CLIENT_SHIFT) & 255;
    const user = (lengths >>> USER_SHIFT) & 255;
    const path = this.#text(row, PATH_AT, lengths >>> PATH_SHIFT);
    this.#submission(
      {
        mta,
        id: this.#ascii(row, ID_AT, lengths & 255),
        first: kernel.double(TIMES + row * TIMES_SIZE + T_FIRST),
        origin: mta === QMAIL ? ORIGIN_UNKNOWN : ORIGIN_SMTP,
        uid: kernel.number(n + N_UID),
        authUser: user > 0 ? this.#text(row, USER_AT, user) : null,
        clientIp: client > 0 ? this.#ascii(row, CLIENT_AT, client) : null,
        reversePath: mta === SENDMAIL ? unwrapAddress(path) : path,
      },
      kernel.number(n + N_RECIPIENTS),
    );
    kernel.call.release(row);
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

/** Kind of its first record. */
function headOf(mta: Mta, flags: number): number {
  if (mta === POSTFIX) return ARRIVAL;
  if (mta === QMAIL) return QUEUE_NEW;
  return (flags & HEAD_AUTH) !== 0 ? AUTH : SUBMISSION;
}
