/**
 * The kernel: takes the usual lines out of a block of log, in one pass, without a call or an object.
 *
 * AssemblyScript, compiled to WebAssembly. A life is a row of numbers here. What became of each recipient is one of them;
 * the words of an attempt that failed, of a DSN or a hand-over stay in their line, which is kept with the row. A chain
 * of rows whose recipients all have their mail is counted here (isPlain); any other is asked for as a whole
 * (PROMOTE_ROW) when its time is over. Every line of another shape is answered as SLOW_LINE and read by the TypeScript
 * path (lines/, parsers/, chains/), which knows all the rules and reads these lines just as well: whatever is taken here
 * must lead to the same report (tested on every story and real log, with the kernel and without).
 *
 * So the rule for all that follows: what is not exactly the usual shape is slow. Named after what they shorten:
 * lines/head-parser.ts, parsers/*.ts, chains/joiner.ts.
 */
import {
  ADVANCE,
  ADVANCE_TO,
  ALL_TAKEN,
  ARRIVED,
  AUTHENTICATED,
  AWAITED,
  BEYOND_LIMIT,
  BOUNCES,
  CHAIN_HEAD,
  CHAIN_NOW,
  CLIENT_AT,
  CLIENT_ROOM,
  CLIENT_SHIFT,
  CLOSED,
  CLOSED_TO,
  D_LENGTH,
  D_NEXT,
  D_NUMBER,
  D_RECIPIENT,
  D_ROOM,
  D_ROW,
  D_STARTED,
  D_TEXT,
  DEFERRED_YET,
  DELIVERED,
  DELIVERIES,
  DELIVERY_SIZE,
  DELIVERY_SLOTS,
  DRAIN,
  ENDED_HEAD,
  ENDED_RING,
  ENDED_SIZE,
  FAILED_NOW,
  FAMILY_BITS,
  FAMILY_OTHER,
  FAMILY_POSTFIX,
  FAMILY_QMAIL,
  FAMILY_SENDMAIL,
  FOREIGN_LINES,
  FORWARDED_ON,
  FORWARDS,
  FREE,
  FREE_ROWS,
  FREE_SLOT_LIST,
  FREE_SLOTS,
  FROM,
  HANDED_OVER,
  HAS_FORWARD,
  HAS_LINKS,
  HAS_NOTICE,
  HEAD_AUTH,
  HEAD_OTHER,
  HOSTS,
  ID_AT,
  ID_ROOM,
  IGNORED_LINES,
  IMPLIED_HEAD,
  IMPLIED_RING,
  IMPLIED_SIZE,
  INDEX,
  INDEX_MASK,
  INDEXED,
  IS_REPORT,
  ISO_INSTANT,
  ISO_KNOWN,
  ISO_MINUTE,
  KNOWN,
  L_BOUNCE,
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
  LAST_LINE,
  LAST_RESULT_HOSTS,
  LAST_RESULT_SIZE,
  LAST_RESULTS,
  LAST_SECOND,
  LIMIT,
  LINE_END,
  LINE_START,
  LINK_ONLY,
  LINKS,
  LINKS_SIZE,
  LOCAL_ORIGIN,
  MINUTE,
  MINUTE_INSTANT,
  MINUTE_KNOWN,
  MOST_INDEX_SLOTS,
  MOST_RECIPIENTS,
  MOST_ROWS,
  MOST_SLOTS,
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
  NAME_ROOM,
  NAME_SIZE,
  NAMED_PARENT,
  NAMES_SLOTS,
  NEXT,
  NEXT_DUE,
  NO_ARRIVALS,
  NO_PICKUPS,
  NOW,
  NULL_PATH,
  NUMBERS,
  NUMBERS_SIZE,
  ORIGIN,
  OUTBOX,
  OUTBOX_FULL,
  OUTBOX_ROOM,
  OUTBOX_USED,
  OVER,
  PATH_AT,
  PATH_ROOM,
  PATH_SHIFT,
  PLACE_SHIFT,
  PLAIN,
  PLAIN_COUNTS,
  PLAIN_ROOM,
  PLAIN_SIZE,
  PRESENCE,
  PRESENCE_BITS,
  PROCESS_SLOTS,
  PROCESSES,
  PROMOTE_ROW,
  QP_JOINS,
  QP_JOINS_HOSTS,
  REACHED,
  RECORDED_LINES,
  REJECTED_FOR_NOW,
  REJECTED_RECIPIENTS,
  RELATED,
  ROW,
  ROW_HEAD,
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
  SEEN,
  SENDS_CHAINS,
  SEQUENCE,
  SERIAL_COUNTER,
  SHADOWED,
  SLOT_ROOM,
  SLOT_SIZE,
  SLOTS,
  SLOTS_USED,
  SLOW_LINE,
  STATE_BITS,
  STATE_SHIFT,
  SUBMISSION_BITS,
  SUBMISSIONS,
  T_FIRST,
  T_KEYS,
  T_LAST,
  T_MESSAGE_KEY,
  T_SERIAL,
  TAG_DISCARD,
  TAG_QMGR,
  TAG_SHIFT,
  TAG_SPEAKS,
  TAGS,
  TAKEN_OVER,
  TELL_AGAIN,
  TELL_AUTHENTICATED,
  TELL_NOTHING,
  TELL_ROW,
  TEXTS,
  TEXTS_SIZE,
  TIMES,
  TIMES_SIZE,
  TO,
  TO_LOCAL,
  TOLD_CLIENTS,
  TOLD_DELIVERED,
  TOLD_EXPANDED,
  TOLD_UIDS,
  UNDER_WAY,
  UNTRIED_YET,
  USER_AT,
  USER_ROOM,
  USER_SHIFT,
  YEARLESS,
  YEARLESS_READ,
  ZONE,
  ZONE_LENGTH,
  ZONE_MS,
} from './layout';

// record.ts
const SENDMAIL: i32 = 0;
const POSTFIX: i32 = 1;
const QMAIL: i32 = 2;
// life.ts
const ENDED_GRACE: f64 = 120_000;
const LINK_ONLY_GRACE: f64 = 120_000;
const IMPLIED_END_GRACE: f64 = 300_000;
const NEVER_QUEUED_GRACE: f64 = 3_600_000;
const OPEN_HORIZON: f64 = 691_200_000;
/** Of the graces above. */
const LEAST_GRACE: f64 = 120_000;
const HOUR: f64 = 3_600_000;
/** Generations of a chain, and children of one row. */
const MOST_RELATED: i32 = 32;
// joiner.ts
const OUT_OF_ORDER: f64 = 10_000;
const COMES_BACK_WITHIN: f64 = 600_000;

// What became of a line.
const TAKEN: i32 = 0;
const SLOW: i32 = 1;
const WAIT: i32 = 2;

/** Rest of the line at hand, as run() found it. */
let host: i32 = 0;
let place: i32 = 0;
let pid: i32 = 0;
let tagFlags: i32 = 0;
let instant: f64 = 0;
let second: i32 = -1;
let idHash: i32 = 0;
let idCheck: i32 = 0;
let idStart: i32 = 0;
let idEnd: i32 = 0;
/** What to answer when a line has to wait. */
let answer: i32 = 0;
/** splogger's own stamp (lines/head.ts), 0 without one. */
let sploggerStamp: f64 = 0;
/** First byte of the MTA's own text. */
let textStart: i32 = 0;

// ---- bytes ------------------------------------------------------------------------------------------------------------

function byte(at: i32): i32 {
  return load<u8>(at);
}

/** Up to eight ASCII bytes as one number, to be compared at once. No newline in them: a match ends within its line. */
function word(text: string): u64 {
  let value: u64 = 0;
  for (let i = 0; i < text.length; i++) value |= (<u64>text.charCodeAt(i)) << ((<u64>i) << 3);
  return value;
}

/** Whether the word of so many bytes stands at `at`. */
function stands(at: i32, text: u64, length: i32): bool {
  const unused = (<u64>(8 - length)) << 3;
  return load<u64>(at) << unused === text << unused;
}

/** First place of the byte in [at, end), or end; 16 at a time. */
function findByte(at: i32, end: i32, wanted: i32): i32 {
  const pattern = i8x16.splat(<i8>wanted);
  while (at < end) {
    const mask = i8x16.bitmask(i8x16.eq(v128.load(at), pattern));
    if (mask !== 0) {
      const found = at + ctz(mask);
      return found < end ? found : end;
    }
    at += 16;
  }
  return end;
}

/** The newline at or behind `at`; there is one. 64 at a time: half the time of findByte on lines of usual length. */
function lineEnd(at: i32): i32 {
  const pattern = i8x16.splat(10);
  while (true) {
    const a = i8x16.eq(v128.load(at), pattern);
    const b = i8x16.eq(v128.load(at, 16), pattern);
    const c = i8x16.eq(v128.load(at, 32), pattern);
    const d = i8x16.eq(v128.load(at, 48), pattern);
    if (v128.any_true(v128.or(v128.or(a, b), v128.or(c, d)))) {
      const low = <u64>(<u32>(i8x16.bitmask(a) | (i8x16.bitmask(b) << 16)));
      const high = <u64>(<u32>(i8x16.bitmask(c) | (i8x16.bitmask(d) << 16)));
      return at + <i32>ctz<u64>(low | (high << 32));
    }
    at += 64;
  }
}

function isDigit(c: i32): bool {
  return <u32>(c - 48) < 10;
}

function isAlnum(c: i32): bool {
  return <u32>(c - 48) < 10 || <u32>((c | 32) - 97) < 26;
}

/** Queue ids of Postfix: 1 upper-case and digits, 2 no vowels (parsers/postfix.ts ID_BYTE). */
const ID_KINDS: StaticArray<u8> = makeKinds();

function makeKinds(): StaticArray<u8> {
  const kinds = new StaticArray<u8>(256);
  for (let c = 0; c < 256; c++) {
    let kind = 0;
    const digit = c >= 48 && c <= 57;
    const upper = c >= 65 && c <= 90;
    const lower = c >= 97 && c <= 122;
    if (digit || upper) kind |= 1;
    const folded = c | 32;
    const vowel = folded === 97 || folded === 101 || folded === 105 || folded === 111 || folded === 117;
    if (digit || ((upper || lower) && !vowel)) kind |= 2;
    kinds[c] = <u8>kind;
  }
  return kinds;
}

/** Up to four bytes as a number; what stands behind the end counts as 0. */
function wordAt(at: i32, end: i32): i32 {
  const value = load<i32>(at);
  const over = at + 4 - end;
  return over <= 0 ? value : value & <i32>(<u32>0xffffffff >>> ((<u32>over) << 3));
}

/** Hash and check of [start, end) (records/text.ts idHash, idCheck), into idHash and idCheck. */
function hashId(start: i32, end: i32): void {
  let h: i32 = 0x811c9dc5 ^ (end - start);
  let c: i32 = 0x2f0b4c47 ^ (end - start);
  for (let i = start; i < end; i += 4) {
    const w = wordAt(i, end);
    h = (h ^ w) * 0x01000193;
    h ^= h >>> 15;
    c = (c ^ w) * 0x5bd1e995;
    c ^= c >>> 13;
  }
  idHash = h;
  idCheck = c;
}

/** As textKey (records/text.ts). Takes the place of idHash and idCheck. */
function textKey(start: i32, end: i32): f64 {
  hashId(start, end);
  return <f64>(<u32>idHash) * 1048576.0 + <f64>(<u32>idCheck >>> 12);
}

/** The decimal number at `at`, -1 without a digit, -2 with more than nine; the byte behind it in numberEnd. */
let numberEnd: i32 = 0;
function decimal(at: i32, end: i32): i32 {
  let value = 0;
  let i = at;
  while (i < end) {
    const d = byte(i) - 48;
    if (<u32>d > 9) break;
    value = value * 10 + d;
    i++;
  }
  numberEnd = i;
  if (i === at) return -1;
  return i - at > 9 ? -2 : value;
}

/** Copies a text, eight bytes at a time: rooms are multiples of eight. A bulk copy is a call out of here, 30 ns. */
function copy(to: i32, start: i32, length: i32): void {
  for (let i = 0; i < length; i += 8) store<u64>(to + i, load<u64>(start + i));
}

// Words that are looked for.
const W_ = word('=<');
const W_CHECK_RC = word('check_rc');
const W_DOTS = word('... ');
const W_REJECT_IS = word(', reject');
const W_RULESET = word('ruleset=');
const W_WARNING = word('warning:');
const W_0_0_0 = word('0+0+0');
const W_1 = word('::1');
const W_127 = word('127.');
const W_AUTHID = word(', authid');
const W_AUTH_SER = word('AUTH=ser');
const W_BODYTY = word(', bodyty');
const W_BYTES = word(': bytes ');
const W_CLASS = word(', class=');
const W_CLIE = word('clie');
const W_CTLADD = word(', ctladd');
const W_DAEMON = word(', daemon');
const W_DELAY = word(', delay=');
const W_DELIVER = word(' deliver');
const W_Y = word('y ');
const W_R_IS = word('r=');
const W_PT = word('pt');
const W_PRI = word(', pri=');
const W_DELIVERE = word('delivere');
const W_DELIVERY = word('delivery');
const W_DID = word('did_');
const W_DOUBLE_B = word('double-b');
const W_DS = word(', ds');
const W_DSN = word('dsn=');
const W_END_MSG = word('end msg ');
const W_ENT = word('ent ');
const W_FORWARDE = word('forwarde');
const W_FROM = word('from');
const W_FROM_X = word(' from <');
const W_ID = word('id=');
const W_INFO_MSG = word('info msg');
const W_IPV6 = word('IPv6');
const W_L = word('l ');
const W_LOCA = word('loca');
const W_MAILER = word(', mailer');
const W_MESSAGE = word('message-');
const W_MSG = word(': msg ');
const W_MSGID = word(', msgid=');
const W_NEW_MSG = word('new msg ');
const W_NONE = word('none');
const W_NOQUEUE = word('NOQUEUE');
const W_NRCPT = word(', nrcpt=');
const W_NRCPTS = word(', nrcpts');
const W_NT = word('nt=');
const W_NTRIES = word(', ntries');
const W_ORIG = word('>, orig_');
const W_OUNC = word('ounc');
const W_PROTO = word(', proto=');
const W_QP = word('> qp ');
const W_QUEUED_A = word('queued a');
const W_RCPT_FR = word(' RCPT fr');
const W_REJECT = word(' reject:');
const W_RELAY = word('>, relay');
const W_RELAY_X = word(', relay=');
const W_REMO = word('remo');
const W_S = word('s ');
const W_SASL_M = word(', sasl_m');
const W_SASL_U = word(', sasl_u');
const W_SERNAME = word('sername=');
const W_SIZE = word('>, size=');
const W_STARTING = word('starting');
const W_STATUS = word('status: ');
const W_STATUS_S = word('status=s');
const W_SUCCES = word(': succes');
const W_S_X = word('s:');
const W_TE = word('te ');
const W_TO = word('to=<');
const W_TO_LOCA = word(' to loca');
const W_TO_REMO = word(' to remo');
const W_TO_X = word('to=');
const W_UID = word(' uid ');
const W_VED = word('ved');
const W_VER = word('ver, ');
const W_VIA = word('via ');
const W_XDELAY = word(', xdelay');
const W_BOUNCE_M = word('bounce m');
const W_SG = word('sg ');
const W_DEFERRA = word(': deferr');
const W_L_X = word('al:');
const W_FAILUR = word(': failur');
const W_E_X = word('e:');
const W_NOT_GOIN = word('not_goin');
const W_0_PLUS = word('0+');
const W_0_QP = word('+0/qp_');
const W_QP_X = word(' qp ');
const W_SIZE_IS = word(', size=');
const W_AT_LOCAL = word('@localho');
const W_ST_X = word('st');
const W_PAREN = word(' (');
const W_MESSAGE_A = word(' Message');
const W_CCEPTED = word(' accepte');
const W_FOR_DELI = word('d for de');
const W_VERY_X = word('livery)');
const W_REPLY_IS = word(', reply=');
const W_STAT_IS = word(', stat=');
const W_SENT = word('Sent');
const W_SERVICE = word('Service ');
const W_UNAVAILA = word('unavaila');
const W_BLE = word('ble');
const W_DEFERRED = word('Deferred');
const W_USER_UNK = word('User unk');
const W_NOWN = word('nown');
const W_HOST_UNK = word('Host unk');
const W_DSN_IS = word('DSN: ');
const W_SENDER_N = word('sender n');
const W_OTIFY = word('otify: ');
const W_RETURN_T = word('return t');
const W_O_SENDER = word('o sender');
const W_COLON = word(': ');
const W_CANNOT_S = word('Cannot s');
const W_TOO_MANY = word('Too many');
const W_SENDER = word('sender ');
const W_UID_IS = word('uid=');
const W_FROM_IS = word(' from=<');
const W_NON_DELI = word('non-deli');
const W_VERY = word('very ');
const W_DELAY_X = word('delay ');
const W_STATUS_X = word(' status ');
const W_NOTIFICA = word('notifica');
const W_TION = word('tion: ');
const W_ORIG_QUE = word(', orig_q');
const W_UE_ID = word('ueue_id=');
const W_ORIG_CLI = word(', orig_c');
const W_ENT_IS = word('lient=');
const W_STATUS_B = word('status=b');
const W_OUNCED = word('ounced (');
const W_STATUS_D = word('status=d');
const W_EFERRED = word('eferred ');
const W_D_AS = word('d as ');
const W_DOUBLE = word('#@[]');
const W_OK_DISC = word('Ok, disc');

