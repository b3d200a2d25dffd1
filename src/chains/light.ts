/**
 * Light lives: the ordinary message of a lean run, kept as numbers.
 *
 * Most messages are handed in, taken over, delivered at the first try and gone. Nobody asks for their texts, so they
 * live in a few typed arrays instead of objects; a message of which any other line turns up is promoted to a Life, with
 * all that was known of it, and goes on in the joiner. Owns only this shortcut: whatever it takes must lead to the same
 * report as the joiner alone (tested on every story and real log). Price: the joiner's rules for these few kinds of
 * lines stand here once more. Gain: a third of the time of a whole report, and most of the garbage (bench/README.md).
 */
import { unwrapAddress } from '../dsn/address.ts';
import type { LineHead } from '../lines/head.ts';
import { findByte, startsWith } from '../records/bytes.ts';
import {
  ACCEPTED,
  ARRIVAL,
  ATTEMPT,
  BY_QUEUE_MANAGER,
  DELIVERY_RESULT,
  DELIVERY_START,
  END,
  END_DONE,
  ENVELOPE,
  FORWARDED,
  KEPT_TOO,
  LOCAL_CHANNEL,
  LOOPBACK,
  MESSAGE_ID,
  MORE,
  type Mta,
  ORIGIN_SMTP,
  ORIGIN_UNKNOWN,
  type ParsedRecord,
  PIPED,
  POSTFIX,
  QMAIL,
  QUEUE_INFO,
  QUEUE_NEW,
  RESENT,
  SENDMAIL,
  SENT,
  SESSION_ONLY,
  type Span,
  SUBMISSION,
} from '../records/record.ts';
import { asciiText, idCheck, idHash, text, textKey } from '../records/text.ts';
import { isLocalRelay, isOneAddress, messageKeyOf, recipientKeyOf, unwrappedKeyOf } from './keys.ts';
import {
  checkOf,
  END_IMPLIED,
  ENDED_GRACE,
  IMPLIED_END_GRACE,
  type Life,
  MESSAGE_NUMBER,
  NEVER_QUEUED_GRACE,
  nextSerial,
  OPEN_HORIZON,
  QUEUE_ID,
  takeLife,
} from './life.ts';
import type { JoinerState } from './state.ts';

/** Who handed a message in: what findings ask of ordinary messages of our own. */
export type Submission = Pick<
  Life,
  'mta' | 'id' | 'first' | 'origin' | 'uid' | 'authUser' | 'clientIp' | 'reversePath'
>;

/**
 * Counts a plain message: of this MTA, accepted at this instant (ms), delivered to so many recipients; with its
 * submission where it may be one of ours.
 */
export type PlainSink = (mta: Mta, first: number, recipients: number, submission: Submission | null) => void;

/** Whose submissions are told, beside those that authenticated and those from networks that cannot be outside. */
export interface Told {
  /** Any client's: some networks are ours by the user's word. */
  readonly everyClient: boolean;
  /** qmail: those of these uids. */
  readonly uids: ReadonlySet<number>;
}

// A life is a row in each of three arrays: numbers; times and keys; texts.
const NUMBERS = 16;
const HASH = 0;
const CHECK = 1;
const HOST = 2;
const FLAGS = 3;
const PID = 4;
const UID = 5;
const SIZE = 6;
const ENVELOPE_RECIPIENTS = 7;
const QP = 8;
const DELIVERY = 9;
const RECIPIENTS = 10;
/** Attempts of the first recipient; those of the others follow. */
const ATTEMPTS = 11;
/** The lengths of the first four texts, a byte each. */
const LENGTHS = 15;

const MOST_RECIPIENTS = 4;
/** In a number of attempts: the relay was `local`; qmail: the local channel. */
const TO_LOCAL = 1 << 24;

const TIMES = 8;
const FIRST = 0;
const LAST = 1;
/** As Life.serial; 0 in a free row. */
const SERIAL = 2;
const MESSAGE_KEY = 3;
/** Key of the first recipient; those of the others follow. */
const KEYS = 4;

// FLAGS; the two lowest bits are the MTA.
const MTA_BITS = 3;
const TAKEN_OVER = 4;
const OVER = 8;
/** qmail: DELIVERY is under way, to the recipient whose number stands above. */
const UNDER_WAY = 16;
const UNDER_WAY_SHIFT = 8;
const LOW_FLAGS = 255;