// ---- names ------------------------------------------------------------------------------------------------------------

/** Eight bytes at a time. */
function nameHash(start: i32, end: i32): i32 {
  let h: u64 = ((<u64>0x9e3779b9) << 32) | 0x7f4a7c15;
  for (let i = start; i < end; i += 8) {
    const over = i + 8 - end;
    const value = over <= 0 ? load<u64>(i) : load<u64>(i) & (u64.MAX_VALUE >>> ((<u64>over) << 3));
    h = (h ^ value) * (((<u64>0xff51afd7) << 32) | 0xed558ccd);
    h ^= h >>> 32;
  }
  return <i32>h;
}

/** Whether two names are the same; whatever stands behind them may be read, too. */
function sameBytes(a: i32, b: i32, length: i32): bool {
  for (let i = 0; i < length; i += 8) {
    const over = i + 8 - length;
    const different = load<u64>(a + i) ^ load<u64>(b + i);
    if (over <= 0 ? different !== 0 : different << ((<u64>over) << 3) !== 0) return false;
  }
  return true;
}

/** The entry of a name in the table, or 0. */
function findName(table: i32, start: i32, end: i32, hash: i32): i32 {
  const length = end - start;
  let slot = hash & (NAMES_SLOTS - 1);
  for (let n = 0; n < 8; n++) {
    const entry = table + slot * NAME_SIZE;
    const known = load<i32>(entry, 4);
    if (known === 0) return 0;
    if (load<i32>(entry) === hash && known === length && sameBytes(entry + 16, start, length)) return entry;
    slot = (slot + 1) & (NAMES_SLOTS - 1);
  }
  return 0;
}

/** Puts a name into a table; the last of eight places is taken over when all are full. */
function addName(table: i32, start: i32, end: i32, number: i32, meaning: i32): void {
  const length = end - start;
  if (length > NAME_ROOM || length === 0) return;
  const hash = nameHash(start, end);
  let slot = hash & (NAMES_SLOTS - 1);
  for (let n = 0; n < 8; n++) {
    const entry = table + slot * NAME_SIZE;
    if (load<i32>(entry, 4) === 0 || n === 7) {
      store<i32>(entry, hash);
      store<i32>(entry, length, 4);
      store<i32>(entry, number, 8);
      store<i32>(entry, meaning, 12);
      memory.copy(entry + 16, start, length);
      return;
    }
    if (load<i32>(entry) === hash && load<i32>(entry, 4) === length && sameBytes(entry + 16, start, length))
      return;
    slot = (slot + 1) & (NAMES_SLOTS - 1);
  }
}

export function addHost(start: i32, end: i32, number: i32): void {
  // Its place may be another's now.
  lastHostLength = 0;
  addName(HOSTS, start, end, number, 0);
}

/** `meaning` is FAMILY_... with TAG_... */
export function addTag(start: i32, end: i32, instance: i32, meaning: i32): void {
  addName(TAGS, start, end, instance, meaning);
}

// ---- rows -------------------------------------------------------------------------------------------------------------

function findRow(hash: i32, check: i32): i32 {
  const mask = load<i32>(INDEX_MASK);
  let slot = hash & mask;
  let entry = INDEX + (slot << 4);
  while (load<i32>(entry, 8) !== 0) {
    if (load<i32>(entry) === hash && load<i32>(entry, 4) === check) return load<i32>(entry, 8) - 1;
    slot = (slot + 1) & mask;
    entry = INDEX + (slot << 4);
  }
  return -1;
}

function insert(hash: i32, check: i32, row: i32): void {
  const mask = load<i32>(INDEX_MASK);
  let slot = hash & mask;
  while (load<i32>(INDEX + (slot << 4), 8) !== 0) slot = (slot + 1) & mask;
  const entry = INDEX + (slot << 4);
  store<i32>(entry, hash);
  store<i32>(entry, check, 4);
  store<i32>(entry, row + 1, 8);
}

/** Twice as many slots. */
function growIndex(): void {
  const slots = (load<i32>(INDEX_MASK) + 1) << 1;
  store<i32>(INDEX_MASK, slots - 1);
  memory.fill(INDEX, 0, slots << 4);
  const used = load<i32>(ROWS_USED);
  for (let row = 0; row < used; row++) {
    const n = numbersOf(row);
    if (load<f64>(timesOf(row), T_SERIAL) === 0 || (load<i32>(n, N_FLAGS) & SHADOWED) !== 0) continue;
    insert(load<i32>(n, N_HASH), load<i32>(n, N_CHECK), row);
  }
}

/** Backward shift: no tombstones (chains/table.ts). */
function unindex(hash: i32, check: i32): void {
  const mask = load<i32>(INDEX_MASK);
  let free = hash & mask;
  for (;;) {
    const entry = INDEX + (free << 4);
    if (load<i32>(entry, 8) === 0) return;
    if (load<i32>(entry) === hash && load<i32>(entry, 4) === check) break;
    free = (free + 1) & mask;
  }
  store<i32>(INDEXED, load<i32>(INDEXED) - 1);
  for (let i = (free + 1) & mask; ; i = (i + 1) & mask) {
    const entry = INDEX + (i << 4);
    if (load<i32>(entry, 8) === 0) break;
    const home = load<i32>(entry) & mask;
    if (((i - home) & mask) < ((i - free) & mask)) continue;
    v128.store(INDEX + (free << 4), v128.load(entry));
    free = i;
  }
  store<i32>(INDEX + (free << 4), 0, 8);
}

/** The row with the queue id at [start, end), which is not the line's own; idHash and idCheck stay. */
function rowNamed(start: i32, end: i32): i32 {
  const hash = idHash;
  const check = idCheck;
  hashId(start, end);
  const row = findRow(idHash, idCheck);
  idHash = hash;
  idCheck = check;
  return row;
}

export function rowOf(hash: i32, check: i32): i32 {
  return findRow(hash, check);
}

function isPresent(hash: i32, check: i32): bool {
  const slot = <u32>(hash ^ (check * 0x9e3779b1)) >>> (32 - PRESENCE_BITS);
  return load<u8>(PRESENCE + slot) !== 0;
}

function numbersOf(row: i32): i32 {
  return NUMBERS + row * NUMBERS_SIZE;
}

function timesOf(row: i32): i32 {
  return TIMES + row * TIMES_SIZE;
}

/** A new life under the id at hand; -1 where the id is known already or there is no room. */
function begin(mta: i32, check: i32, flags: i32): i32 {
  if (load<i32>(NO_ARRIVALS) !== 0) return -1;
  const hash = idHash;
  const known = findRow(hash, check);
  if (known >= 0) {
    // qmail's message numbers come back at once: what has ended keeps its row, not its id.
    const k = numbersOf(known);
    if (mta !== QMAIL || load<i32>(k, N_PLACE) !== place) return -1;
    const state = load<i32>(k, N_FLAGS);
    if ((state & (OVER | UNDER_WAY)) !== OVER) return -1;
    unindex(hash, check);
    store<i32>(k, state | SHADOWED, N_FLAGS);
  }
  if (isPresent(hash, check)) return -1;
  const length = idEnd - idStart;
  if (length > ID_ROOM) return -1;
  if (load<i32>(ROWS_USED) - load<i32>(FREE_ROWS) >= load<i32>(ROW_LIMIT)) return -1;
  const row = newRow();
  const n = numbersOf(row);
  store<i32>(n, hash, N_HASH);
  store<i32>(n, check, N_CHECK);
  store<i32>(n, place, N_PLACE);
  store<i32>(n, mta | flags, N_FLAGS);
  store<i32>(n, pid, N_PID);
  store<i32>(n, -1, N_UID);
  store<i32>(n, -1, N_SIZE);
  store<i32>(n, -1, N_ENVELOPE_RECIPIENTS);
  store<i32>(n, -1, N_QP);
  store<i32>(n, 0, N_DELIVERY);
  store<i32>(n, 0, N_RECIPIENTS);
  copy(TEXTS + row * TEXTS_SIZE + ID_AT, idStart, length);
  store<i32>(n, length, N_LENGTHS);
  const t = timesOf(row);
  const serial = load<f64>(SERIAL_COUNTER) + 1;
  store<f64>(SERIAL_COUNTER, serial);
  store<f64>(t, instant, T_FIRST);
  store<f64>(t, instant, T_LAST);
  store<f64>(t, serial, T_SERIAL);
  store<f64>(t, 0, T_MESSAGE_KEY);
  addToIndex(hash, check, row);
  return row;
}

/** A free row; there is one. */
function newRow(): i32 {
  const free = load<i32>(FREE_ROWS);
  if (free > 0) {
    store<i32>(FREE_ROWS, free - 1);
    return load<i32>(FREE + ((free - 1) << 2));
  }
  const row = load<i32>(ROWS_USED);
  store<i32>(ROWS_USED, row + 1);
  return row;
}

function addToIndex(hash: i32, check: i32, row: i32): void {
  // The new row is not free any more, so growing takes it along.
  const indexed = load<i32>(INDEXED) + 1;
  store<i32>(INDEXED, indexed);
  const mask = load<i32>(INDEX_MASK);
  if (indexed << 1 > mask && mask < MOST_INDEX_SLOTS - 1) growIndex();
  else insert(hash, check, row);
}

/** As graceOf (life.ts) for the few states that there are here. */
function graceOf(flags: i32): f64 {
  const mta = flags & MTA_BITS;
  if ((flags & OVER) !== 0) return mta === SENDMAIL ? IMPLIED_END_GRACE : ENDED_GRACE;
  if ((flags & LINK_ONLY) !== 0) return LINK_ONLY_GRACE;
  if ((flags & IS_REPORT) !== 0) return OPEN_HORIZON;
  if (mta === SENDMAIL && (flags & ARRIVED) === 0) return NEVER_QUEUED_GRACE;
  if (mta === SENDMAIL && (flags & TAKEN_OVER) === 0) return ENDED_GRACE;
  return (flags & TAKEN_OVER) !== 0 || mta !== POSTFIX ? OPEN_HORIZON : NEVER_QUEUED_GRACE;
}

/** The row that the line at hand belongs to, or -1. */
function claim(check: i32): i32 {
  const row = findRow(idHash, check);
  if (row < 0) return -1;
  const n = numbersOf(row);
  if (load<i32>(n, N_PLACE) !== place || (load<i32>(n, N_FLAGS) & LINK_ONLY) !== 0) return -1;
  return isClaimable(row) ? row : -1;
}

/** As claimable (life.ts) at the instant of the line at hand. */
function isClaimable(row: i32): bool {
  const flags = load<i32>(numbersOf(row), N_FLAGS);
  const silence = instant - load<f64>(timesOf(row), T_LAST);
  return (flags & CLOSED) === 0 && (silence <= LEAST_GRACE || !(silence > graceOf(flags)));
}

function touch(row: i32): void {
  const t = timesOf(row);
  if (instant > load<f64>(t, T_LAST)) store<f64>(t, instant, T_LAST);
  if (instant < load<f64>(t, T_FIRST)) store<f64>(t, instant, T_FIRST);
}

/** Number of the recipient with this key, a new one with no attempts if need be; -1 when there is no room. */
function recipient(row: i32, key: f64): i32 {
  const n = numbersOf(row);
  const keys = timesOf(row) + T_KEYS;
  const count = load<i32>(n, N_RECIPIENTS);
  for (let i = 0; i < count; i++) if (load<f64>(keys + (i << 3)) === key) return i;
  if (count === MOST_RECIPIENTS) return -1;
  store<f64>(keys + (count << 3), key);
  store<i32>(n + (count << 2), 0, N_ATTEMPTS);
  store<i32>(n, count + 1, N_RECIPIENTS);
  return count;
}

function stateOf(row: i32, number: i32): i32 {
  return (load<i32>(numbersOf(row) + (number << 2), N_ATTEMPTS) >>> STATE_SHIFT) & STATE_BITS;
}

/** One more attempt, which ended so. */
function attempted(row: i32, number: i32, state: i32): void {
  const attempts = numbersOf(row) + N_ATTEMPTS + (number << 2);
  store<i32>(attempts, ((load<i32>(attempts) & ~(STATE_BITS << STATE_SHIFT)) | (state << STATE_SHIFT)) + 1);
  touch(row);
}

/** An attempt without texts: false where the recipient is done already, in another way. */
function delivered(row: i32, number: i32): bool {
  const state = stateOf(row, number);
  if (state > DEFERRED_YET) return false;
  attempted(row, number, DELIVERED);
  return true;
}

/** The row's place for what few rows have. */
function linksOf(row: i32): i32 {
  const l = LINKS + row * LINKS_SIZE;
  const n = numbersOf(row);
  const flags = load<i32>(n, N_FLAGS);
  if ((flags & HAS_LINKS) === 0) {
    store<i32>(n, flags | HAS_LINKS, N_FLAGS);
    memory.fill(l, 0, LINKS_SIZE);
  }
  return l;
}

function slotAt(slot: i32): i32 {
  return SLOTS + (slot - 1) * SLOT_SIZE;
}

function nextSequence(): i32 {
  const sequence = load<i32>(SEQUENCE) + 1;
  store<i32>(SEQUENCE, sequence);
  return sequence;
}

/** A free slot + 1, 0 where there is none. */
function newSlot(): i32 {
  const free = load<i32>(FREE_SLOTS);
  let slot = load<i32>(SLOTS_USED) + 1;
  if (free > 0) {
    slot = load<i32>(FREE_SLOT_LIST + ((free - 1) << 2));
    store<i32>(FREE_SLOTS, free - 1);
  } else if (slot > MOST_SLOTS) return 0;
  else store<i32>(SLOTS_USED, slot);
  store<i32>(slotAt(slot), 0, S_NEXT);
  return slot;
}

/** Keeps the line at hand, in this slot or (0) in a new one; the slot + 1, 0 where it is too long or there is no room. */
function keepLine(slot: i32, end: i32): i32 {
  const length = end - textStart;
  if (length > SLOT_ROOM) return 0;
  if (slot === 0) slot = newSlot();
  if (slot === 0) return 0;
  const s = slotAt(slot);
  store<i32>(s, length, S_LENGTH);
  store<i32>(s, tagFlags >>> TAG_SHIFT, S_TAG);
  store<i32>(s, host, S_HOST);
  store<i32>(s, nextSequence(), S_SEQUENCE);
  store<i32>(s, 0, S_ADDRESS);
  store<f64>(s, instant, S_INSTANT);
  copy(s + S_TEXT, textStart, length);
  return slot;
}