// Texts and their room; the last byte of a row is the length of the recipient under way.
const TEXTS = 256;
const ID_AT = 0;
const ID_ROOM = 24;
const CLIENT_AT = 24;
const CLIENT_ROOM = 40;
const USER_AT = 64;
const USER_ROOM = 40;
const PATH_AT = 104;
const PATH_ROOM = 76;
const TO_AT = 180;
const TO_ROOM = 75;
const TO_LENGTH = 255;
const CLIENT_SHIFT = 8;
const USER_SHIFT = 16;
const PATH_SHIFT = 24;

const FIRST_ROWS = 1 << 10;
/** qmail: deliveries under way and processes that are found by their number. */
const SLOTS = 1 << 12;

const DOUBLE_BOUNCE = Uint8Array.from('double-bounce@', (c) => c.charCodeAt(0));
const BACKSLASH = 0x5c;
const LESS = 0x3c;
const GREATER = 0x3e;
const HASH_SIGN = 0x23;

export class LightLives {
  readonly #state: JoinerState;
  readonly #plain: PlainSink;

  #numbers = new Int32Array(FIRST_ROWS * NUMBERS);
  #times = new Float64Array(FIRST_ROWS * TIMES);
  #texts = Buffer.alloc(FIRST_ROWS * TEXTS);
  readonly #instances: string[] = new Array(FIRST_ROWS).fill('');
  readonly #free: number[] = Array.from({ length: FIRST_ROWS }, (_, i) => FIRST_ROWS - 1 - i);

  // Ids -> rows, open addressing as in table.ts; hash, check and row + 1 side by side: a look-up is one cache line.
  #index = new Int32Array(4 * 4 * FIRST_ROWS);
  #mask = 4 * FIRST_ROWS - 1;

  /** Lives that have ended, by how long they are waited for. */
  readonly #ended = new Ring(ENDED_GRACE);
  readonly #implied = new Ring(IMPLIED_END_GRACE);

  /** qmail: row + 1 by delivery and by process. */
  readonly #deliveries = new Int32Array(SLOTS);
  readonly #processes = new Int32Array(SLOTS);

  readonly #told: Told;

  constructor(state: JoinerState, plain: PlainSink, told: Told) {
    this.#state = state;
    this.#plain = plain;
    this.#told = told;
  }

  /** Takes the record if it is one of an ordinary message; false leaves it to the joiner. */
  take(head: LineHead, record: ParsedRecord, at: number): boolean {
    switch (record.kind) {
      case ATTEMPT:
        return record.outcome === SENT && this.#attempt(head, record, at);
      case ENVELOPE:
        return this.#envelope(head, record, at);
      case MESSAGE_ID:
        return this.#messageId(head, record, at);
      case ARRIVAL:
        return this.#arrival(head, record, at);
      case END:
        return this.#end(head, record, at);
      case SUBMISSION:
        return this.#submission(head, record, at);
      case QUEUE_NEW:
        return this.#begin(head, record, at, checkOf(record.idCheck, MESSAGE_NUMBER)) >= 0;
      case QUEUE_INFO:
        return this.#queueInfo(head, record, at);
      case DELIVERY_START:
        return this.#deliveryStart(head, record, at);
      case DELIVERY_RESULT:
        return record.outcome === SENT && this.#deliveryResult(head, record, at);
      default:
        return false;
    }
  }

  // ---- Postfix ------------------------------------------------------------------------------------------------------

  #arrival(head: LineHead, record: ParsedRecord, at: number): boolean {
    if (
      (record.flags & SESSION_ONLY) !== 0 ||
      record.origin !== ORIGIN_SMTP ||
      record.hasReversePath ||
      record.other.present
    )
      return false;
    const row = this.#begin(head, record, at, record.idCheck);
    if (row < 0) return false;
    this.#numbers[row * NUMBERS + UID] = record.uid;
    if (!this.#client(row, head, record)) this.#promote(row);
    return true;
  }