/** An attempt whose line is kept; false where the recipient is done already or there is no room. */
function attemptKept(row: i32, number: i32, state: i32, end: i32): bool {
  const before = stateOf(row, number);
  if (before !== UNTRIED_YET && before !== DEFERRED_YET) return false;
  const kept = linksOf(row) + L_KEPT + (number << 2);
  const slot = keepLine(load<i32>(kept), end);
  if (slot === 0) return false;
  store<i32>(kept, slot);
  attempted(row, number, state);
  return true;
}

function parentOf(row: i32): i32 {
  if ((load<i32>(numbersOf(row), N_FLAGS) & RELATED) === 0) return -1;
  return load<i32>(LINKS + row * LINKS_SIZE, L_PARENT) - 1;
}

function rootOf(row: i32): i32 {
  for (let parent = parentOf(row); parent >= 0; parent = parentOf(row)) row = parent;
  return row;
}

function firstChild(row: i32): i32 {
  if ((load<i32>(numbersOf(row), N_FLAGS) & RELATED) === 0) return -1;
  return load<i32>(LINKS + row * LINKS_SIZE, L_CHILD) - 1;
}

function nextSibling(row: i32): i32 {
  return load<i32>(LINKS + row * LINKS_SIZE, L_SIBLING) - 1;
}

/** Whether `child` may get this parent by the line at hand: as #linked (joiner.ts) would choose it. */
function mayRelate(parent: i32, child: i32): bool {
  const p = numbersOf(parent);
  const c = numbersOf(child);
  if (((load<i32>(p, N_PLACE) ^ load<i32>(c, N_PLACE)) & 0xffff) !== 0) return false;
  return parentOf(child) < 0 && rootOf(parent) !== child && isClaimable(child) && hasRoom(parent);
}

/** A mail that loops, or a list of thousands, is the joiner's: what walks along chains here stays short. */
function hasRoom(parent: i32): bool {
  let steps = 0;
  for (let up = parent; up >= 0 && steps <= MOST_RELATED; up = parentOf(up)) steps++;
  if (steps > MOST_RELATED) return false;
  for (let child = firstChild(parent); child >= 0 && steps <= 2 * MOST_RELATED; child = nextSibling(child))
    steps++;
  return steps <= 2 * MOST_RELATED;
}

/** As joiner.ts; `from` is touched by the line at hand only afterwards, so its last instant may be that line's. */
function mayBeHandedOver(from: i32, child: i32): bool {
  if (!mayRelate(from, child)) return false;
  const t = timesOf(from);
  const began = load<f64>(timesOf(child), T_FIRST);
  return (
    began >= load<f64>(t, T_FIRST) - OUT_OF_ORDER &&
    began <= max(load<f64>(t, T_LAST), instant) + OUT_OF_ORDER
  );
}

/** Makes `child` the last child of `parent`. */
function relate(parent: i32, child: i32, flags: i32): void {
  const root = rootOf(parent);
  const l = linksOf(child);
  linksOf(parent);
  begins(parent);
  begins(child);
  const c = numbersOf(child);
  store<i32>(c, load<i32>(c, N_FLAGS) | flags, N_FLAGS);
  store<i32>(l, nextSequence(), L_SINCE);
  const pending = LINKS + root * LINKS_SIZE + L_PENDING;
  store<i32>(pending, load<i32>(pending) + load<i32>(l, L_PENDING));
  addChild(parent, child);
}

/** Both have links. */
function addChild(parent: i32, child: i32): void {
  store<i32>(LINKS + child * LINKS_SIZE, parent + 1, L_PARENT);
  let last = firstChild(parent);
  if (last < 0) {
    store<i32>(LINKS + parent * LINKS_SIZE, child + 1, L_CHILD);
    return;
  }
  for (let next = nextSibling(last); next >= 0; next = nextSibling(last)) last = next;
  store<i32>(LINKS + last * LINKS_SIZE, child + 1, L_SIBLING);
}

/** It is a chain of its own until now. */
function begins(row: i32): void {
  const n = numbersOf(row);
  const flags = load<i32>(n, N_FLAGS);
  if ((flags & RELATED) !== 0) return;
  store<i32>(n, flags | RELATED, N_FLAGS);
  store<i32>(LINKS + row * LINKS_SIZE, 1, L_PENDING);
}

/** Keeps the reverse-path at [start, end), which has been found short enough. */
function keepPath(row: i32, start: i32, end: i32): void {
  copy(TEXTS + row * TEXTS_SIZE + PATH_AT, start, end - start);
  const n = numbersOf(row);
  store<i32>(n, load<i32>(n, N_LENGTHS) | ((end - start) << PATH_SHIFT), N_LENGTHS);
}

/** Somebody's address, short enough to keep. */
function isOrdinaryPath(start: i32, end: i32): bool {
  const length = end - start;
  if (length < 3 || length > PATH_ROOM || byte(start) === 0x23) return false;
  // double-bounce@
  return !(length >= 14 && stands(start, W_DOUBLE_B, 8) && stands(start + 8, W_OUNC, 4));
}

function push(ring: i32, headAt: i32, sizeAt: i32, row: i32): void {
  const size = load<i32>(sizeAt);
  // A row waits once, so the ring has room for all; stale entries of promoted rows may fill it: they are dropped.
  const at = (load<i32>(headAt) + size) & (MOST_ROWS - 1);
  const entry = ring + (at << 4);
  store<i32>(entry, row);
  store<f64>(entry, load<f64>(timesOf(row), T_SERIAL), 8);
  store<i32>(sizeAt, size + 1);
}

/** Frees a row; its life has been counted or promoted. */
export function release(row: i32): void {
  const n = numbersOf(row);
  const flags = load<i32>(n, N_FLAGS);
  if ((flags & SHADOWED) === 0) unindex(load<i32>(n, N_HASH), load<i32>(n, N_CHECK));
  const rowHost = load<i32>(n, N_PLACE) & 0xffff;
  const qp = load<i32>(n, N_QP);
  if (qp >= 0) {
    const slot = PROCESSES + (processSlot(rowHost, qp) << 2);
    if (load<i32>(slot) === row + 1) store<i32>(slot, 0);
  }
  for (let slot = load<i32>(n, N_DELIVERY); slot !== 0; slot = load<i32>(deliveryAt(slot), D_NEXT))
    store<i32>(deliveryAt(slot), 0, D_ROW);
  if ((flags & HAS_LINKS) !== 0) {
    const l = LINKS + row * LINKS_SIZE;
    for (let i = 0; i < MOST_RECIPIENTS; i++) freeSlot(load<i32>(l + (i << 2), L_KEPT));
    if ((flags & (MTA_BITS | HAS_NOTICE)) === (QMAIL | HAS_NOTICE) && load<i32>(l, L_BOUNCE) >= 0) {
      const slot = BOUNCES + (processSlot(rowHost, load<i32>(l, L_BOUNCE)) << 2);
      if (load<i32>(slot) === row + 1) store<i32>(slot, 0);
    }
    if ((flags & HAS_FORWARD) !== 0 && load<i32>(l, L_FORWARD) >= 0) {
      const slot = FORWARDS + (processSlot(rowHost, load<i32>(l, L_FORWARD)) << 2);
      if (load<i32>(slot) === row + 1) store<i32>(slot, 0);
    }
    for (let slot = load<i32>(l, L_NOTICES); slot !== 0; ) {
      const next = load<i32>(slotAt(slot), S_NEXT);
      freeSlot(slot);
      slot = next;
    }
  }
  store<f64>(timesOf(row), 0, T_SERIAL);
  const free = load<i32>(FREE_ROWS);
  store<i32>(FREE + (free << 2), row);
  store<i32>(FREE_ROWS, free + 1);
}

/** Its text stays where it is until another line is kept. */
function freeSlot(slot: i32): void {
  if (slot === 0) return;
  const free = load<i32>(FREE_SLOTS);
  store<i32>(FREE_SLOT_LIST + (free << 2), slot);
  store<i32>(FREE_SLOTS, free + 1);
}

/** Frees the rows of a whole chain. */
export function releaseChain(row: i32): void {
  for (let child = firstChild(row); child >= 0; ) {
    const next = nextSibling(child);
    releaseChain(child);
    child = next;
  }
  release(row);
}

// ---- chains that leave ------------------------------------------------------------------------------------------------

/** Where the next row goes, and how many of the chain are there. */
let outboxAt: i32 = 0;
let outboxRows: i32 = 0;

/** Whether nothing but the chain itself knows of these rows: who makes lives of them needs nothing else either. */
function isOnItsOwn(row: i32): bool {
  const n = numbersOf(row);
  const flags = load<i32>(n, N_FLAGS);
  if (load<i32>(n, N_DELIVERY) !== 0 || (flags & (MTA_BITS | LOCAL_ORIGIN)) === (POSTFIX | LOCAL_ORIGIN))
    return false;
  const l = LINKS + row * LINKS_SIZE;
  if ((flags & HAS_FORWARD) !== 0 && load<i32>(l, L_FORWARD) >= 0) return false;
  if ((flags & (MTA_BITS | HAS_NOTICE)) === (QMAIL | HAS_NOTICE) && load<i32>(l, L_BOUNCE) >= 0) return false;
  for (let child = firstChild(row); child >= 0; child = nextSibling(child))
    if (!isOnItsOwn(child)) return false;
  return true;
}

/** Puts a chain into the outbox and frees its rows; false where there is no room. */
function send(root: i32): bool {
  const start = OUTBOX + load<i32>(OUTBOX_USED);
  outboxAt = start + CHAIN_HEAD;
  outboxRows = 0;
  if (!sendRow(root, -1)) return false;
  store<i32>(start, outboxAt - start);
  store<f64>(start, load<f64>(NOW), CHAIN_NOW);
  store<i32>(OUTBOX_USED, outboxAt - OUTBOX);
  releaseChain(root);
  return true;
}

function sendRow(row: i32, parent: i32): bool {
  const head = outboxAt;
  if (head + ROW_HEAD + ROW_SIZE > OUTBOX + OUTBOX_ROOM) return false;
  const own = outboxRows++;
  outboxAt += ROW_HEAD + ROW_SIZE;
  copyRow(row, head + ROW_HEAD);
  store<i32>(head, parent);
  let notices = 0;
  if ((load<i32>(numbersOf(row), N_FLAGS) & HAS_LINKS) !== 0) {
    const l = LINKS + row * LINKS_SIZE;
    for (let i = 0; i < MOST_RECIPIENTS; i++) {
      const slot = load<i32>(l + (i << 2), L_KEPT);
      if (slot !== 0 && !sendSlot(slot)) return false;
    }
    for (let slot = load<i32>(l, L_NOTICES); slot !== 0; slot = load<i32>(slotAt(slot), S_NEXT)) {
      if (!sendSlot(slot)) return false;
      notices++;
    }
  }
  store<i32>(head, notices, 4);
  for (let child = firstChild(row); child >= 0; child = nextSibling(child))
    if (!sendRow(child, own)) return false;
  return true;
}

const ROW_SIZE: i32 = NUMBERS_SIZE + TIMES_SIZE + TEXTS_SIZE + LINKS_SIZE;

/** The four parts of a row, one behind the other. */
function copyRow(row: i32, to: i32): void {
  memory.copy(to, numbersOf(row), NUMBERS_SIZE);
  to += NUMBERS_SIZE;
  memory.copy(to, timesOf(row), TIMES_SIZE);
  to += TIMES_SIZE;
  memory.copy(to, TEXTS + row * TEXTS_SIZE, TEXTS_SIZE);
  memory.copy(to + TEXTS_SIZE, LINKS + row * LINKS_SIZE, LINKS_SIZE);
}

/** What of a slot is in use, in whole words. */
function slotLength(s: i32): i32 {
  return (S_TEXT + load<i32>(s, S_LENGTH) + load<i32>(s, S_ADDRESS) + 7) & ~7;
}

function sendSlot(slot: i32): bool {
  const s = slotAt(slot);
  const length = slotLength(s);
  if (outboxAt + length > OUTBOX + OUTBOX_ROOM) return false;
  memory.copy(outboxAt, s, length);
  outboxAt += length;
  return true;
}

/** Takes a chain in that another kernel has sent; its root's row. There is room: one chain is here at a time. */
export function receive(at: i32): i32 {
  const end = at + load<i32>(at);
  // Nothing is sent from here: the outbox has room for the numbers of the rows.
  let rows = OUTBOX;
  at += CHAIN_HEAD;
  while (at < end) {
    const row = newRow();
    store<i32>(rows, row);
    rows += 4;
    const parent = load<i32>(at);
    const notices = load<i32>(at, 4);
    at = receiveRow(row, at + ROW_HEAD);
    if ((load<i32>(numbersOf(row), N_FLAGS) & HAS_LINKS) !== 0) at = receiveSlots(row, notices, at);
    if (parent >= 0) addChild(load<i32>(OUTBOX + (parent << 2)), row);
  }
  return load<i32>(OUTBOX);
}

function receiveRow(row: i32, at: i32): i32 {
  const n = numbersOf(row);
  memory.copy(n, at, NUMBERS_SIZE);
  at += NUMBERS_SIZE;
  memory.copy(timesOf(row), at, TIMES_SIZE);
  at += TIMES_SIZE;
  memory.copy(TEXTS + row * TEXTS_SIZE, at, TEXTS_SIZE);
  at += TEXTS_SIZE;
  const l = LINKS + row * LINKS_SIZE;
  memory.copy(l, at, LINKS_SIZE);
  store<i32>(l, 0, L_PARENT);
  store<i32>(l, 0, L_CHILD);
  store<i32>(l, 0, L_SIBLING);
  if ((load<i32>(n, N_FLAGS) & SHADOWED) === 0) addToIndex(load<i32>(n, N_HASH), load<i32>(n, N_CHECK), row);
  return at + LINKS_SIZE;
}

function receiveSlots(row: i32, notices: i32, at: i32): i32 {
  const l = LINKS + row * LINKS_SIZE;
  let link = l + L_KEPT;
  for (; link < l + L_NOTICES; link += 4) if (load<i32>(link) !== 0) at = receiveSlot(link, at);
  for (link = l + L_NOTICES; notices > 0; notices--) {
    at = receiveSlot(link, at);
    link = slotAt(load<i32>(link)) + S_NEXT;
  }
  store<i32>(link, 0);
  return at;
}

function receiveSlot(link: i32, at: i32): i32 {
  const slot = newSlot();
  const length = slotLength(at);
  memory.copy(slotAt(slot), at, length);
  store<i32>(slotAt(slot), 0, S_NEXT);
  store<i32>(link, slot);
  return at + length;
}

// ---- processes and deliveries -----------------------------------------------------------------------------------------

/** Slots are counted from 1. */
function deliverySlot(rowHost: i32, delivery: i32): i32 {
  return ((delivery + rowHost * 1031) & (DELIVERY_SLOTS - 1)) + 1;
}

function deliveryAt(slot: i32): i32 {
  return DELIVERIES + (slot - 1) * DELIVERY_SIZE;
}

function processSlot(rowHost: i32, qp: i32): i32 {
  return (qp + rowHost * 1031) & (PROCESS_SLOTS - 1);
}

/** qmail: the row of a process or of a delivery under way, or -1. */
export function rowOfProcess(rowHost: i32, qp: i32): i32 {
  const row = load<i32>(PROCESSES + (processSlot(rowHost, qp) << 2)) - 1;
  if (row < 0) return -1;
  const n = numbersOf(row);
  return load<i32>(n, N_QP) === qp && (load<i32>(n, N_PLACE) & 0xffff) === rowHost ? row : -1;
}

export function rowOfDelivery(rowHost: i32, delivery: i32): i32 {
  const d = deliveryAt(deliverySlot(rowHost, delivery));
  const row = load<i32>(d, D_ROW) - 1;
  if (row < 0 || load<i32>(d, D_NUMBER) !== delivery) return -1;
  return (load<i32>(numbersOf(row), N_PLACE) & 0xffff) === rowHost ? row : -1;
}

/**
 * The first row from `row` on that is in use and, with `silent`, has fallen silent with nobody to notice; -1 when there
 * is none. What is closed waits for others of its chain.
 */
export function nextRow(row: i32, silent: bool): i32 {
  const used = load<i32>(ROWS_USED);
  const now = load<f64>(NOW);
  for (; row < used; row++) {
    const t = timesOf(row);
    if (load<f64>(t, T_SERIAL) === 0) continue;
    if (!silent) return row;
    const flags = load<i32>(numbersOf(row), N_FLAGS);
    if ((flags & CLOSED) === 0 && load<f64>(t, T_LAST) + graceOf(flags) < now) return row;
  }
  return -1;
}

// ---- time -------------------------------------------------------------------------------------------------------------

/** Counts a plain message; false when the table is full. */
function countPlain(mta: i32, first: f64): bool {
  const hour = Math.floor(first / HOUR);
  const counts = load<i32>(PLAIN_COUNTS);
  for (let i = counts - 1; i >= 0; i--) {
    const entry = PLAIN + i * PLAIN_SIZE;
    if (load<f64>(entry) !== hour || load<i32>(entry, 8) !== mta) continue;
    store<f64>(entry, load<f64>(entry, 16) + 1, 16);
    store<f64>(entry, load<f64>(entry, 24) + <f64>toldDelivered, 24);
    store<f64>(entry, load<f64>(entry, 32) + <f64>toldExpanded, 32);
    return true;
  }
  if (counts === PLAIN_ROOM) return false;
  const entry = PLAIN + counts * PLAIN_SIZE;
  store<f64>(entry, hour);
  store<i32>(entry, mta, 8);
  store<f64>(entry, 1, 16);
  store<f64>(entry, <f64>toldDelivered, 24);
  store<f64>(entry, <f64>toldExpanded, 32);
  store<i32>(PLAIN_COUNTS, counts + 1);
  return true;
}