  #messageId(head: LineHead, record: ParsedRecord, at: number): boolean {
    const row = this.#rowOf(head, record, at, record.idCheck);
    if (row < 0) return false;
    const n = row * NUMBERS;
    const t = row * TIMES;
    // As mayHaveMessageId (joiner.ts); a second one is the joiner's.
    if ((record.flags & RESENT) !== 0 || this.#times[t + MESSAGE_KEY] !== 0) return false;
    if (this.#numbers[n + SIZE] >= 0 || this.#numbers[n + RECIPIENTS] > 0) return false;
    if ((this.#numbers[n + FLAGS] & OVER) !== 0) return false;
    this.#touch(t, at);
    this.#times[t + MESSAGE_KEY] = messageKeyOf(head.bytes, record.messageId);
    return true;
  }

  #envelope(head: LineHead, record: ParsedRecord, at: number): boolean {
    const row = this.#rowOf(head, record, at, record.idCheck);
    if (row < 0) return false;
    const n = row * NUMBERS;
    const flags = this.#numbers[n + FLAGS];
    // What SPF said of a message waits for its envelope there.
    if ((flags & OVER) !== 0 || this.#state.checks.size > 0) return false;
    if ((flags & TAKEN_OVER) === 0) {
      if (!this.#reversePath(row, head, record)) return false;
      this.#numbers[n + FLAGS] = flags | TAKEN_OVER;
      this.#numbers[n + SIZE] = record.size;
      this.#numbers[n + ENVELOPE_RECIPIENTS] = record.recipients;
    }
    this.#touch(row * TIMES, at);
    return true;
  }

  #attempt(head: LineHead, record: ParsedRecord, at: number): boolean {
    if ((record.flags & (FORWARDED | PIPED | LOOPBACK)) !== 0) return false;
    const row = this.#rowOf(head, record, at, record.idCheck);
    if (row < 0 || (this.#numbers[row * NUMBERS + FLAGS] & TAKEN_OVER) === 0) return false;
    const { bytes } = head;
    if (record.mta === SENDMAIL) {
      const { start, end } = record.recipient;
      if (!isOneAddress(bytes, start, end)) return false;
      const recipient = this.#recipient(row, unwrappedKeyOf(bytes, start, end));
      if (recipient < 0) return false;
      const { relay } = record;
      if (relay.present && isLocalRelay(bytes, relay.start, relay.end))
        this.#numbers[row * NUMBERS + ATTEMPTS + recipient] |= TO_LOCAL;
      this.#delivered(row, recipient, at);
      if ((record.flags & MORE) === 0) this.#implyEnd(row);
      return true;
    }
    // `queued as C`: is C ours? Where any life has that id, the joiner looks closer.
    if (record.other.present && this.#isKnown(bytes, record.other)) return false;
    const recipient = this.#recipient(row, recipientKeyOf(bytes, record));
    if (recipient < 0) return false;
    this.#delivered(row, recipient, at);
    return true;
  }

  #end(head: LineHead, record: ParsedRecord, at: number): boolean {
    if (record.end !== END_DONE || record.mta === SENDMAIL) return false;
    if (record.mta === POSTFIX && (record.flags & BY_QUEUE_MANAGER) === 0) return false;
    const row = this.#rowOf(head, record, at, checkIn(record));
    if (row < 0 || (this.#numbers[row * NUMBERS + FLAGS] & OVER) !== 0) return false;
    this.#touch(row * TIMES, at);
    this.#numbers[row * NUMBERS + FLAGS] |= OVER;
    this.#ended.push(row, this.#times[row * TIMES + SERIAL]);
    return true;
  }

  // ---- sendmail -----------------------------------------------------------------------------------------------------

  #submission(head: LineHead, record: ParsedRecord, at: number): boolean {
    if ((record.flags & ACCEPTED) === 0 || record.origin !== ORIGIN_SMTP || !record.hasReversePath)
      return false;
    if (this.#state.checks.size > 0) return false;
    const { start, end } = record.reversePath;
    const { bytes } = head;
    // Printed names and escapes are the joiner's (unwrapAddress).
    if (
      (bytes[start] === LESS) !== (bytes[end - 1] === GREATER) ||
      findByte(bytes, start, end, BACKSLASH) >= 0
    )
      return false;
    const row = this.#begin(head, record, at, record.idCheck);
    if (row < 0) return false;
    const n = row * NUMBERS;
    this.#numbers[n + SIZE] = record.size;
    this.#numbers[n + ENVELOPE_RECIPIENTS] = record.recipients;
    if (!this.#reversePath(row, head, record)) {
      this.#release(row);
      return false;
    }
    this.#numbers[n + FLAGS] |= TAKEN_OVER;
    if (!this.#client(row, head, record)) this.#promote(row);
    return true;
  }

  /** As impliesEnd (life.ts): all that the envelope had are done. */
  #implyEnd(row: number): void {
    const n = row * NUMBERS;
    if ((this.#numbers[n + FLAGS] & OVER) !== 0) return;
    if (this.#numbers[n + RECIPIENTS] < this.#numbers[n + ENVELOPE_RECIPIENTS]) return;
    this.#numbers[n + FLAGS] |= OVER;
    this.#implied.push(row, this.#times[row * TIMES + SERIAL]);
  }

  // ---- qmail --------------------------------------------------------------------------------------------------------

  #queueInfo(head: LineHead, record: ParsedRecord, at: number): boolean {
    const row = this.#rowOf(head, record, at, checkOf(record.idCheck, MESSAGE_NUMBER));
    const { qp } = record;
    const { host } = head;
    if (row < 0 || qp < 0) return false;
    const n = row * NUMBERS;
    if ((this.#numbers[n + FLAGS] & (TAKEN_OVER | OVER)) !== 0 || this.#state.awaits(host, qp)) return false;
    if (!this.#reversePath(row, head, record)) return false;
    // Only the newest life of a slot is found by its process: the one before goes where all are.
    const slot = slotOf(host, qp);
    if (this.#processes[slot] > 0 && this.#processes[slot] !== row + 1)
      this.#promote(this.#processes[slot] - 1);
    this.#state.lifeByQp.delete(host, qp);
    this.#processes[slot] = row + 1;
    this.#numbers[n + FLAGS] |= TAKEN_OVER;
    this.#numbers[n + SIZE] = record.size;
    this.#numbers[n + UID] = record.uid;
    this.#numbers[n + QP] = qp;
    this.#touch(row * TIMES, at);
    return true;
  }

  #deliveryStart(head: LineHead, record: ParsedRecord, at: number): boolean {
    // The first one after a start of qmail-send has more to say.
    if (record.delivery <= 1) return false;
    const row = this.#rowOf(head, record, at, checkOf(record.idCheck, MESSAGE_NUMBER));
    if (row < 0) return false;
    const n = row * NUMBERS;
    const flags = this.#numbers[n + FLAGS];
    if ((flags & TAKEN_OVER) === 0 || (flags & (UNDER_WAY | OVER)) !== 0) return false;
    const { start, end } = record.recipient;
    if (end - start > TO_ROOM) return false;
    const recipient = this.#recipient(row, textKey(head.bytes, start, end));
    if (recipient < 0) return false;
    if ((record.flags & LOCAL_CHANNEL) !== 0) this.#numbers[n + ATTEMPTS + recipient] |= TO_LOCAL;
    const slot = slotOf(head.host, record.delivery);
    if (this.#deliveries[slot] > 0) this.#promote(this.#deliveries[slot] - 1);
    this.#state.deliveries.delete(head.host, record.delivery);
    this.#deliveries[slot] = row + 1;
    this.#texts[row * TEXTS + TO_LENGTH] = this.#copy(row * TEXTS + TO_AT, TO_ROOM, head.bytes, start, end);
    this.#numbers[n + FLAGS] = flags | UNDER_WAY | (recipient << UNDER_WAY_SHIFT);
    this.#numbers[n + DELIVERY] = record.delivery;
    this.#touch(row * TIMES, at);
    return true;
  }

  #deliveryResult(head: LineHead, record: ParsedRecord, at: number): boolean {
    const row = this.#rowUnderWay(head.host, record.delivery);
    if (row < 0 || record.qp >= 0 || (record.flags & KEPT_TOO) !== 0) return false;
    const recipient = this.#landed(row);
    this.#delivered(row, recipient, at);
    return true;
  }

  /** The delivery is over; its recipient. */
  #landed(row: number): number {
    const n = row * NUMBERS;
    const flags = this.#numbers[n + FLAGS];
    this.#deliveries[slotOf(this.#numbers[n + HOST], this.#numbers[n + DELIVERY])] = 0;
    this.#numbers[n + FLAGS] = flags & LOW_FLAGS & ~UNDER_WAY;
    return flags >> UNDER_WAY_SHIFT;
  }

  #rowUnderWay(host: number, delivery: number): number {
    const row = this.#deliveries[slotOf(host, delivery)] - 1;
    if (row < 0) return -1;
    const n = row * NUMBERS;
    return this.#numbers[n + DELIVERY] === delivery && this.#numbers[n + HOST] === host ? row : -1;
  }

  // ---- rows ---------------------------------------------------------------------------------------------------------

  /** A new life; -1 where the id is known already. */
  #begin(head: LineHead, record: ParsedRecord, at: number, check: number): number {
    const hash = record.idHash;
    const known = this.#find(hash, check);
    if (known >= 0 || this.#state.table.find(hash, check) !== null) return -1;
    const { id } = record;
    if (id.end - id.start > ID_ROOM) return -1;
    if (this.#free.length === 0) this.#grow();
    const row = this.#free.pop()!;
    const n = row * NUMBERS;
    const numbers = this.#numbers;
    numbers[n + HASH] = hash;
    numbers[n + CHECK] = check;
    numbers[n + HOST] = head.host;
    numbers[n + FLAGS] = record.mta;
    numbers[n + PID] = head.pid;
    numbers[n + UID] = -1;
    numbers[n + SIZE] = -1;
    numbers[n + ENVELOPE_RECIPIENTS] = -1;
    numbers[n + QP] = -1;
    numbers[n + DELIVERY] = -1;
    numbers[n + RECIPIENTS] = 0;
    numbers[n + LENGTHS] = this.#copy(row * TEXTS + ID_AT, ID_ROOM, head.bytes, id.start, id.end);
    const t = row * TIMES;
    const times = this.#times;
    times[t + FIRST] = at;
    times[t + LAST] = at;
    times[t + SERIAL] = nextSerial();
    times[t + MESSAGE_KEY] = 0;
    this.#instances[row] = head.tag.instance;
    this.#insert(hash, check, row);
    return row;
  }

  /** The row that a record belongs to, or -1: as the joiner's claim on a life of this host and instance. */
  #rowOf(head: LineHead, record: ParsedRecord, at: number, check: number): number {
    const row = this.#find(record.idHash, check);
    if (row < 0) return -1;
    if (this.#numbers[row * NUMBERS + HOST] !== head.host || this.#instances[row] !== head.tag.instance)
      return -1;
    return at > this.#times[row * TIMES + LAST] + this.#graceOf(row) ? -1 : row;
  }

  /** As graceOf (life.ts) for the few states that there are here. */
  #graceOf(row: number): number {
    const flags = this.#numbers[row * NUMBERS + FLAGS];
    if ((flags & OVER) !== 0) return (flags & MTA_BITS) === SENDMAIL ? IMPLIED_END_GRACE : ENDED_GRACE;
    return (flags & TAKEN_OVER) !== 0 || (flags & MTA_BITS) !== POSTFIX ? OPEN_HORIZON : NEVER_QUEUED_GRACE;
  }

  #touch(t: number, at: number): void {
    if (at > this.#times[t + LAST]) this.#times[t + LAST] = at;
    if (at < this.#times[t + FIRST]) this.#times[t + FIRST] = at;
  }

  /** Number of the recipient with this key, a new one with no attempts if need be; -1 when there is no room. */
  #recipient(row: number, key: number): number {
    const n = row * NUMBERS;
    const keys = row * TIMES + KEYS;
    const count = this.#numbers[n + RECIPIENTS];
    for (let i = 0; i < count; i += 1) if (this.#times[keys + i] === key) return i;
    if (count === MOST_RECIPIENTS) return -1;
    this.#times[keys + count] = key;
    this.#numbers[n + ATTEMPTS + count] = 0;
    this.#numbers[n + RECIPIENTS] = count + 1;
    return count;
  }

  #delivered(row: number, recipient: number, at: number): void {
    this.#numbers[row * NUMBERS + ATTEMPTS + recipient] += 1;
    this.#touch(row * TIMES, at);
  }

  /** Keeps client and user; false when they are too long. */
  #client(row: number, head: LineHead, record: ParsedRecord): boolean {
    const { bytes } = head;
    const { clientIp, authUser } = record;
    let fits = true;
    let lengths = 0;
    if (clientIp.present) {
      const length = this.#copy(row * TEXTS + CLIENT_AT, CLIENT_ROOM, bytes, clientIp.start, clientIp.end);
      if (length < 0) fits = false;
      else lengths |= length << CLIENT_SHIFT;
    }
    if (authUser.present) {
      const length = this.#copy(row * TEXTS + USER_AT, USER_ROOM, bytes, authUser.start, authUser.end);
      if (length < 0) fits = false;
      else lengths |= length << USER_SHIFT;
    }
    this.#numbers[row * NUMBERS + LENGTHS] |= lengths;
    return fits;
  }

  /** Keeps the reverse-path; false for one that is not somebody's, or too long. */
  #reversePath(row: number, head: LineHead, record: ParsedRecord): boolean {
    const { bytes } = head;
    const { start, end } = record.reversePath;
    const first = bytes[start] === LESS ? start + 1 : start;
    if (end - start < 3 || bytes[first] === HASH_SIGN || startsWith(bytes, first, end, DOUBLE_BOUNCE))
      return false;
    const length = this.#copy(row * TEXTS + PATH_AT, PATH_ROOM, bytes, start, end);
    if (length < 0) return false;
    this.#numbers[row * NUMBERS + LENGTHS] |= length << PATH_SHIFT;
    return true;
  }

  /** Copies a text into its room; its length, or -1 when it is too long. A loop: TypedArray.set costs 50 ns a call. */
  #copy(to: number, room: number, bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length > room) return -1;
    const texts = this.#texts;
    for (let i = 0; i < length; i += 1) texts[to + i] = bytes[start + i];
    return length;
  }

  #isKnown(bytes: Uint8Array, id: Span): boolean {
    const hash = idHash(bytes, id.start, id.end);
    const check = idCheck(bytes, id.start, id.end);
    return this.#find(hash, check) >= 0 || this.#state.table.find(hash, check) !== null;
  }

  // ---- leaving ------------------------------------------------------------------------------------------------------

  /** Counts the lives whose time is over at `now`. Those that began up to `seam` may go on to the left of this piece. */
  closeDue(now: number, seam: number): void {
    this.#closeRing(this.#ended, now, seam);
    this.#closeRing(this.#implied, now, seam);
  }

  #closeRing(ring: Ring, now: number, seam: number): void {
    const times = this.#times;
    for (;;) {
      const row = ring.row;
      if (row < 0) return;
      const t = row * TIMES;
      if (times[t + SERIAL] === ring.serial) {
        if (times[t + LAST] + ring.grace >= now) return;
        const n = row * NUMBERS;
        const recipients = this.#numbers[n + RECIPIENTS];
        const flags = this.#numbers[n + FLAGS];
        if (
          times[t + FIRST] <= seam ||
          recipients === 0 ||
          (flags & (TAKEN_OVER | UNDER_WAY)) !== TAKEN_OVER
        ) {
          this.#promote(row);
        } else {
          const submission = this.#isOurs(row) ? this.#submitted(row) : null;
          this.#plain((flags & MTA_BITS) as Mta, times[t + FIRST], recipients, submission);
          this.#release(row);
        }
      }
      ring.shift();
    }
  }

  /** Whether its submission is told. The look at the client's first bytes leaves most strangers out. */
  #isOurs(row: number): boolean {
    const n = row * NUMBERS;
    const lengths = this.#numbers[n + LENGTHS];
    if (((lengths >>> USER_SHIFT) & 255) > 0) return true;
    if (((lengths >>> CLIENT_SHIFT) & 255) === 0) return this.#told.uids.has(this.#numbers[n + UID]);
    const client = row * TEXTS + CLIENT_AT;
    return (
      this.#told.everyClient ||
      mayBePrivate(this.#texts[client], this.#texts[client + 1], this.#texts[client + 2])
    );
  }

  #submitted(row: number): Submission {
    const n = row * NUMBERS;
    const mta = (this.#numbers[n + FLAGS] & MTA_BITS) as Mta;
    const lengths = this.#numbers[n + LENGTHS];
    const client = (lengths >>> CLIENT_SHIFT) & 255;
    const user = (lengths >>> USER_SHIFT) & 255;
    const path = this.#text(row, PATH_AT, lengths >>> PATH_SHIFT, false);
    return {
      mta,
      id: this.#text(row, ID_AT, lengths & 255, true),
      first: this.#times[row * TIMES + FIRST],
      origin: mta === QMAIL ? ORIGIN_UNKNOWN : ORIGIN_SMTP,
      uid: this.#numbers[n + UID],
      authUser: user > 0 ? this.#text(row, USER_AT, user, false) : null,
      clientIp: client > 0 ? this.#text(row, CLIENT_AT, client, true) : null,
      reversePath: mta === SENDMAIL ? unwrapAddress(path) : path,
    };
  }

  /** The life with this id, if it is one of these, becomes a Life in the joiner's table. */
  promoteId(hash: number, check: number): void {
    const row = this.#find(hash, check);
    if (row >= 0) this.#promote(row);
  }

  /** qmail: the life that this process put into the queue. */
  promoteProcess(host: number, qp: number): void {
    const row = this.#processes[slotOf(host, qp)] - 1;
    if (row < 0) return;
    const n = row * NUMBERS;
    if (this.#numbers[n + QP] === qp && this.#numbers[n + HOST] === host) this.#promote(row);
  }

  /** qmail: the life that this delivery is one of. */
  promoteDelivery(host: number, delivery: number): void {
    const row = this.#rowUnderWay(host, delivery);
    if (row >= 0) this.#promote(row);
  }

  promoteAll(): void {
    this.#promoteWhere(() => true);
  }

  /** Lives that fell silent are the joiner's sweep's business. */
  promoteSilent(now: number): void {
    this.#promoteWhere((row) => this.#times[row * TIMES + LAST] + this.#graceOf(row) < now);
  }

  #promoteWhere(wanted: (row: number) => boolean): void {
    const rows: number[] = [];
    for (let row = 0; row < this.#instances.length; row += 1)
      if (this.#times[row * TIMES + SERIAL] !== 0 && wanted(row)) rows.push(row);
    rows.sort((a, b) => this.#times[a * TIMES + SERIAL] - this.#times[b * TIMES + SERIAL]);
    for (const row of rows) this.#promote(row);
  }

  #promote(row: number): void {
    const numbers = this.#numbers;
    const n = row * NUMBERS;
    const t = row * TIMES;
    const times = this.#times;
    const flags = numbers[n + FLAGS];
    const mta = (flags & MTA_BITS) as Mta;
    const lengths = numbers[n + LENGTHS];
    const host = numbers[n + HOST];
    const life = takeLife();
    life.begin(
      mta,
      host,
      this.#instances[row],
      mta === QMAIL ? MESSAGE_NUMBER : QUEUE_ID,
      this.#text(row, ID_AT, lengths & 255, true),
      numbers[n + HASH],
      numbers[n + CHECK],
      mta === POSTFIX ? ARRIVAL : mta === SENDMAIL ? SUBMISSION : QUEUE_NEW,
      times[t + FIRST],
    );
    life.last = times[t + LAST];
    life.serial = times[t + SERIAL];
    life.begun = true;
    life.arrived = true;
    life.accepted = (flags & TAKEN_OVER) !== 0;
    life.origin = mta === QMAIL ? ORIGIN_UNKNOWN : ORIGIN_SMTP;
    if (mta !== QMAIL) life.pid = numbers[n + PID];
    life.uid = numbers[n + UID];
    life.size = numbers[n + SIZE];
    life.envelopeRecipients = numbers[n + ENVELOPE_RECIPIENTS];
    life.qp = numbers[n + QP];
    life.messageKey = times[t + MESSAGE_KEY];
    const client = (lengths >>> CLIENT_SHIFT) & 255;
    if (client > 0) life.clientIp = this.#text(row, CLIENT_AT, client, true);
    const user = (lengths >>> USER_SHIFT) & 255;
    if (user > 0) life.authUser = this.#text(row, USER_AT, user, false);
    if (life.accepted) {
      const path = this.#text(row, PATH_AT, lengths >>> PATH_SHIFT, false);
      life.reversePath = mta === SENDMAIL ? unwrapAddress(path) : path;
    }
    const count = numbers[n + RECIPIENTS];
    for (let i = 0; i < count; i += 1) {
      const r = life.addRecipient(times[t + KEYS + i], '', null);
      const attempts = numbers[n + ATTEMPTS + i];
      r.attempts = attempts & (TO_LOCAL - 1);
      if (r.attempts > 0) r.outcome = SENT;
      if ((attempts & TO_LOCAL) === 0) continue;
      if (mta === QMAIL) r.local = true;
      else r.relay = 'local';
    }
    this.#state.table.push(life);
    if (mta === QMAIL) {
      if (life.qp >= 0) this.#state.lifeByQp.set(host, life.qp, life);
      if ((flags & UNDER_WAY) !== 0) {
        const recipient = life.recipients[this.#landed(row)];
        recipient.address = this.#text(row, TO_AT, this.#texts[row * TEXTS + TO_LENGTH], false);
        const { serial, last } = life;
        this.#state.deliveries.set(host, numbers[n + DELIVERY], { life, serial, recipient, at: last });
      }
    }
    if ((flags & OVER) !== 0) {
      life.impliedEnd = mta === SENDMAIL;
      life.end = mta === SENDMAIL ? END_IMPLIED : END_DONE;
      life.endByQueueManager = mta === POSTFIX;
      this.#state.wait(life);
    }
    this.#release(row);
  }

  #text(row: number, at: number, length: number, ascii: boolean): string {
    const start = row * TEXTS + at;
    return (ascii ? asciiText : text)(this.#texts, start, start + length);
  }

  #release(row: number): void {
    const n = row * NUMBERS;
    this.#remove(this.#numbers[n + HASH], this.#numbers[n + CHECK]);
    const qp = this.#numbers[n + QP];
    if (qp >= 0) {
      const slot = slotOf(this.#numbers[n + HOST], qp);
      if (this.#processes[slot] === row + 1) this.#processes[slot] = 0;
    }
    this.#times[row * TIMES + SERIAL] = 0;
    this.#free.push(row);
  }

  #grow(): void {
    const rows = this.#instances.length;
    const numbers = new Int32Array(2 * rows * NUMBERS);
    numbers.set(this.#numbers);
    const times = new Float64Array(2 * rows * TIMES);
    times.set(this.#times);
    const texts = Buffer.alloc(2 * rows * TEXTS);
    texts.set(this.#texts);
    this.#numbers = numbers;
    this.#times = times;
    this.#texts = texts;
    for (let row = 2 * rows - 1; row >= rows; row -= 1) {
      this.#instances[row] = '';
      this.#free.push(row);
    }
    const old = this.#index;
    this.#index = new Int32Array(2 * old.length);
    this.#mask = 2 * (this.#mask + 1) - 1;
    for (let i = 0; i < old.length; i += 4)
      if (old[i + 2] > 0) this.#insert(old[i], old[i + 1], old[i + 2] - 1);
  }

  // ---- the index ----------------------------------------------------------------------------------------------------

  #find(hash: number, check: number): number {
    const index = this.#index;
    const mask = this.#mask;
    for (let i = hash & mask; ; i = (i + 1) & mask) {
      const row = index[4 * i + 2];
      if (row === 0) return -1;
      if (index[4 * i] === hash && index[4 * i + 1] === check) return row - 1;
    }
  }

  #insert(hash: number, check: number, row: number): void {
    const index = this.#index;
    const mask = this.#mask;
    let i = hash & mask;
    while (index[4 * i + 2] !== 0) i = (i + 1) & mask;
    index[4 * i] = hash;
    index[4 * i + 1] = check;
    index[4 * i + 2] = row + 1;
  }

  /** Backward shift, as in table.ts. */
  #remove(hash: number, check: number): void {
    const index = this.#index;
    const mask = this.#mask;
    let free = hash & mask;
    while (index[4 * free] !== hash || index[4 * free + 1] !== check || index[4 * free + 2] === 0)
      free = (free + 1) & mask;
    for (let i = (free + 1) & mask; index[4 * i + 2] !== 0; i = (i + 1) & mask) {
      const home = index[4 * i] & mask;
      if (((i - home) & mask) < ((i - free) & mask)) continue;
      index[4 * free] = index[4 * i];
      index[4 * free + 1] = index[4 * i + 1];
      index[4 * free + 2] = index[4 * i + 2];
      free = i;
    }
    index[4 * free + 2] = 0;
  }
}

/** First in, first out: rows with the serials that they had, since a row may be another life by now. */
class Ring {
  readonly grace: number;
  #entries = new Float64Array(2 * FIRST_ROWS);
  #head = 0;
  #size = 0;

  constructor(grace: number) {
    this.grace = grace;
  }

  /** Of the first entry; -1 when there is none. */
  get row(): number {
    return this.#size === 0 ? -1 : this.#entries[2 * this.#head];
  }

  get serial(): number {
    return this.#entries[2 * this.#head + 1];
  }

  shift(): void {
    this.#head = (this.#head + 1) & (this.#entries.length / 2 - 1);
    this.#size -= 1;
  }

  push(row: number, serial: number): void {
    const capacity = this.#entries.length / 2;
    if (this.#size === capacity) {
      const larger = new Float64Array(4 * capacity);
      larger.set(this.#entries.subarray(2 * this.#head));
      larger.set(this.#entries.subarray(0, 2 * this.#head), 2 * (capacity - this.#head));
      this.#entries = larger;
      this.#head = 0;
    }
    const at = (this.#head + this.#size) & (this.#entries.length / 2 - 1);
    this.#entries[2 * at] = row;
    this.#entries[2 * at + 1] = serial;
    this.#size += 1;
  }
}

/** By its first three bytes, whether an address may be loopback or private; which ones are is the caller's (suspects/inside.ts). */
export function mayBePrivate(first: number, second: number, third: number): boolean {
  if (first !== 0x31) return first === 0x3a || (first | 0x20) === 0x66;
  switch (second) {
    case 0x30: // 10. 100
      return third === 0x2e || third === 0x30;
    case 0x32: // 127
      return third === 0x37;
    case 0x36: // 169
      return third === 0x39;
    case 0x37: // 172
    case 0x39: // 192
      return third === 0x32;
    default:
      return false;
  }
}

function checkIn(record: ParsedRecord): number {
  return checkOf(record.idCheck, record.mta === QMAIL ? MESSAGE_NUMBER : QUEUE_ID);
}

function slotOf(host: number, number: number): number {
  return (number + host * 1031) & (SLOTS - 1);
}