/** Whether its submission is told. The look at the client's first bytes leaves most strangers out. */
function isOurs(n: i32, texts: i32): bool {
  const lengths = load<i32>(n, N_LENGTHS);
  if (((lengths >>> USER_SHIFT) & 255) !== 0 || (load<i32>(n, N_FLAGS) & LOCAL_ORIGIN) !== 0) return true;
  if (((lengths >>> CLIENT_SHIFT) & 255) === 0) {
    const uid = load<i32>(n, N_UID);
    const uids = load<i32>(TOLD_UIDS);
    for (let i = 1; i <= uids; i++) if (load<i32>(TOLD_UIDS + (i << 2)) === uid) return true;
    return false;
  }
  if (load<i32>(TOLD_CLIENTS) !== 0) return true;
  // May it be loopback or private? Which ones are is the caller's (suspects/inside.ts).
  const first = byte(texts + CLIENT_AT);
  if (first !== 0x31) return first === 0x3a || (first | 0x20) === 0x66;
  const third = byte(texts + CLIENT_AT + 2);
  switch (byte(texts + CLIENT_AT + 1)) {
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

/** Recipients of the chain that isPlain has looked at. */
let toldDelivered: i32 = 0;
let toldExpanded: i32 = 0;

/**
 * Whether the message of these rows, the root's and those it went on as, is plain: everybody has it, and there is
 * nothing to be told but how many (summary.ts). Adds them to toldDelivered and toldExpanded as recipientsOf (view.ts).
 */
function isPlain(row: i32): bool {
  const n = numbersOf(row);
  const flags = load<i32>(n, N_FLAGS);
  if ((flags & (TAKEN_OVER | UNDER_WAY | NULL_PATH | HAS_NOTICE | IS_REPORT)) !== TAKEN_OVER) return false;
  if (load<f64>(timesOf(row), T_FIRST) <= load<f64>(SEAM)) return false;
  const recipients = load<i32>(n, N_RECIPIENTS);
  if (recipients === 0) return false;
  const child = firstChild(row);
  for (let i = 0; i < recipients; i++) {
    const state = stateOf(row, i);
    if (state === FORWARDED_ON) toldExpanded++;
    else if (state === DELIVERED) {
      // Through a filter and back: the later row has the same recipient.
      if (child < 0 || !hasLater(child, load<f64>(timesOf(row) + (i << 3), T_KEYS))) toldDelivered++;
    } else if (state !== HANDED_OVER) return false;
  }
  for (let next = child; next >= 0; next = nextSibling(next)) if (!isPlain(next)) return false;
  return true;
}

/** Whether one of these siblings, or what they went on as, has a recipient with this key. */
function hasLater(row: i32, key: f64): bool {
  for (; row >= 0; row = nextSibling(row)) {
    const keys = timesOf(row) + T_KEYS;
    const count = load<i32>(numbersOf(row), N_RECIPIENTS);
    for (let i = 0; i < count; i++) if (load<f64>(keys + (i << 3)) === key) return true;
    if (hasLater(firstChild(row), key)) return true;
  }
  return false;
}

/** This row's time is over; the root of its chain when that goes for all of it, -1 otherwise. */
function close(row: i32): i32 {
  const n = numbersOf(row);
  const flags = load<i32>(n, N_FLAGS);
  store<i32>(n, flags | CLOSED, N_FLAGS);
  if ((flags & RELATED) === 0) return row;
  const root = rootOf(row);
  const pending = LINKS + root * LINKS_SIZE + L_PENDING;
  // Once: who calls may have to come again.
  if ((flags & CLOSED) === 0) store<i32>(pending, load<i32>(pending) - 1);
  return load<i32>(pending) > 0 ? -1 : root;
}

let submissionHash: i32 = 0;
let submissionCheck: i32 = 0;

/** Where SUBMISSIONS may know who handed the row's message in: its user, or else its client, and its reverse-path. */
function submissionSlot(row: i32): i32 {
  const texts = TEXTS + row * TEXTS_SIZE;
  const lengths = load<i32>(numbersOf(row), N_LENGTHS);
  const user = (lengths >>> USER_SHIFT) & 255;
  const from = texts + (user > 0 ? USER_AT : CLIENT_AT);
  hashId(from, from + (user > 0 ? user : (lengths >>> CLIENT_SHIFT) & 255));
  const hash = idHash + (user > 0 ? 1 : 0);
  const check = idCheck;
  hashId(texts + PATH_AT, texts + PATH_AT + (lengths >>> PATH_SHIFT));
  // Often the two are the same: what makes the one of the other must not cancel out.
  submissionHash = (hash * 0x01000193 + idHash) * 0x9e3779b1;
  submissionCheck = check * 31 + idCheck;
  return SUBMISSIONS + ((<i32>(<u32>submissionHash >>> (32 - SUBMISSION_BITS))) << 4);
}

/** What is to be told of it, as far as the last one like it says. */
function submissionOf(row: i32): i32 {
  if ((load<i32>(numbersOf(row), N_FLAGS) & (LOCAL_ORIGIN | MTA_BITS)) >= LOCAL_ORIGIN) return TELL_AGAIN;
  if ((load<i32>(numbersOf(row), N_LENGTHS) & 0xffff00) === 0) return TELL_AGAIN;
  const hash = idHash;
  const check = idCheck;
  const slot = submissionSlot(row);
  idHash = hash;
  idCheck = check;
  return load<i32>(slot) === submissionHash && load<i32>(slot, 4) === submissionCheck
    ? load<i32>(slot, 8)
    : TELL_AGAIN;
}

/** From here on, this (TELL_...) is to be told of submissions like the row's. */
export function tellAgain(row: i32, what: i32): void {
  const slot = submissionSlot(row);
  store<i32>(slot, submissionHash);
  store<i32>(slot, submissionCheck, 4);
  store<i32>(slot, what, 8);
}

function closeRing(ring: i32, headAt: i32, sizeAt: i32, grace: f64, now: f64): i32 {
  while (load<i32>(sizeAt) > 0) {
    const entry = ring + (load<i32>(headAt) << 4);
    const row = load<i32>(entry);
    const t = timesOf(row);
    if (load<f64>(t, T_SERIAL) === load<f64>(entry, 8)) {
      if (load<f64>(t, T_LAST) + grace >= now) return ALL_TAKEN;
      // What was known from a link only may have spoken since, and goes on.
      const goesOn = load<f64>(t, T_LAST) + graceOf(load<i32>(numbersOf(row), N_FLAGS)) >= now;
      const root = goesOn ? -1 : close(row);
      if (root >= 0) {
        const n = numbersOf(root);
        const flags = load<i32>(n, N_FLAGS);
        const first = load<f64>(timesOf(root), T_FIRST);
        toldDelivered = 0;
        toldExpanded = 0;
        // Refused: nobody's message.
        const nothing = (flags & (MTA_BITS | ARRIVED | TAKEN_OVER)) === (SENDMAIL | ARRIVED);
        if (nothing && first > load<f64>(SEAM)) release(root);
        else if ((flags & ARRIVED) === 0 || !isPlain(root)) {
          const leaves = load<i32>(SENDS_CHAINS) !== 0 && isOnItsOwn(root);
          if (!leaves || !send(root)) {
            store<i32>(ROW, root);
            return leaves && load<i32>(OUTBOX_USED) > 0 ? OUTBOX_FULL : PROMOTE_ROW;
          }
        } else {
          const known = isOurs(n, TEXTS + root * TEXTS_SIZE) ? submissionOf(root) : TELL_NOTHING;
          if (known === TELL_AGAIN) {
            store<i32>(ROW, root);
            store<i32>(TOLD_DELIVERED, toldDelivered);
            store<i32>(TOLD_EXPANDED, toldExpanded);
            return TELL_ROW;
          }
          if (!countPlain(flags & MTA_BITS, first)) return DRAIN;
          if (known === TELL_AUTHENTICATED) store<i32>(AUTHENTICATED, load<i32>(AUTHENTICATED) + 1);
          releaseChain(root);
        }
      }
    }
    store<i32>(headAt, (load<i32>(headAt) + 1) & (MOST_ROWS - 1));
    store<i32>(sizeAt, load<i32>(sizeAt) - 1);
  }
  return ALL_TAKEN;
}

/** Counts the lives whose time is over. */
export function closeDue(): i32 {
  const now = load<f64>(NOW);
  if (load<f64>(CLOSED_TO) >= now) return ALL_TAKEN;
  let result = closeRing(ENDED_RING, ENDED_HEAD, ENDED_SIZE, ENDED_GRACE, now);
  if (result !== ALL_TAKEN) return result;
  result = closeRing(IMPLIED_RING, IMPLIED_HEAD, IMPLIED_SIZE, IMPLIED_END_GRACE, now);
  if (result !== ALL_TAKEN) return result;
  store<f64>(CLOSED_TO, now);
  return ALL_TAKEN;
}

/** A recorded line moves log time on (Joiner.take); WAIT where others have to act first. */
function advance(): i32 {
  if (instant > load<f64>(NOW)) {
    if (instant > load<f64>(NEXT_DUE)) {
      store<f64>(ADVANCE_TO, instant);
      answer = ADVANCE;
      return WAIT;
    }
    if (load<f64>(ORIGIN) === Infinity) store<f64>(ORIGIN, instant);
    store<f64>(NOW, instant);
  }
  if (load<f64>(CLOSED_TO) >= load<f64>(NOW)) return TAKEN;
  answer = closeDue();
  return answer === ALL_TAKEN ? TAKEN : WAIT;
}

// ---- Postfix ----------------------------------------------------------------------------------------------------------

/** The colon behind a queue id, short or long, -1 without one. */
function queueIdEnd(start: i32, end: i32): i32 {
  // 16 at a time: a third of the time of a look at each byte.
  const text = v128.load(start);
  const length = ctz(i8x16.bitmask(i8x16.eq(text, i8x16.splat(0x3a))) | (1 << 16));
  if (length === 16) return longIdEnd(start, end);
  if (length < 5 || start + length >= end) return -1;
  const all = (1 << length) - 1;
  const digit = i8x16.lt_u(i8x16.sub(text, i8x16.splat(48)), i8x16.splat(10));
  const upper = i8x16.lt_u(i8x16.sub(text, i8x16.splat(65)), i8x16.splat(26));
  if ((i8x16.bitmask(v128.or(digit, upper)) & all) === all) return start + length;
  return longIdEnd(start, end);
}

/** The same, a byte at a time. */
function longIdEnd(start: i32, end: i32): i32 {
  let at = start;
  let kinds = 3;
  while (at < end) {
    const kind = <i32>unchecked(ID_KINDS[byte(at)]);
    if (kind === 0) break;
    kinds &= kind;
    at++;
  }
  return at >= end || byte(at) !== 0x3a || kinds === 0 || at - start < 5 ? -1 : at;
}

function postfix(at: i32, end: i32): i32 {
  const start = at;
  at = queueIdEnd(start, end);
  if (at < 0) return postfixNews(start, end);
  // NOQUEUE:
  if (at - start === 7 && stands(start, W_NOQUEUE, 7)) return postfixSession(at + 1, end);
  hashId(start, at);
  idStart = start;
  idEnd = at;
  at++;
  while (at < end && byte(at) === 32) at++;
  switch (byte(at)) {
    case 0x63: // client=
      return postfixClient(at, end);
    case 0x6d: // message-id=
      return postfixMessageId(at, end);
    case 0x66: // from=
      return postfixEnvelope(at, end);
    case 0x74: // to=
      return postfixDelivery(at, end);
    case 0x72: // removed
      return postfixRemoved(at, end);
    case 0x75: // uid=
      return postfixPickup(at, end);
    case 0x73: // sender ... notification:
      return postfixNotice(at, end);
    default:
      return SLOW;
  }
}

/** `sender non-delivery notification: C`, `sender delay notification: C`, `sender delivery status notification: C` */
function postfixNotice(at: i32, end: i32): i32 {
  if (!stands(at, W_SENDER, 7)) return SLOW;
  at += 7;
  if (stands(at, W_NON_DELI, 8) && stands(at + 8, W_VERY, 5)) at += 13;
  else if (stands(at, W_DELAY_X, 6)) at += 6;
  else if (stands(at, W_DELIVERY, 8) && stands(at + 8, W_STATUS_X, 8)) at += 16;
  else return SLOW;
  if (!stands(at, W_NOTIFICA, 8) || !stands(at + 8, W_TION, 6)) return SLOW;
  at += 14;
  let i = at;
  while (i < end && unchecked(ID_KINDS[byte(i)]) !== 0) i++;
  if (i !== end || i - at < 5) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  const row = claim(idCheck);
  return row < 0 ? SLOW : announced(POSTFIX, row, at, end, end);
}

/** A daemon's word about itself or its session: not `proxy-...`, `reject:`, a severity, or what may be of the head. */
function postfixNews(start: i32, end: i32): i32 {
  if ((tagFlags & TAG_SPEAKS) === 0) return SLOW;
  if (byte(start) === 0x77 && stands(start, W_WARNING, 8) && byte(start + 8) === 32) {
    // `warning: QID: ...` may be about a notice.
    let i = start + 9;
    while (i < end && unchecked(ID_KINDS[byte(i)]) !== 0) i++;
    return i < end && (i - start - 9 < 5 || byte(i) !== 0x3a) ? ignored(POSTFIX) : SLOW;
  }
  switch (byte(start)) {
    case 0x70: // p
    case 0x72: // r
    case 0x77: // w
    case 0x65: // e
    case 0x66: // f
    case 0x6d: // m
    case 0x5b: // [
    case 0x2d: // -
    case 0x4e: // N
      return SLOW;
    case 0x6c: // lost connection
      return byte(start + 1) === 0x6f ? ignored(POSTFIX) : SLOW;
    default:
      return ignored(POSTFIX);
  }
}

/** `NOQUEUE: reject: RCPT from n[ip]: 550 ...` */
function postfixSession(at: i32, end: i32): i32 {
  if (end - at < 32 || !stands(at, W_REJECT, 8) || !stands(at + 8, W_RCPT_FR, 8)) return SLOW;
  const bracket = findByte(at, end, 0x5d);
  if (bracket + 4 > end || byte(bracket + 1) !== 0x3a || byte(bracket + 2) !== 32) return SLOW;
  return refused(POSTFIX, byte(bracket + 3) === 0x34);
}

/** `client=name[ip]`, also with `:port` or `, sasl_method=m, sasl_username=u` behind it. */
function postfixClient(at: i32, end: i32): i32 {
  if (!stands(at, W_CLIE, 4) || !stands(at + 4, W_NT, 3)) return SLOW;
  const open = findByte(at + 7, end, 0x5b);
  const close = findByte(open, end, 0x5d);
  if (close >= end) return SLOW;
  let user = 0;
  let userEnd = 0;
  let rest = close + 1;
  if (rest < end && byte(rest) === 0x3a) {
    rest++;
    while (rest < end && isDigit(byte(rest))) rest++;
  }
  let older = 0;
  if (rest < end) {
    if (stands(rest, W_ORIG_QUE, 8) && stands(rest + 8, W_UE_ID, 8)) {
      // ", orig_queue_id=" id ", orig_client=" value
      const id = rest + 16;
      let next = id;
      while (next < end && unchecked(ID_KINDS[byte(next)]) !== 0) next++;
      if (next - id < 5 || next + 14 > end || !stands(next, W_ORIG_CLI, 8) || !stands(next + 8, W_ENT_IS, 6))
        return SLOW;
      if (findByte(next + 2, end, 0x2c) !== end) return SLOW;
      older = rowNamed(id, next) + 1;
      if (older === 0) return SLOW;
    } else {
      //  ", sasl_method=" value ", sasl_username=" value
      if (!stands(rest, W_SASL_M, 8)) return SLOW;
      const next = findByte(rest + 2, end, 0x2c);
      if (next + 16 >= end || !stands(next, W_SASL_U, 8) || !stands(next + 8, W_SERNAME, 8)) return SLOW;
      user = next + 16;
      userEnd = end;
      if (findByte(user, end, 0x2c) !== end) return SLOW;
    }
  }
  const ipLength = close - open - 1;
  if (ipLength > CLIENT_ROOM || userEnd - user > USER_ROOM) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  // The older row may be over by now.
  if (older !== 0 && load<f64>(timesOf(older - 1), T_SERIAL) === 0) return SLOW;
  if (older !== 0 && (!isClaimable(older - 1) || !hasRoom(older - 1))) return SLOW;
  const row = begin(POSTFIX, idCheck, ARRIVED);
  if (row < 0) return SLOW;
  if (older !== 0) relate(older - 1, row, NAMED_PARENT);
  const n = numbersOf(row);
  const texts = TEXTS + row * TEXTS_SIZE;
  copy(texts + CLIENT_AT, open + 1, ipLength);
  let lengths = load<i32>(n, N_LENGTHS) | (ipLength << CLIENT_SHIFT);
  if (user !== 0) {
    copy(texts + USER_AT, user, userEnd - user);
    lengths |= (userEnd - user) << USER_SHIFT;
  }
  store<i32>(n, lengths, N_LENGTHS);
  recorded(POSTFIX);
  return TAKEN;
}

/** `uid=n from=<s>` */
function postfixPickup(at: i32, end: i32): i32 {
  if (!stands(at, W_UID_IS, 4) || load<i32>(NO_PICKUPS) !== 0) return SLOW;
  const uid = decimal(at + 4, end);
  const from = numberEnd;
  if (uid < 0 || !stands(from, W_FROM_IS, 7) || byte(end - 1) !== 0x3e) return SLOW;
  const path = from + 7;
  if (!isOrdinaryPath(path, end - 1) || findByte(path, end, 0x3e) !== end - 1) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  const row = begin(POSTFIX, idCheck, ARRIVED | LOCAL_ORIGIN);
  if (row < 0) return SLOW;
  keepPath(row, path, end - 1);
  store<i32>(numbersOf(row), uid, N_UID);
  recorded(POSTFIX);
  return TAKEN;
}

function postfixMessageId(at: i32, end: i32): i32 {
  if (!stands(at, W_MESSAGE, 8) || !stands(at + 8, W_ID, 3)) return SLOW;
  const start = at + 11;
  if (start >= end) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  let row = findRow(idHash, idCheck);
  // cleanup(8) is the first to speak of what nobody handed in.
  if (row < 0) row = begin(POSTFIX, idCheck, HEAD_OTHER);
  else if (load<i32>(numbersOf(row), N_PLACE) !== place || !isClaimable(row)) return SLOW;
  if (row < 0) return SLOW;
  const n = numbersOf(row);
  const flags = load<i32>(n, N_FLAGS);
  if ((flags & LINK_ONLY) !== 0) store<i32>(n, (flags & ~LINK_ONLY) | HEAD_OTHER, N_FLAGS);
  const t = timesOf(row);
  // As mayHaveMessageId (joiner.ts); a second one is not ordinary.
  if (
    load<f64>(t, T_MESSAGE_KEY) !== 0 ||
    load<i32>(n, N_SIZE) >= 0 ||
    load<i32>(n, N_RECIPIENTS) > 0 ||
    (load<i32>(n, N_FLAGS) & OVER) !== 0
  )
    return SLOW;
  touch(row);
  store<f64>(t, textKey(start, min(end, start + 32)) + <f64>(end - start), T_MESSAGE_KEY);
  recorded(POSTFIX);
  return TAKEN;
}

/** `from=<s>, size=n, nrcpt=n (queue active)` */
function postfixEnvelope(at: i32, end: i32): i32 {
  if (!stands(at, W_FROM, 4) || !stands(at + 4, W_, 2)) return SLOW;
  const value = at + 6;
  let close = end - 34;
  while (close >= value && byte(close) !== 0x3e) close--;
  if (close < value || !stands(close, W_SIZE, 8)) return SLOW;
  const size = decimal(close + 8, end);
  const tail = numberEnd;
  if (size < 0 || !stands(tail, W_NRCPT, 8)) return SLOW;
  const recipients = decimal(tail + 8, end);
  if (recipients < 0 || (close > value && !isOrdinaryPath(value, close))) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  const row = claim(idCheck);
  if (row < 0) return SLOW;
  const n = numbersOf(row);
  const flags = load<i32>(n, N_FLAGS);
  // What SPF said of a message waits for its envelope.
  if ((flags & OVER) !== 0 || load<i32>(NO_ARRIVALS) !== 0) return SLOW;
  if ((flags & TAKEN_OVER) === 0) {
    // A report that has a sender is none: the joiner knows what to do.
    if (close > value && (flags & IS_REPORT) !== 0) return SLOW;
    if (close > value) {
      store<i32>(n, load<i32>(n, N_LENGTHS) & ~(255 << PATH_SHIFT), N_LENGTHS);
      keepPath(row, value, close);
    }
    store<i32>(n, flags | TAKEN_OVER | (close === value ? NULL_PATH : 0), N_FLAGS);
    store<i32>(n, size, N_SIZE);
    store<i32>(n, recipients, N_ENVELOPE_RECIPIENTS);
  }
  touch(row);
  recorded(POSTFIX);
  return TAKEN;
}

/** `to=<r>, orig_to=<o>, relay=h[ip]:p, delay=s, delays=a/b/c/d, dsn=d.d.d, status=sent (text)` */
function postfixDelivery(at: i32, end: i32): i32 {
  if (!stands(at, W_TO, 4) || (tagFlags & TAG_DISCARD) !== 0 || byte(end - 1) !== 0x29) return SLOW;
  const value = at + 4;
  if (byte(value) === 0x22) return SLOW;
  const close = findByte(value, end, 0x3e);
  if (close + 12 > end) return SLOW;
  let relay: i32;
  let original = 0;
  let originalEnd = 0;
  if (stands(close, W_RELAY, 8) && byte(close + 8) === 0x3d) relay = close + 9;
  else if (stands(close, W_ORIG, 8) && stands(close + 8, W_TO, 4)) {
    original = close + 12;
    if (byte(original) === 0x22) return SLOW;
    originalEnd = findByte(original, end, 0x3e);
    if (originalEnd + 9 > end || !stands(originalEnd, W_RELAY, 8) || byte(originalEnd + 8) !== 0x3d)
      return SLOW;
    relay = originalEnd + 9;
  } else return SLOW;
  let i = findByte(relay, end, 0x2c);
  const relayEnd = i;
  // The rest is `, key=value` up to status.
  for (;;) {
    if (i + 16 > end) return SLOW;
    i += 2;
    const key = byte(i);
    if (key === 0x73) break;
    // dsn= | delays=a/b/c/d | delay=s: values have least lengths (parsers/postfix.ts).
    if (key === 0x64) i += byte(i + 1) === 0x73 ? 4 : byte(i + 5) === 0x73 ? 14 : 7;
    i = findByte(i, end, 0x2c);
  }
  const key = addressKey(value, close, original, originalEnd);
  if (!stands(i, W_STATUS_S, 8) || !stands(i + 8, W_ENT, 4)) {
    if (stands(i, W_STATUS_B, 8) && stands(i + 8, W_OUNCED, 8)) return postfixAttempt(key, FAILED_NOW, end);
    if (!stands(i, W_STATUS_D, 8) || !stands(i + 8, W_EFERRED, 8) || byte(i + 16) !== 0x28) return SLOW;
    return postfixAttempt(key, DEFERRED_YET, end);
  }
  const text = i + 12;
  if (byte(text - 1) !== 32 || byte(text) !== 0x28) return SLOW;
  const reply = text + 1;
  const replyEnd = end - 1;
  if (replyEnd < reply) return SLOW;
  if (relayEnd - relay === 4 && stands(relay, W_NONE, 4)) return SLOW;
  if (stands(reply, W_FORWARDE, 8)) {
    if (!stands(reply + 8, W_D_AS, 5)) return SLOW;
    return postfixHandOver(key, FORWARDED_ON, reply + 13, end);
  }
  // `delivered via C`
  if (stands(reply, W_DELIVERE, 8) && stands(reply + 10, W_VIA, 4)) return SLOW;
  let queued = replyEnd;
  while (queued > reply && unchecked(ID_KINDS[byte(queued - 1)]) !== 0) queued--;
  const isQueued =
    replyEnd - queued >= 5 &&
    queued - 10 >= reply &&
    stands(queued - 10, W_QUEUED_A, 8) &&
    stands(queued - 2, W_S, 2);
  let bracket = relayEnd - 1;
  while (bracket >= relay && byte(bracket) !== 0x5b) bracket--;
  if (bracket >= relay) {
    const ip = bracket + 1;
    if (stands(ip, W_127, 4) || stands(ip, W_1, 3) || stands(ip, W_IPV6, 4)) {
      // `Ok, discarded` is another outcome.
      if (!isQueued) return SLOW;
      for (let o = reply; o < queued; o++) if (byte(o) === 0x4f && stands(o, W_OK_DISC, 8)) return SLOW;
      return postfixHandOver(key, HANDED_OVER, queued, end);
    }
  }
  if (isQueued) {
    // `queued as C`: is C ours? Where any life has that id, the joiner looks closer.
    const hash = idHash;
    const check = idCheck;
    hashId(queued, replyEnd);
    const known = findRow(idHash, idCheck) >= 0 || isPresent(idHash, idCheck);
    idHash = hash;
    idCheck = check;
    if (known) return SLOW;
  }
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  const row = claim(idCheck);
  if (row < 0) return SLOW;
  const flags = load<i32>(numbersOf(row), N_FLAGS);
  if ((flags & TAKEN_OVER) === 0) return SLOW;
  const number = recipient(row, key);
  if (number < 0) return SLOW;
  // As isOrdinary (joiner.ts); an id that may be ours is remembered of what nobody handed in.
  if ((flags & NULL_PATH) !== 0 || (isQueued && (flags & ARRIVED) === 0)) {
    if (!attemptKept(row, number, DELIVERED, end)) return SLOW;
  } else if (!delivered(row, number)) return SLOW;
  recorded(POSTFIX);
  return TAKEN;
}

/** As recipientKeyOf (keys.ts), without original recipient where both its places are 0; idHash and idCheck stay. */
function addressKey(start: i32, end: i32, original: i32, originalEnd: i32): f64 {
  const hash = idHash;
  const check = idCheck;
  let key = textKey(start, end);
  if (originalEnd > original) key = key * 31 + textKey(original, originalEnd);
  idHash = hash;
  idCheck = check;
  return key;
}

/** A row for the id at [start, end), whose hashes are at hand: as #linked (joiner.ts) where it knows none. */
function beginLinked(mta: i32, start: i32, end: i32): i32 {
  if (load<i32>(ENDED_SIZE) === MOST_ROWS) return -1;
  idStart = start;
  idEnd = end;
  const row = begin(mta, idCheck, LINK_ONLY);
  if (row >= 0) push(ENDED_RING, ENDED_HEAD, ENDED_SIZE, row);
  return row;
}

/** An attempt that did not succeed. */
function postfixAttempt(key: f64, state: i32, end: i32): i32 {
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  const row = claim(idCheck);
  if (row < 0 || (load<i32>(numbersOf(row), N_FLAGS) & TAKEN_OVER) === 0) return SLOW;
  const number = recipient(row, key);
  if (number < 0 || !attemptKept(row, number, state, end)) return SLOW;
  recorded(POSTFIX);
  return TAKEN;
}

/** `queued as C)` by a filter on this host, `forwarded as C)`: the message goes on as C, which has to be known. */
function postfixHandOver(key: f64, state: i32, id: i32, end: i32): i32 {
  for (let i = id; i < end - 1; i++) if (unchecked(ID_KINDS[byte(i)]) === 0) return SLOW;
  if (end - 1 - id < 5) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  const row = claim(idCheck);
  if (row < 0 || (load<i32>(numbersOf(row), N_FLAGS) & TAKEN_OVER) === 0) return SLOW;
  let child = rowNamed(id, end - 1);
  const flags = child < 0 ? 0 : load<i32>(numbersOf(child), N_FLAGS);
  const known = child >= 0 && parentOf(child) === row && (flags & IS_REPORT) === 0;
  if (child < 0) {
    // The instance behind a filter is not known yet.
    if (state !== FORWARDED_ON || !hasRoom(row)) return SLOW;
  } else if (!known) {
    if (state === FORWARDED_ON) {
      if (!mayRelate(row, child) || (flags & ARRIVED) !== 0) return SLOW;
    } else if (!mayBeHandedOver(row, child)) return SLOW;
  }
  const number = recipient(row, key);
  if (number < 0 || !attemptKept(row, number, state, end)) return SLOW;
  if (child < 0) {
    hashId(id, end - 1);
    child = beginLinked(POSTFIX, id, end - 1);
    if (child < 0) return giveBack(row, number);
  }
  if (!known) relate(row, child, 0);
  recorded(POSTFIX);
  return TAKEN;
}

/** The attempt that was just kept is somebody else's to take: the line is slow. */
function giveBack(row: i32, number: i32): i32 {
  const kept = LINKS + row * LINKS_SIZE + L_KEPT + (number << 2);
  freeSlot(load<i32>(kept));
  store<i32>(kept, 0);
  const attempts = numbersOf(row) + N_ATTEMPTS + (number << 2);
  store<i32>(attempts, (load<i32>(attempts) & ~(STATE_BITS << STATE_SHIFT)) - 1);
  return SLOW;
}

function postfixRemoved(at: i32, end: i32): i32 {
  if (end - at !== 7 || (tagFlags & TAG_QMGR) === 0) return SLOW;
  if (!stands(at, W_REMO, 4) || !stands(at + 4, W_VED, 3)) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  return ends(POSTFIX, idCheck);
}

function ends(mta: i32, check: i32): i32 {
  const row = claim(check);
  if (row < 0) return SLOW;
  const n = numbersOf(row);
  const flags = load<i32>(n, N_FLAGS);
  if ((flags & OVER) !== 0 || load<i32>(ENDED_SIZE) === MOST_ROWS) return SLOW;
  touch(row);
  store<i32>(n, flags | OVER, N_FLAGS);
  push(ENDED_RING, ENDED_HEAD, ENDED_SIZE, row);
  recorded(mta);
  return TAKEN;
}

// ---- sendmail ---------------------------------------------------------------------------------------------------------

function sendmail(at: i32, end: i32): i32 {
  const start = at;
  while (at < end && isAlnum(byte(at))) at++;
  if (!isSendmailId(start, at) || (byte(at) !== 0x3a && byte(at) !== 0x5b)) {
    switch (byte(start)) {
      case 0x41: // AUTH=server, ..., authid= of a session says nothing of a message
        return sendmailSession(start, end);
      case 0x72: // ruleset=
        return sendmailRuleset(start, end);
      case 0x4d: // Milter:
      case 0x4e: // NOQUEUE:
      case 0x6d: // message repeated
      case 0x6c: // last message
      case 0x5b: // [
      case 0x2d: // -
        return SLOW;
      default:
        return ignored(SENDMAIL);
    }
  }
  if (byte(at) === 0x5b) return SLOW;
  idStart = start;
  idEnd = at;
  hashId(start, at);
  at += 2;
  switch (byte(at)) {
    case 0x66: // from=
      return sendmailSender(at, end);
    case 0x74: // to=
      return sendmailDelivery(at, end);
    case 0x41: // AUTH=server,
      return sendmailAuth(at, end);
    case 0x72: // ruleset=
      return sendmailRuleset(at, end);
    case 0x3c: // <r>... User unknown
      for (; at + 4 <= end; at++)
        if (stands(at, W_DOTS, 4)) return byte(at - 1) === 0x3e ? refused(SENDMAIL, false) : SLOW;
      return SLOW;
    default: // C: DSN: text
      return sendmailNotice(at, end);
  }
}

/** A recipient was refused in the dialogue. */
function refused(mta: i32, forNow: bool): i32 {
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  recorded(mta);
  count(forNow ? REJECTED_FOR_NOW : REJECTED_RECIPIENTS);
  store<i32>(LAST_LINE, forNow ? 3 : 2);
  return TAKEN;
}

/** `ruleset=check_rcpt, ..., reject=550 ...` */
function sendmailRuleset(at: i32, end: i32): i32 {
  if (!stands(at, W_RULESET, 8) || !stands(at + 8, W_CHECK_RC, 8) || !stands(at + 16, W_PT, 2)) return SLOW;
  for (at += 18; at + 9 < end; at++) {
    if (stands(at, W_REJECT_IS, 8) && byte(at + 8) === 0x3d) return refused(SENDMAIL, byte(at + 9) === 0x34);
  }
  return SLOW;
}

function sendmailSession(at: i32, end: i32): i32 {
  if (!stands(at, W_AUTH_SER, 8) || !stands(at + 8, W_VER, 5)) return SLOW;
  const i = findByte(at + 12, end, 0x2c);
  if (i + 9 > end || !stands(i, W_AUTHID, 8) || byte(i + 8) !== 0x3d) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  recorded(SENDMAIL);
  return TAKEN;
}

/** As isQueueId (parsers/sendmail.ts). */
function isSendmailId(start: i32, end: i32): bool {
  const length = end - start;
  if (length < 8 || length > 18) return false;
  for (let i = end - 5; i < end; i++) if (!isDigit(byte(i))) return false;
  if (length >= 12) return true;
  const first = byte(start);
  return first >= 65 && first <= 88 && byte(start + 1) >= 65 && byte(start + 2) >= 65;
}

let sendmailSize: i32 = 0;
let sendmailRecipients: i32 = 0;

/** `, size=n, class=n, nrcpts=n` at `at`; the byte behind it, -1 for anything else. */
function sendmailCounts(at: i32, end: i32): i32 {
  if (at + 7 > end || !stands(at, W_SIZE_IS, 7)) return -1;
  sendmailSize = decimal(at + 7, end);
  let i = numberEnd;
  if (sendmailSize < 0 || !stands(i, W_CLASS, 8)) return -1;
  i += 8;
  if (byte(i) === 0x2d) i++;
  while (i < end && isDigit(byte(i))) i++;
  if (!stands(i, W_NRCPTS, 8) || byte(i + 8) !== 0x3d) return -1;
  sendmailRecipients = decimal(i + 9, end);
  return sendmailRecipients < 0 ? -1 : numberEnd;
}

/** `from=<s>, size=n, class=n, nrcpts=n, msgid=<m>, proto=p, daemon=d, relay=h [ip]` without another comma. */
function sendmailSender(at: i32, end: i32): i32 {
  if (!stands(at, W_FROM, 4) || byte(at + 4) !== 0x3d) return SLOW;
  if (byte(at + 5) !== 0x3c) return sendmailLocal(at + 5, end);
  const value = at + 6;
  let i = value;
  for (; i < end; i++) {
    const c = byte(i);
    if (c === 0x3e || c === 0x3c || c === 0x5c || c === 0x2c) break;
  }
  const close = i;
  if (byte(i) !== 0x3e) return SLOW;
  i = sendmailCounts(i + 1, end);
  if (i < 0) return SLOW;
  const size = sendmailSize;
  const recipients = sendmailRecipients;
  // No msgid, no message: refused, or abandoned.
  const taken = stands(i, W_MSGID, 8);
  if (taken) {
    if (recipients === 0 || (close > value && !isOrdinaryPath(value, close))) return SLOW;
    i = findByte(i + 8, end, 0x2c);
  } else if (close > value && !isOrdinaryPath(value, close)) return SLOW;
  if (stands(i, W_BODYTY, 8)) i = findByte(i + 2, end, 0x2c);
  if (i + 8 > end || !stands(i, W_PROTO, 8)) return SLOW;
  const proto = i + 8;
  i = findByte(proto, end, 0x2c);
  const protoEnd = i;
  if (i + 9 > end || !stands(i, W_DAEMON, 8) || byte(i + 8) !== 0x3d) return SLOW;
  i = findByte(i + 2, end, 0x2c);
  if (i + 8 > end || !stands(i, W_RELAY_X, 8)) return SLOW;
  const relay = i + 8;
  if (findByte(relay, end, 0x2c) !== end) return SLOW;
  let open = end - 1;
  while (open >= relay && byte(open) !== 0x5b) open--;
  if (open < relay) return SLOW;
  //  [RESPONSE]
  if (byte(relay) === 0x5b && byte(relay + 1) === 0x52) return SLOW;
  let ip = open + 1;
  const ipEnd = findByte(ip, end, 0x5d);
  if (stands(ip, W_IPV6, 4) && byte(ip + 4) === 0x3a) ip += 5;
  if (ipEnd === end || ipEnd - ip > CLIENT_ROOM || ipEnd < ip) return SLOW;
  const authenticated = protoEnd > proto && byte(protoEnd - 1) === 0x41;
  if (authenticated && protoEnd - proto > USER_ROOM) return SLOW;
  if (!taken && load<i32>(ENDED_SIZE) === MOST_ROWS) return SLOW;
  // Of a null reverse-path the Message-ID is asked for; from this host, it may be our own report.
  const isNull = taken && close === value;
  if (isNull && (byte(open + 1) === 0x49 || stands(open + 1, W_127, 4) || byte(open + 1) === 0x3a))
    return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  if (load<i32>(NO_ARRIVALS) !== 0) return SLOW;
  let row = findRow(idHash, idCheck);
  if (row >= 0) {
    const n = numbersOf(row);
    if (isNull || (load<i32>(n, N_FLAGS) & (HEAD_AUTH | ARRIVED)) !== HEAD_AUTH || claim(idCheck) < 0)
      return SLOW;
    store<i32>(n, pid, N_PID);
    touch(row);
  } else {
    const slot = isNull ? keepLine(0, end) : 0;
    if (isNull && slot === 0) return SLOW;
    row = begin(SENDMAIL, idCheck, isNull ? NULL_PATH : 0);
    if (row < 0) {
      freeSlot(slot);
      return SLOW;
    }
    if (slot !== 0) store<i32>(linksOf(row), slot, L_NOTICES);
  }
  const n = numbersOf(row);
  const texts = TEXTS + row * TEXTS_SIZE;
  store<i32>(n, load<i32>(n, N_FLAGS) | ARRIVED | (taken ? TAKEN_OVER : 0), N_FLAGS);
  store<i32>(n, size, N_SIZE);
  store<i32>(n, recipients, N_ENVELOPE_RECIPIENTS);
  copy(texts + CLIENT_AT, ip, ipEnd - ip);
  let lengths = load<i32>(n, N_LENGTHS) | ((ipEnd - ip) << CLIENT_SHIFT);
  if (authenticated && (lengths & (255 << USER_SHIFT)) === 0) {
    copy(texts + USER_AT, proto, protoEnd - proto);
    lengths |= (protoEnd - proto) << USER_SHIFT;
  }
  store<i32>(n, lengths, N_LENGTHS);
  keepPath(row, value, close);
  if (!taken) push(ENDED_RING, ENDED_HEAD, ENDED_SIZE, row);
  recorded(SENDMAIL);
  return TAKEN;
}

/** `from=user, size=n, class=n, nrcpts=n, msgid=<m>, relay=user@localhost`; the line is kept for its Message-ID. */
function sendmailLocal(value: i32, end: i32): i32 {
  let i = value;
  for (; i < end; i++) {
    const c = byte(i);
    if (c === 0x2c) break;
    if (c === 0x3e || c === 0x3c || c === 0x5c) return SLOW;
  }
  const close = i;
  if (!isOrdinaryPath(value, close)) return SLOW;
  i = sendmailCounts(i, end);
  if (i < 0) return SLOW;
  const size = sendmailSize;
  const recipients = sendmailRecipients;
  if (recipients === 0 || !stands(i, W_MSGID, 8)) return SLOW;
  i = findByte(i + 8, end, 0x2c);
  if (i + 18 > end || !stands(i, W_RELAY_X, 8) || findByte(i + 8, end, 0x2c) !== end) return SLOW;
  if (!stands(end - 10, W_AT_LOCAL, 8) || !stands(end - 2, W_ST_X, 2)) return SLOW;
  for (i += 8; i < end; i++) if (byte(i) === 0x5b) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  const slot = keepLine(0, end);
  if (slot === 0) return SLOW;
  const row = begin(SENDMAIL, idCheck, ARRIVED | TAKEN_OVER | LOCAL_ORIGIN);
  if (row < 0) {
    freeSlot(slot);
    return SLOW;
  }
  store<i32>(linksOf(row), slot, L_NOTICES);
  const n = numbersOf(row);
  store<i32>(n, size, N_SIZE);
  store<i32>(n, recipients, N_ENVELOPE_RECIPIENTS);
  keepPath(row, value, close);
  recorded(SENDMAIL);
  return TAKEN;
}

/** `to=r[,r]..., [ctladdr=c,] delay=t, xdelay=t, mailer=m, [pri=n,] [relay=h [ip],] dsn=d.d.d, [reply=r,] stat=s` */
function sendmailDelivery(at: i32, end: i32): i32 {
  if (!stands(at, W_TO_X, 3)) return SLOW;
  const value = at + 3;
  let i = findByte(value, end, 0x2c);
  let valueEnd = i;
  const list = byte(value) === 0x3c && byte(i - 1) === 0x3e && byte(i + 1) === 0x3c;
  if (list) {
    // `<a@b>,<c@d>`: without anything that an address does not need.
    for (i = value; ; ) {
      valueEnd = addressEnd(i, end);
      if (valueEnd < 0) return SLOW;
      if (byte(valueEnd) !== 0x2c) return SLOW;
      if (byte(valueEnd + 1) !== 0x3c) break;
      i = valueEnd + 1;
    }
    i = valueEnd;
  }
  if (stands(i, W_CTLADD, 8) && stands(i + 8, W_R_IS, 2)) i = findByte(i + 2, end, 0x2c);
  if (i + 8 > end || !stands(i, W_DELAY, 8)) return SLOW;
  i = findByte(i + 2, end, 0x2c);
  if (i + 9 > end || !stands(i, W_XDELAY, 8) || byte(i + 8) !== 0x3d) return SLOW;
  i = findByte(i + 2, end, 0x2c);
  if (i + 9 > end || !stands(i, W_MAILER, 8) || byte(i + 8) !== 0x3d) return SLOW;
  i = findByte(i + 2, end, 0x2c);
  if (stands(i, W_PRI, 6)) i = findByte(i + 2, end, 0x2c);
  // The local mailer may have none.
  let relay = i;
  if (stands(i, W_RELAY_X, 8)) {
    relay = i + 8;
    i = findByte(relay, end, 0x2c);
  }
  const relayEnd = i;
  let loopback = false;
  for (let r = relay; r < relayEnd; r++) {
    const c = byte(r);
    if (c === 32 && stands(r + 1, W_DSN, 4)) return SLOW;
    if (c !== 0x5b) continue;
    if (stands(r + 1, W_IPV6, 4)) return SLOW;
    if (stands(r + 1, W_127, 4)) loopback = true;
  }
  if (i + 6 > end || !stands(i, W_DS, 4) || byte(i + 4) !== 0x6e || byte(i + 5) !== 0x3d) return SLOW;
  i = findByte(i + 2, end, 0x2c);
  if (stands(i, W_NTRIES, 8)) i = findByte(i + 2, end, 0x2c);
  if (stands(i, W_REPLY_IS, 8)) {
    // It runs to the last `, stat=`.
    const reply = i + 8;
    for (i = end - 8; i >= reply && !(byte(i) === 0x2c && stands(i, W_STAT_IS, 7)); ) i--;
    if (i < reply) return SLOW;
  }
  if (i + 11 > end || !stands(i, W_STAT_IS, 7)) return SLOW;
  let state = sendmailState(i + 7, end);
  if (state < 0 || (list && state !== DELIVERED)) return SLOW;
  let next = 0;
  let nextEnd = 0;
  if (loopback) {
    // `Sent (C Message accepted for delivery)`: it goes on as C, which has to be known.
    next = i + 13;
    nextEnd = end - 31;
    if (list || state !== DELIVERED || nextEnd <= next) return SLOW;
    if (!stands(i + 11, W_PAREN, 2) || !stands(nextEnd, W_MESSAGE_A, 8)) return SLOW;
    if (!stands(nextEnd + 8, W_CCEPTED, 8) || !stands(nextEnd + 16, W_FOR_DELI, 8)) return SLOW;
    if (!stands(nextEnd + 24, W_VERY_X, 7)) return SLOW;
    for (let c = next; c < nextEnd; c++) if (!isAlnum(byte(c))) return SLOW;
    state = HANDED_OVER;
  }
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  const row = findRow(idHash, idCheck);
  if (row < 0 || load<i32>(numbersOf(row), N_PLACE) !== place || !isClaimable(row)) return SLOW;
  const n = numbersOf(row);
  let flags = load<i32>(n, N_FLAGS);
  // Somebody waits for it after all.
  if ((flags & TAKEN_OVER) === 0 || ((flags & OVER) !== 0 && state === DEFERRED_YET)) return SLOW;
  // As isOrdinary (joiner.ts).
  const kept = state !== DELIVERED || (flags & (IS_REPORT | NULL_PATH)) !== 0;
  if (kept && list) return SLOW;
  let child = -1;
  if (loopback) {
    child = rowNamed(next, nextEnd);
    if (child < 0 || !mayBeHandedOver(row, child)) return SLOW;
  }
  const isLocal = !kept && relayEnd - relay === 5 && stands(relay, W_LOCA, 4) && byte(relay + 4) === 0x6c;
  for (let from = value; ; ) {
    const to = list ? addressEnd(from, end) : valueEnd;
    const key = addressKey(byte(from) === 0x3c ? from + 1 : from, byte(to - 1) === 0x3e ? to - 1 : to, 0, 0);
    const number = recipient(row, key);
    if (number < 0) return SLOW;
    if (kept ? !attemptKept(row, number, state, end) : !delivered(row, number)) return SLOW;
    if (isLocal) {
      const attempts = n + N_ATTEMPTS + (number << 2);
      store<i32>(attempts, load<i32>(attempts) | TO_LOCAL);
    }
    if (to >= valueEnd) break;
    from = to + 1;
  }
  if (child >= 0) relate(row, child, 0);
  flags = load<i32>(n, N_FLAGS);
  if ((flags & LINK_ONLY) !== 0) flags = (flags & ~LINK_ONLY) | HEAD_OTHER;
  if ((flags & OVER) === 0 && load<i32>(IMPLIED_SIZE) < MOST_ROWS && allDone(row)) {
    flags |= OVER;
    push(IMPLIED_RING, IMPLIED_HEAD, IMPLIED_SIZE, row);
  }
  store<i32>(n, flags, N_FLAGS);
  recorded(SENDMAIL);
  return TAKEN;
}

/** Behind `<...>` at `at`; -1 where it is not as simple as that. */
function addressEnd(at: i32, end: i32): i32 {
  for (let i = at + 1; i < end; i++) {
    const c = byte(i);
    if (c === 0x3e) return i + 1;
    if (c === 0x22 || c === 0x5c || c === 0x3c || c === 0x2c) return -1;
  }
  return -1;
}

/** `stat=`: what it says of the attempt; -1 for anything out of the ordinary. */
function sendmailState(at: i32, end: i32): i32 {
  switch (byte(at)) {
    case 0x53: // Sent | Service unavailable
      if (stands(at, W_SENT, 4)) return DELIVERED;
      return end - at >= 19 &&
        stands(at, W_SERVICE, 8) &&
        stands(at + 8, W_UNAVAILA, 8) &&
        stands(at + 16, W_BLE, 3)
        ? FAILED_NOW
        : -1;
    case 0x44: // Deferred
      return end - at >= 8 && stands(at, W_DEFERRED, 8) ? DEFERRED_YET : -1;
    case 0x55: // User unknown
      return end - at >= 12 && stands(at, W_USER_UNK, 8) && stands(at + 8, W_NOWN, 4) ? FAILED_NOW : -1;
    case 0x48: // Host unknown
      return end - at >= 12 && stands(at, W_HOST_UNK, 8) && stands(at + 8, W_NOWN, 4) ? FAILED_NOW : -1;
    default:
      return -1;
  }
}

/** As impliesEnd (life.ts): all that the envelope had are done. */
function allDone(row: i32): bool {
  const n = numbersOf(row);
  const count = load<i32>(n, N_RECIPIENTS);
  if (count < load<i32>(n, N_ENVELOPE_RECIPIENTS)) return false;
  for (let i = 0; i < count; i++) {
    const state = stateOf(row, i);
    if (state === UNTRIED_YET || state === DEFERRED_YET) return false;
  }
  return true;
}

/** `P: C: DSN: text`, `P: C: sender notify: text`, `P: C: return to sender: text`; not where the text ends P. */
function sendmailNotice(at: i32, end: i32): i32 {
  const id = at;
  while (at < end && isAlnum(byte(at))) at++;
  if (!isSendmailId(id, at) || byte(at) !== 0x3a || byte(at + 1) !== 32) return SLOW;
  const idStop = at;
  at += 2;
  if (stands(at, W_DSN_IS, 5)) at += 5;
  else if (stands(at, W_SENDER_N, 8) && stands(at + 8, W_OTIFY, 7)) at += 15;
  else if (stands(at, W_RETURN_T, 8) && stands(at + 8, W_O_SENDER, 8) && stands(at + 16, W_COLON, 2))
    at += 18;
  else return SLOW;
  if (at + 8 > end) return SLOW;
  // Cannot send message | delivery time expired | Too many hops
  if (stands(at, W_CANNOT_S, 8) || stands(at, W_DELIVERY, 8) || stands(at, W_TOO_MANY, 8)) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  const row = claim(idCheck);
  if (row < 0 || load<i32>(numbersOf(row), N_RECIPIENTS) === 0) return SLOW;
  return announced(SENDMAIL, row, id, idStop, end);
}

/** A DSN about the row, under the id at [start, stop): the line is kept, and the two hang together. */
function announced(mta: i32, row: i32, start: i32, stop: i32, end: i32): i32 {
  const hash = idHash;
  const check = idCheck;
  hashId(start, stop);
  let child = findRow(idHash, idCheck);
  // As mayReport (joiner.ts); what sendmail announces has not spoken yet.
  let may = true;
  if (child >= 0) {
    const flags = load<i32>(numbersOf(child), N_FLAGS);
    may =
      mta === POSTFIX &&
      mayRelate(row, child) &&
      (flags & ARRIVED) === 0 &&
      (flags & (TAKEN_OVER | NULL_PATH)) !== TAKEN_OVER;
  } else may = hasRoom(row);
  const slot = may ? keepLine(0, end) : 0;
  if (slot !== 0 && child < 0) {
    child = beginLinked(mta, start, stop);
    if (child < 0) freeSlot(slot);
  }
  idHash = hash;
  idCheck = check;
  if (slot === 0 || child < 0) return SLOW;
  const l = linksOf(row);
  store<i32>(slotAt(slot), load<i32>(l, L_NOTICES), S_NEXT);
  store<i32>(l, slot, L_NOTICES);
  // sendmail says nothing of its acceptance.
  relate(row, child, mta === SENDMAIL ? IS_REPORT | TAKEN_OVER : IS_REPORT);
  const n = numbersOf(row);
  store<i32>(n, load<i32>(n, N_FLAGS) | HAS_NOTICE, N_FLAGS);
  touch(row);
  recorded(mta);
  return TAKEN;
}

/** `AUTH=server, relay=h [ip], authid=u, mech=m, bits=n` */
function sendmailAuth(at: i32, end: i32): i32 {
  if (!stands(at, W_AUTH_SER, 8) || !stands(at + 8, W_VER, 5)) return SLOW;
  let i = findByte(at + 12, end, 0x2c);
  if (i + 9 > end || !stands(i, W_AUTHID, 8) || byte(i + 8) !== 0x3d) return SLOW;
  const user = i + 9;
  i = findByte(user, end, 0x2c);
  if (i + 2 > end || byte(i + 1) !== 32 || i === user || i - user > USER_ROOM) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  let row = findRow(idHash, idCheck);
  if (row >= 0) {
    if (claim(idCheck) < 0) return SLOW;
    touch(row);
  } else {
    row = begin(SENDMAIL, idCheck, HEAD_AUTH);
    if (row < 0) return SLOW;
  }
  const n = numbersOf(row);
  const lengths = load<i32>(n, N_LENGTHS);
  if ((lengths & (255 << USER_SHIFT)) === 0) {
    memory.copy(TEXTS + row * TEXTS_SIZE + USER_AT, user, i - user);
    store<i32>(n, lengths | ((i - user) << USER_SHIFT), N_LENGTHS);
  }
  recorded(SENDMAIL);
  return TAKEN;
}

// ---- qmail ------------------------------------------------------------------------------------------------------------

/** `qmail: 1795226267.923730 new msg 2253869`; splogger's stamp is the line's instant. */
function qmail(at: i32, end: i32): i32 {
  if (isDigit(byte(at))) {
    let seconds: f64 = 0;
    let i = at;
    for (; i < end && isDigit(byte(i)) && i - at < 11; i++) seconds = seconds * 10 + <f64>(byte(i) - 48);
    if ((i - at !== 9 && i - at !== 10) || byte(i) !== 0x2e) return SLOW;
    const micro = decimal(i + 1, end);
    if (numberEnd !== i + 7 || byte(numberEnd) !== 32) return SLOW;
    // The same sum as in HeadShapes.splogger, so the same number.
    instant = seconds * 1000 + <f64>micro / 1000;
    sploggerStamp = seconds + <f64>micro / 1e6;
    at = numberEnd + 1;
    while (at < end && byte(at) === 32) at++;
    textStart = at;
  } else sploggerStamp = 0;
  if (instant > load<f64>(LIMIT)) return beyondLimit();
  switch (byte(at)) {
    case 0x73: // status: | starting delivery
      // status: exiting
      if (stands(at, W_STATUS, 8)) return end - at > 8 && byte(at + 8) === 0x6c ? ignored(QMAIL) : SLOW;
      return stands(at, W_STARTING, 8) && stands(at + 8, W_DELIVER, 8) && stands(at + 16, W_Y, 2)
        ? qmailStart(at, end)
        : SLOW;
    case 0x64: // delivery
      return stands(at, W_DELIVERY, 8) && byte(at + 8) === 32 ? qmailResult(at + 9, end) : SLOW;
    case 0x6e: // new msg
      return stands(at, W_NEW_MSG, 8) ? qmailNew(at + 8, end) : SLOW;
    case 0x69: // info msg
      return stands(at, W_INFO_MSG, 8) && byte(at + 8) === 32 ? qmailInfo(at + 9, end) : SLOW;
    case 0x62: // bounce msg
      return stands(at, W_BOUNCE_M, 8) && stands(at + 8, W_SG, 3) ? qmailBounce(at + 11, end) : SLOW;
    case 0x65: // end msg
      return stands(at, W_END_MSG, 8) ? qmailEnd(at + 8, end) : SLOW;
    default:
      return SLOW;
  }
}

/** Hashes the message number at `at`; the byte behind it, or -1. */
function messageNumber(at: i32, end: i32): i32 {
  let i = at;
  while (i < end && isDigit(byte(i))) i++;
  if (i === at) return -1;
  hashId(at, i);
  // The space of message numbers (life.ts checkOf).
  idCheck ^= 0x5a5a5a5a;
  idStart = at;
  idEnd = i;
  return i;
}

function qmailNew(at: i32, end: i32): i32 {
  if (messageNumber(at, end) !== end) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  if (begin(QMAIL, idCheck, ARRIVED) < 0) return SLOW;
  recorded(QMAIL);
  return TAKEN;
}

function qmailEnd(at: i32, end: i32): i32 {
  if (messageNumber(at, end) !== end) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  return ends(QMAIL, idCheck);
}

/** `N: bytes B from <S> qp Q uid U` */
function qmailInfo(at: i32, end: i32): i32 {
  let i = messageNumber(at, end);
  if (i < 0 || !stands(i, W_BYTES, 8)) return SLOW;
  const size = decimal(i + 8, end);
  i = numberEnd;
  if (size < 0 || !stands(i, W_FROM_X, 7)) return SLOW;
  const value = i + 7;
  // The last `> qp `: the path may hold one of its own.
  let close = end - 1;
  while (close > value && byte(close) !== 0x3e) close--;
  // A double bounce's path is no address, but as null as the other.
  const isNull = close === value || (close === value + 4 && stands(value, W_DOUBLE, 4));
  if (!stands(close, W_QP, 5) || (!isNull && !isOrdinaryPath(value, close))) return SLOW;
  const qp = decimal(close + 5, end);
  i = numberEnd;
  if (qp < 0 || !stands(i, W_UID, 5)) return SLOW;
  const uid = decimal(i + 5, end);
  if (uid < 0 || numberEnd !== end) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  const row = claim(idCheck);
  if (row < 0 || load<u8>(AWAITED + processSlot(host, qp)) !== 0) return SLOW;
  const n = numbersOf(row);
  let flags = load<i32>(n, N_FLAGS);
  if ((flags & (TAKEN_OVER | OVER)) !== 0) return SLOW;
  // Only one life of a slot is found by its process: the one before goes where all are.
  const slot = PROCESSES + (processSlot(host, qp) << 2);
  const before = load<i32>(slot) - 1;
  if (before >= 0 && before !== row && rowOfProcess(host, qp) < 0) {
    store<i32>(ROW, before);
    answer = PROMOTE_ROW;
    return WAIT;
  }
  const forwarded = rowOfForward(host, qp);
  const bounced = isNull ? rowOfBounce(host, qp) : -1;
  const from = forwarded >= 0 ? forwarded : bounced;
  if (from >= 0) {
    if (from === row || !mayRelate(from, row)) return SLOW;
    if (forwarded >= 0 && instant - load<f64>(LINKS + from * LINKS_SIZE, L_FORWARDED) > COMES_BACK_WITHIN)
      return SLOW;
  }
  store<i32>(slot, row + 1);
  if (close > value) keepPath(row, value, close);
  if (isNull) store<i32>(n, flags | NULL_PATH, N_FLAGS);
  if (from >= 0) {
    const l = LINKS + from * LINKS_SIZE;
    if (forwarded >= 0) {
      store<i32>(FORWARDS + (processSlot(host, qp) << 2), 0);
      store<i32>(l, -1, L_FORWARD);
      const number = load<i32>(l, L_FORWARDER);
      relate(from, row, 0);
      store<i32>(LINKS + row * LINKS_SIZE, number, L_RECIPIENT);
      const attempts = numbersOf(from) + N_ATTEMPTS + (number << 2);
      store<i32>(
        attempts,
        (load<i32>(attempts) & ~(STATE_BITS << STATE_SHIFT)) | (FORWARDED_ON << STATE_SHIFT),
      );
    } else {
      store<i32>(BOUNCES + (processSlot(host, qp) << 2), 0);
      store<i32>(l, -1, L_BOUNCE);
      relate(from, row, IS_REPORT);
    }
  }
  flags = load<i32>(n, N_FLAGS);
  store<i32>(n, flags | TAKEN_OVER, N_FLAGS);
  store<i32>(n, size, N_SIZE);
  store<i32>(n, uid, N_UID);
  store<i32>(n, qp, N_QP);
  touch(row);
  recorded(QMAIL);
  return TAKEN;
}

/** `starting delivery D: msg N to local R` */
function qmailStart(at: i32, end: i32): i32 {
  const delivery = decimal(at + 18, end);
  let i = numberEnd;
  // The first one after a start of qmail-send has more to say.
  if (delivery <= 1 || !stands(i, W_MSG, 6)) return SLOW;
  i = messageNumber(i + 6, end);
  if (i < 0) return SLOW;
  const local = stands(i, W_TO_LOCA, 8) && stands(i + 8, W_L, 2);
  if (local) i += 10;
  else if (stands(i, W_TO_REMO, 8) && stands(i + 8, W_TE, 3)) i += 11;
  else return SLOW;
  const length = end - i;
  if (length < 1 || length > D_ROOM || findByte(i, end, 32) !== end) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  const row = claim(idCheck);
  if (row < 0) return SLOW;
  const n = numbersOf(row);
  const flags = load<i32>(n, N_FLAGS);
  if ((flags & (TAKEN_OVER | OVER)) !== TAKEN_OVER) return SLOW;
  // Whose report it is may have to be found by its recipient.
  if (
    (flags & (NULL_PATH | IS_REPORT)) === NULL_PATH &&
    (host >= QP_JOINS_HOSTS || load<u8>(QP_JOINS + host) === 0)
  )
    return SLOW;
  const slot = deliverySlot(host, delivery);
  const d = deliveryAt(slot);
  const before = load<i32>(d, D_ROW) - 1;
  if (before >= 0) {
    if (before === row) return SLOW;
    store<i32>(ROW, before);
    answer = PROMOTE_ROW;
    return WAIT;
  }
  const number = recipient(row, textKey(i, end));
  if (number < 0) return SLOW;
  if (local) {
    const attempts = n + N_ATTEMPTS + (number << 2);
    store<i32>(attempts, load<i32>(attempts) | TO_LOCAL);
  }
  store<i32>(d, row + 1, D_ROW);
  store<i32>(d, delivery, D_NUMBER);
  store<i32>(d, number, D_RECIPIENT);
  store<i32>(d, length, D_LENGTH);
  store<f64>(d, instant, D_STARTED);
  store<i32>(d, load<i32>(n, N_DELIVERY), D_NEXT);
  copy(d + D_TEXT, i, length);
  store<i32>(n, slot, N_DELIVERY);
  store<i32>(n, flags | UNDER_WAY, N_FLAGS);
  touch(row);
  recorded(QMAIL);
  return TAKEN;
}

/** `D: success: T`, `D: deferral: T`, `D: failure: T`; not where T says that nothing was done, or the end of it all. */
function qmailResult(at: i32, end: i32): i32 {
  const delivery = decimal(at, end);
  const i = numberEnd;
  if (delivery < 0) return SLOW;
  let state = DELIVERED;
  let forwarded = -1;
  if (stands(i, W_SUCCES, 8) && stands(i + 8, W_S_X, 2)) {
    if (end - i <= 11) return SLOW;
    // `did_1+0+0/` at the very end, or `did_0+1+0/qp_Q/` alone.
    for (let d = i + 11; d < end - 3; d++) {
      if (!stands(d, W_DID, 4)) continue;
      if (d === i + 11) forwarded = forwardOf(d, end);
      if (forwarded >= 0) break;
      if (end - d !== 10 || byte(d + 6) !== 48 || stands(d + 4, W_0_0_0, 5)) return SLOW;
    }
  } else if (stands(i, W_DEFERRA, 8) && stands(i + 8, W_L_X, 3)) {
    if (end - i <= 12) return SLOW;
    state = DEFERRED_YET;
  } else if (stands(i, W_FAILUR, 8) && stands(i + 8, W_E_X, 2)) {
    if (end - i <= 11) return SLOW;
    for (let d = i + 11; d + 22 <= end; d++) if (byte(d) === 0x6e && stands(d, W_NOT_GOIN, 8)) return SLOW;
    state = FAILED_NOW;
  } else return SLOW;
  const row = rowOfDelivery(host, delivery);
  if (row < 0) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  const n = numbersOf(row);
  const flags = load<i32>(n, N_FLAGS);
  const slot = deliverySlot(host, delivery);
  const d = deliveryAt(slot);
  const number = load<i32>(d, D_RECIPIENT);
  let child = -1;
  if (forwarded >= 0) {
    // The forward is in the queue already, or on its way.
    child = rowOfProcess(host, forwarded);
    if (child >= 0 && (child === row || !mayRelate(row, child))) return SLOW;
    if (child >= 0 && load<f64>(timesOf(child), T_FIRST) < load<f64>(d, D_STARTED)) return SLOW;
    if (child < 0 && !mayWaitForForward(row, forwarded)) return SLOW;
    if (child >= 0) state = FORWARDED_ON;
  }
  if (state !== DELIVERED || forwarded >= 0 || (flags & NULL_PATH) !== 0) {
    if (host >= LAST_RESULT_HOSTS || !resultKept(row, d, state, end)) return SLOW;
  } else if (!delivered(row, number)) return SLOW;
  else if (host < LAST_RESULT_HOSTS) store<i32>(LAST_RESULTS + host * LAST_RESULT_SIZE, 0);
  store<i32>(d, 0, D_ROW);
  let link = n + N_DELIVERY;
  while (load<i32>(link) !== slot) link = deliveryAt(load<i32>(link)) + D_NEXT;
  store<i32>(link, load<i32>(d, D_NEXT));
  if (load<i32>(n, N_DELIVERY) === 0) store<i32>(n, load<i32>(n, N_FLAGS) & ~UNDER_WAY, N_FLAGS);
  if (child >= 0) {
    relate(row, child, 0);
    store<i32>(LINKS + child * LINKS_SIZE, number, L_RECIPIENT);
  } else if (forwarded >= 0) {
    const l = linksOf(row);
    store<i32>(l, forwarded, L_FORWARD);
    store<i32>(l, number, L_FORWARDER);
    store<f64>(l, instant, L_FORWARDED);
    store<i32>(n, load<i32>(n, N_FLAGS) | HAS_FORWARD, N_FLAGS);
    store<i32>(FORWARDS + (processSlot(host, forwarded) << 2), row + 1);
  }
  recorded(QMAIL);
  return TAKEN;
}

/** One forward of a message at a time, and one for each process; nothing else waits for it. */
function mayWaitForForward(row: i32, qp: i32): bool {
  if (load<u8>(AWAITED + processSlot(host, qp)) !== 0 || load<u8>(KNOWN + processSlot(host, qp)) !== 0)
    return false;
  const before = load<i32>(FORWARDS + (processSlot(host, qp) << 2)) - 1;
  if (before >= 0 && load<f64>(timesOf(before), T_SERIAL) !== 0) return false;
  if ((load<i32>(numbersOf(row), N_FLAGS) & HAS_FORWARD) === 0) return true;
  return load<i32>(LINKS + row * LINKS_SIZE, L_FORWARD) < 0;
}

/** The row whose forward this process is, or -1. */
export function rowOfForward(rowHost: i32, qp: i32): i32 {
  const row = load<i32>(FORWARDS + (processSlot(rowHost, qp) << 2)) - 1;
  if (row < 0 || load<f64>(timesOf(row), T_SERIAL) === 0) return -1;
  const n = numbersOf(row);
  if ((load<i32>(n, N_FLAGS) & HAS_FORWARD) === 0 || (load<i32>(n, N_PLACE) & 0xffff) !== rowHost) return -1;
  return load<i32>(LINKS + row * LINKS_SIZE, L_FORWARD) === qp ? row : -1;
}

/** The process in `did_0+1+0/qp_Q/`, of forwards only; -1 for anything else. */
function forwardOf(at: i32, end: i32): i32 {
  if (!stands(at + 4, W_0_PLUS, 2) || decimal(at + 6, end) <= 0) return -1;
  let i = numberEnd;
  if (!stands(i, W_0_QP, 6)) return -1;
  const qp = decimal(i + 6, end);
  i = numberEnd;
  return qp >= 0 && i + 1 === end && byte(i) === 0x2f ? qp : -1;
}

/** As attemptKept, with the address of the delivery `d`; splogger may go on with the line. */
function resultKept(row: i32, d: i32, state: i32, end: i32): bool {
  const number = load<i32>(d, D_RECIPIENT);
  const length = load<i32>(d, D_LENGTH);
  if (end - textStart + length + 8 > SLOT_ROOM) return false;
  if (!attemptKept(row, number, state, end)) return false;
  const s = slotAt(load<i32>(LINKS + row * LINKS_SIZE + (number << 2), L_KEPT));
  copy(s + S_TEXT + end - textStart, d + D_TEXT, length);
  store<i32>(s, length, S_ADDRESS);
  const last = LAST_RESULTS + host * LAST_RESULT_SIZE;
  store<i32>(last, row + 1);
  store<i32>(last, number, 4);
  store<f64>(last, load<f64>(timesOf(row), T_SERIAL), 8);
  store<f64>(last, sploggerStamp, 16);
  return true;
}

/** `N qp Q`: where bounces are known to be found by their process. */
function qmailBounce(at: i32, end: i32): i32 {
  const i = messageNumber(at, end);
  if (i < 0 || !stands(i, W_QP_X, 4)) return SLOW;
  const qp = decimal(i + 4, end);
  if (qp < 0 || numberEnd !== end || host >= QP_JOINS_HOSTS || load<u8>(QP_JOINS + host) === 0) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  const row = claim(idCheck);
  if (row < 0 || load<u8>(AWAITED + processSlot(host, qp)) !== 0) return SLOW;
  const n = numbersOf(row);
  const slot = BOUNCES + (processSlot(host, qp) << 2);
  const before = load<i32>(slot) - 1;
  // Its message may be on its way: one bounce after the other, and one for each process.
  if (before >= 0 && load<f64>(timesOf(before), T_SERIAL) !== 0) return SLOW;
  const l = linksOf(row);
  const flags = load<i32>(n, N_FLAGS);
  if ((flags & HAS_NOTICE) !== 0 && load<i32>(l, L_BOUNCE) >= 0) return SLOW;
  const kept = keepLine(0, end);
  if (kept === 0) return SLOW;
  store<i32>(slotAt(kept), load<i32>(l, L_NOTICES), S_NEXT);
  store<i32>(l, kept, L_NOTICES);
  store<i32>(l, qp, L_BOUNCE);
  store<i32>(slot, row + 1);
  store<i32>(n, flags | HAS_NOTICE, N_FLAGS);
  touch(row);
  recorded(QMAIL);
  return TAKEN;
}

/** The row that waits for the message which this process makes of its bounce, or -1. */
export function rowOfBounce(rowHost: i32, qp: i32): i32 {
  const row = load<i32>(BOUNCES + (processSlot(rowHost, qp) << 2)) - 1;
  if (row < 0 || load<f64>(timesOf(row), T_SERIAL) === 0) return -1;
  const n = numbersOf(row);
  if ((load<i32>(n, N_FLAGS) & HAS_NOTICE) === 0 || (load<i32>(n, N_PLACE) & 0xffff) !== rowHost) return -1;
  return load<i32>(LINKS + row * LINKS_SIZE, L_BOUNCE) === qp ? row : -1;
}

// ---- lines ------------------------------------------------------------------------------------------------------------

function count(at: i32): void {
  store<i32>(at, load<i32>(at) + 1);
}

function seen(mta: i32): void {
  store<i32>(SEEN, load<i32>(SEEN) | (1 << mta));
  if (instant < load<f64>(FROM)) store<f64>(FROM, instant);
  if (instant > load<f64>(TO)) store<f64>(TO, instant);
}

function recorded(mta: i32): void {
  count(RECORDED_LINES);
  store<i32>(LAST_LINE, 1);
  seen(mta);
}

function ignored(mta: i32): i32 {
  count(IGNORED_LINES);
  store<i32>(LAST_LINE, 1);
  seen(mta);
  return TAKEN;
}

/** Another program's line: no queue id at its beginning (the parsers' claims()). */
function foreign(at: i32, end: i32): i32 {
  switch (byte(at)) {
    case 0x6d: // message repeated
    case 0x6c: // last message
    case 0x5b: // [
    case 0x2d: // -
      return SLOW;
    default:
      if (isDigit(byte(at))) return SLOW;
  }
  while (at < end && isAlnum(byte(at))) at++;
  if (at < end && (byte(at) === 0x3a || byte(at) === 0x5b)) return SLOW;
  count(FOREIGN_LINES);
  store<i32>(LAST_LINE, 1);
  return TAKEN;
}

function twoDigits(at: i32): i32 {
  const tens = byte(at) - 48;
  const ones = byte(at + 1) - 48;
  return <u32>tens > 9 || <u32>ones > 9 ? -1 : tens * 10 + ones;
}

/** Reads the stamp into `instant` if it is of the known minute; the byte behind it and its blank, or -1. */
function stamp(at: i32): i32 {
  second = -1;
  const first = byte(at);
  if (first >= 65 && first <= 90) {
    // Nov 21 01:58:41 x
    if (load<i32>(MINUTE_KNOWN) === 0 || byte(at + 15) !== 32) return -1;
    if (load<u64>(at) !== load<u64>(MINUTE) || load<u64>(at + 5) !== load<u64>(MINUTE + 5)) return -1;
    // A second before the last one may be of another pass of the hour: the clock knows.
    second = twoDigits(at + 13);
    if (second < load<i32>(LAST_SECOND) || second > 59) return -1;
    instant = load<f64>(MINUTE_INSTANT) + <f64>second * 1000;
    return at + 16;
  }
  // 2026-11-21T01:51:04.366563+00:00 x
  if (load<i32>(ISO_KNOWN) === 0 || !isDigit(first)) return -1;
  if (
    load<u64>(at) !== load<u64>(ISO_MINUTE) ||
    load<u64>(at + 8) !== load<u64>(ISO_MINUTE + 8) ||
    byte(at + 16) !== byte(ISO_MINUTE + 16)
  )
    return -1;
  const seconds = twoDigits(at + 17);
  if (seconds < 0 || seconds > 59) return -1;
  at += 19;
  let fraction: f64 = 0;
  if (byte(at) === 0x2e) {
    const micro = decimal(at + 1, at + 8);
    if (numberEnd !== at + 7) return -1;
    fraction = <f64>micro / 1000;
    at = numberEnd;
  }
  const zone = load<i32>(ZONE_LENGTH);
  for (let i = 0; i < zone; i++) if (byte(at + i) !== byte(ZONE + i)) return -1;
  instant = load<f64>(ISO_INSTANT) + <f64>seconds * 1000 - load<f64>(ZONE_MS) + fraction;
  return at + zone;
}

/** The blank or control character behind a host, or the end. */
function nameEnd(at: i32, end: i32): i32 {
  for (; at < end; at += 16) {
    const mask = i8x16.bitmask(i8x16.le_u(v128.load(at), i8x16.splat(32)));
    if (mask !== 0) return min(at + ctz(mask), end);
  }
  return end;
}

/** The blank, control character, colon or bracket behind a tag, or the end. */
function tagEnd(at: i32, end: i32): i32 {
  for (; at < end; at += 16) {
    const text = v128.load(at);
    const mask = i8x16.bitmask(
      v128.or(
        v128.or(i8x16.le_u(text, i8x16.splat(32)), i8x16.eq(text, i8x16.splat(0x3a))),
        v128.or(i8x16.eq(text, i8x16.splat(0x5b)), i8x16.eq(text, i8x16.splat(0x5d))),
      ),
    );
    if (mask !== 0) return min(at + ctz(mask), end);
  }
  return end;
}

/** Others have lines to be read before this one. */
function beyondLimit(): i32 {
  store<f64>(REACHED, instant);
  answer = BEYOND_LIMIT;
  return WAIT;
}

/** Where the name of `host` stands among HOSTS, and its length; 0 where nothing is known. */
let lastHost: i32 = 0;
let lastHostLength: i32 = 0;

/** One line; TAKEN, SLOW or WAIT. */
function line(start: i32, end: i32): i32 {
  // Room for the longest stamp, and nothing to be trimmed at the end.
  if (end - start < 40 || byte(end - 1) <= 32 || byte(end - 1) === 0x2c) return SLOW;
  let at = stamp(start);
  if (at < 0) return SLOW;
  // Most logs are of one host, and its name is compared in a third of the time that it takes to find it.
  let i = at + lastHostLength;
  if (lastHostLength === 0 || byte(i) !== 32 || !sameBytes(at, lastHost, lastHostLength)) {
    i = nameEnd(at, end);
    if (i >= end || byte(i) !== 32) return SLOW;
    const known = findName(HOSTS, at, i, nameHash(at, i));
    if (known === 0) return SLOW;
    lastHost = known + 16;
    lastHostLength = i - at;
    host = load<i32>(known, 8);
  }
  at = i + 1;
  i = tagEnd(at, end);
  const entry = findName(TAGS, at, i, nameHash(at, i));
  if (entry === 0) return SLOW;
  place = (load<i32>(entry, 8) << PLACE_SHIFT) | host;
  tagFlags = load<i32>(entry, 12);
  pid = 0;
  if (byte(i) === 0x5b) {
    pid = decimal(i + 1, end);
    i = numberEnd;
    if (pid < 0 || byte(i) !== 0x5d || byte(i + 1) !== 0x3a) return SLOW;
    i += 2;
  } else {
    if (byte(i) !== 0x3a || byte(i + 1) !== 32) return SLOW;
    i++;
  }
  while (i < end && byte(i) === 32) i++;
  if (i >= end || byte(i) === 9) return SLOW;
  textStart = i;
  const family = tagFlags & FAMILY_BITS;
  // The time of a line of qmail's may stand in its text.
  if (family !== FAMILY_QMAIL && instant > load<f64>(LIMIT)) return beyondLimit();
  switch (family) {
    case FAMILY_POSTFIX:
      return postfix(i, end);
    case FAMILY_SENDMAIL:
      return sendmail(i, end);
    case FAMILY_QMAIL:
      return qmail(i, end);
    case FAMILY_OTHER:
      return foreign(i, end);
    default:
      return SLOW;
  }
}

/** Takes the lines of [NEXT, end), which ends with a newline; says why it stopped (layout.ts). */
export function run(end: i32): i32 {
  let start = load<i32>(NEXT);
  while (start < end) {
    const stop = lineEnd(start);
    const result = line(start, stop);
    if (result === TAKEN) {
      if (second >= 0) {
        store<i32>(LAST_SECOND, second);
        store<f64>(YEARLESS, load<f64>(MINUTE_INSTANT) + <f64>second * 1000);
        store<i32>(YEARLESS_READ, 1);
      }
      start = stop + 1;
      continue;
    }
    store<i32>(LINE_START, start);
    store<i32>(LINE_END, stop);
    if (result === WAIT) {
      store<i32>(NEXT, start);
      return answer;
    }
    store<i32>(NEXT, stop + 1);
    return SLOW_LINE;
  }
  store<i32>(NEXT, start);
  return ALL_TAKEN;
}
