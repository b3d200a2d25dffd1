/**
 * Where things lie in the kernel's memory, and what its calls answer. Read by the kernel (AssemblyScript) and by those
 * who share its memory (TypeScript), so: integer constants only.
 */

// Answers of run() and closeDue().
/** Every whole line was taken. */
export const ALL_TAKEN = 0;
/** LINE_START, LINE_END: a line that is not for the kernel. */
export const SLOW_LINE = 1;
/** ROW has to become a Life; then call again. */
export const PROMOTE_ROW = 2;
/** Log time moves to ADVANCE_TO, and others have something to do then; then call again. */
export const ADVANCE = 3;
/** ROW is a plain message to be told and released; then call again. */
export const TELL_ROW = 5;
/** The table of plain counts is full; then call again. */
export const DRAIN = 4;
/** The outbox is full; then call again. */
export const OUTBOX_FULL = 6;
/** The line at LINE_START is of REACHED, later than LIMIT. */
export const BEYOND_LIMIT = 7;
/** LINE_START, LINE_END: a line whose stamp is not of the known minute; then call again. */
export const NEW_MINUTE = 8;

// Families of tags.
export const FAMILY_OTHER = 1;
export const FAMILY_POSTFIX = 2;
export const FAMILY_SENDMAIL = 3;
export const FAMILY_QMAIL = 4;
export const FAMILY_BITS = 7;
/** Postfix: what this daemon says without a queue id is about itself. */
export const TAG_SPEAKS = 8;
/** Postfix: the queue manager. */
export const TAG_QMGR = 16;
/** Postfix: discard(8). */
export const TAG_DISCARD = 32;
/** What is above is the tag's own number (lines/tags.ts). */
export const TAG_SHIFT = 8;

// Control block: 4-byte numbers first, then 8-byte ones.
export const LINE_START = 65536;
export const LINE_END = 65540;
/** Where run() goes on. */
export const NEXT = 65544;
export const ROW = 65548;
export const RECORDED_LINES = 65552;
export const IGNORED_LINES = 65556;
export const FOREIGN_LINES = 65560;
/** A bit for each MTA that wrote anything. */
export const SEEN = 65564;
export const REJECTED_RECIPIENTS = 65568;
export const REJECTED_FOR_NOW = 65572;
/** What the last line was: 0 none, 1 any, 2 refused recipient, 3 refused for now. */
export const LAST_LINE = 65576;
/** 1 while MINUTE is good; likewise for ISO_MINUTE. */
export const MINUTE_KNOWN = 65580;
export const LAST_SECOND = 65584;
export const ISO_KNOWN = 65588;
export const ZONE_LENGTH = 65592;
export const ROWS_USED = 65596;
export const FREE_ROWS = 65600;
export const PLAIN_COUNTS = 65604;
/** 1: no new rows (a session discards). */
export const NO_ARRIVALS = 65608;
/** 1: pickup's messages may be what pipe(8) gave away: no rows for them. */
export const NO_PICKUPS = 65732;
/** 1 when a stamp without year was read: YEARLESS is the clock's. */
export const YEARLESS_READ = 65612;
/** How many rows wait to be closed. */
export const WAITING = 65616;
export const INDEX_MASK = 65704;
export const INDEXED = 65708;
/** 1: every message with a client is told (TELL_ROW), not only those of private ones. */
export const TOLD_CLIENTS = 65632;
/** How many uids follow whose messages are told; up to 16. */
export const TOLD_UIDS = 65636;
/** Of the message of TELL_ROW: its recipients by outcome. */
export const TOLD_DELIVERED = 65712;
export const TOLD_EXPANDED = 65716;
/** Rows that may be in use. */
export const ROW_LIMIT = 65740;
export const SLOTS_USED = 65720;
export const FREE_SLOTS = 65724;
/** Counts what is kept: lines and links of a row are in its order. */
export const SEQUENCE = 65728;
/** 1: chains that are over and not plain are put into the outbox, for another kernel. */
export const SENDS_CHAINS = 65744;
/** Bytes in the outbox. */
export const OUTBOX_USED = 65748;
/** The failed, or only, recipient of the chain whose outline was asked for: where it stands, and its length. */
export const OUTLINE_RECIPIENT = 65752;
export const OUTLINE_RECIPIENT_LENGTH = 65756;
/** Likewise the next hop that refused it; 0 for none. */
export const OUTLINE_RELAY = 65760;
export const OUTLINE_RELAY_LENGTH = 65764;

export const NOW = 65792;
export const ORIGIN = 65800;
/** The second before which all that was over has been closed. */
export const CLOSED_TO = 65808;
export const ADVANCE_TO = 65816;
/** Others have something to do when log time is later than this. */
export const NEXT_DUE = 65824;
/** Lives that began up to this time may go on to the left of this piece of log. */
export const SEAM = 65832;
export const FROM = 65840;
export const TO = 65848;
export const SERIAL_COUNTER = 65856;
export const MINUTE_INSTANT = 65864;
export const YEARLESS = 65872;
export const ISO_INSTANT = 65880;
export const ZONE_MS = 65888;
/** No line later than this is taken; the instant of the first one that is. */
export const LIMIT = 65896;
export const REACHED = 65904;

//  "Nov 21 01:58:" and "2026-11-21T01:51:" and "+00:00 "
export const MINUTE = 65920;
export const MINUTE_LENGTH = 13;
export const ISO_MINUTE = 65952;
export const ISO_MINUTE_LENGTH = 17;
export const ZONE = 65984;

/** What the chain is apart from names and times, and the instants of its notices, three at the most. */
export const OUTLINE_KEY = 66016;
export const OUTLINE_AT = 66024;

/** qmail: 1 for each host where a bounce was found by its process (JoinerState.qpJoins). */
export const QP_JOINS = 66048;
export const QP_JOINS_HOSTS = 256;
/** qmail: the last result of each host that splogger may go on with: row + 1, recipient, serial, splogger's stamp. */
export const LAST_RESULTS = 66304;
export const LAST_RESULT_SIZE = 24;
export const LAST_RESULT_HOSTS = 64;

// Tables of hosts and tags: hash, length, number, meaning, bytes.
export const NAMES_SLOTS = 256;
export const NAME_SIZE = 80;
export const NAME_ROOM = 64;
export const HOSTS = 69632;
export const TAGS = 90112;

/** Plain messages: hour, MTA, messages, recipients delivered, recipients expanded; 8 bytes each. */
export const PLAIN = 110592;
export const PLAIN_SIZE = 40;
export const PLAIN_ROOM = 64;

/** qmail: row + 1 by process (pids of one host do not meet). */
export const PROCESS_SLOTS = 65536;
export const PROCESSES = 42532864;

/** qmail: a byte for each slot of a process that something waits for (JoinerState.awaits). */
export const AWAITED = 147456;
/** qmail: likewise, of those whose message may be a life of the joiner's (JoinerState.lifeByQp). */
export const KNOWN = 60686336;

/**
 * How many lives in the joiner's table have an id of this hash: bytes that stop at 255. Two hashes: by one alone, a third
 * more of qmail's lines are slow (30,000 a GB, not 21,000). They grow with the table: what is small stays in the cache,
 * and is asked twice of each message.
 */
export const PRESENCE = 262144;
export const PRESENCE_BESIDE = 524288;
export const LEAST_PRESENCE_BITS = 12;
export const MOST_PRESENCE_BITS = 18;
/** So many bits of a hash are not used. */
export const PRESENCE_SHIFT = 65768;

export const MOST_ROWS = 65536;
/** 4-byte row numbers. */
export const FREE = 1310720;
// Rows that wait to be closed, by the second in which their time is over (ClosingTimes in chains/state.ts): the first and the
// last row + 1 of each second.
export const CLOSING = 212992;
export const CLOSING_SECONDS = 512;
// Ids -> rows, open addressing: hash, check, row + 1, nothing. It grows with the rows: what is small stays in the cache.
export const FIRST_INDEX_SLOTS = 4096;
export const MOST_INDEX_SLOTS = 262144;
export const INDEX = 3670016;

// A row: numbers; times and keys; texts.
export const NUMBERS = 7864320;
export const NUMBERS_SIZE = 128;
export const N_HASH = 0;
export const N_CHECK = 4;
/** Host, and the instance's number above. */
export const N_PLACE = 8;
export const PLACE_SHIFT = 16;
export const N_FLAGS = 12;
export const N_PID = 16;
export const N_UID = 20;
export const N_SIZE = 24;
export const N_ENVELOPE_RECIPIENTS = 28;
export const N_QP = 32;
/** qmail: slot + 1 of a delivery under way, 0 for none. */
export const N_DELIVERY = 36;
export const N_RECIPIENTS = 40;
/** The lengths of the first four texts, a byte each. */
export const N_LENGTHS = 44;
/** Attempts of the first recipient; those of the others follow. */
export const N_ATTEMPTS = 48;
/** Where in CLOSING it waits, 0 when it does not; the rows + 1 that do so before and behind it. */
export const N_UNTIL = 96;
export const N_BEFORE = 100;
export const N_BEHIND = 104;

export const TIMES = 16252928;
export const TIMES_SIZE = 128;
export const T_FIRST = 0;
export const T_LAST = 8;
/** As Life.serial; 0 in a free row. */
export const T_SERIAL = 16;
export const T_MESSAGE_KEY = 24;
/** Key of the first recipient; those of the others follow. */
export const T_KEYS = 32;

export const MOST_RECIPIENTS = 12;
/** In a number of attempts: the relay was `local`. */
export const TO_LOCAL = 16777216;
// How the last attempt ended, above STATE_SHIFT.
export const STATE_SHIFT = 25;
export const STATE_BITS = 7;
export const UNTRIED_YET = 0;
export const DELIVERED = 1;
export const DEFERRED_YET = 2;
export const FAILED_NOW = 3;
/** To another id of this host: `queued as` by a filter, `forwarded as` by local(8). */
export const HANDED_OVER = 4;
export const FORWARDED_ON = 5;
/** sendmail: when its time in the queue was over; the last attempt was another one. */
export const GIVEN_UP_NOW = 6;

// N_FLAGS; the two lowest bits are the MTA (record.ts).
export const MTA_BITS = 3;
export const TAKEN_OVER = 4;
export const OVER = 8;
/** qmail: N_DELIVERY is under way, perhaps others. */
export const UNDER_WAY = 16;
/** A client or user handed it in. */
export const ARRIVED = 32;
/** sendmail: its first line was of an authentication. */
export const HEAD_AUTH = 64;
/** Its id is another life's by now: not in the index. */
export const SHADOWED = 128;
/** Its reverse-path is the null one. */
export const NULL_PATH = 65536;
/** Nobody handed it in: its first line was of its Message-ID (Postfix), of an attempt (sendmail). */
export const HEAD_OTHER = 131072;
/** It has a row in LINKS. */
export const HAS_LINKS = 262144;
/** Has a parent or children. */
export const RELATED = 524288;
/** Its parent's DSN. */
export const IS_REPORT = 1048576;
/** Its own first line named the parent. */
export const NAMED_PARENT = 2097152;
/** Its time is over; others of its chain go on. */
export const CLOSED = 4194304;
/** A DSN of it was announced, or it was given up. */
export const HAS_NOTICE = 8388608;
/** qmail: L_FORWARD says something. */
export const HAS_FORWARD = 67108864;
/** Nothing of it was seen but what another row's line said. */
export const LINK_ONLY = 16777216;
/** Postfix: a user of this host handed it in. */
export const LOCAL_ORIGIN = 33554432;

// Texts and their room.
export const TEXTS = 24641536;
export const TEXTS_SIZE = 192;
export const ID_AT = 0;
export const ID_ROOM = 24;
export const CLIENT_AT = 24;
export const CLIENT_ROOM = 40;
export const PATH_AT = 64;
export const PATH_ROOM = 76;
export const USER_AT = 140;
export const USER_ROOM = 40;
export const CLIENT_SHIFT = 8;
export const USER_SHIFT = 16;
export const PATH_SHIFT = 24;

/** Bytes to be read, half a megabyte at the most, with room behind them for look-ahead. */
export const INPUT = 41418752;
/** Where a file's bytes come to by themselves, and need not be copied; with such room, too. */
export const FILE_INPUT = 41943040;
export const FILE_INPUT_ROOM = 131072;

// What few rows have: lines that are kept to be read again when somebody asks, and relations. 0 for none.
export const LINKS = 42795008;
export const LINKS_SIZE = 128;
/** Slot + 1 of the last line about each recipient. */
export const L_KEPT = 0;
/** Slot + 1 of the first line about DSNs; the others hang on it. */
export const L_NOTICES = 48;
/** Row + 1. */
export const L_PARENT = 52;
export const L_CHILD = 56;
export const L_SIBLING = 60;
/** At the root: how many rows of the chain are not closed. */
export const L_PENDING = 64;
/** When (SEQUENCE) it got its parent. */
export const L_SINCE = 68;
/** qmail: the recipient that was forwarded as this row. */
export const L_RECIPIENT = 72;
/** qmail: the process, recipient and instant of a forward whose message has not come; process -1 when it has. */
export const L_FORWARD = 80;
export const L_FORWARDER = 84;
export const L_FORWARDED = 88;
/** qmail: the process of the bounce that was announced last, -1 when its message has come. */
export const L_BOUNCE = 76;

// Slots of kept lines.
export const SLOTS = 51183616;
export const SLOT_SIZE = 512;
export const MOST_SLOTS = 16384;
export const S_NEXT = 0;
export const S_LENGTH = 4;
export const S_TAG = 8;
export const S_HOST = 12;
export const S_SEQUENCE = 16;
/** How much of the text is the recipient's address, behind the line: qmail's results name none. */
export const S_ADDRESS = 20;
export const S_INSTANT = 24;
export const S_TEXT = 32;
export const SLOT_ROOM = 480;
/** 4-byte slot numbers. */
export const FREE_SLOT_LIST = 59572224;
/** qmail: row + 1 of the message whose bounce waits for a process, by slot of the process. */
export const BOUNCES = 59637760;
/** qmail: row + 1 of the message whose forward waits for a process, likewise. */
export const FORWARDS = 59899904;

// qmail: the deliveries under way, by number; those of a row hang together.
export const DELIVERY_SLOTS = 4096;
export const DELIVERIES = 60162048;
export const DELIVERY_SIZE = 128;
/** Row + 1. */
export const D_ROW = 0;
export const D_NUMBER = 4;
export const D_RECIPIENT = 8;
export const D_LENGTH = 12;
export const D_STARTED = 16;
/** Slot + 1. */
export const D_NEXT = 24;
/** The recipient's address. */
export const D_TEXT = 32;
export const D_ROOM = 88;

/**
 * Submissions of which a number is all that is told: hash, check, nothing, how many there were since the last DRAIN, and
 * the time up to which those accepted are told one by one.
 */
export const SUBMISSIONS = 60751872;
export const SUBMISSION_SIZE = 32;
export const SUBMISSION_BITS = 14;
export const U_COUNT = 12;
export const U_AFTER = 16;
/** Places in SUBMISSIONS that count any, and how many those are. */
export const REPEATED = 61276160;
export const MOST_REPEATED = 256;
export const REPEATS = 65736;

/**
 * Chains that leave: size in bytes, nothing, the log time of their end; then a row each, parents before children: its
 * parent's place among them, how many of its lines are notices, the row's four parts and its lines.
 */
export const OUTBOX = 61341696;
export const OUTBOX_ROOM = 524288;
export const CHAIN_HEAD = 16;
export const CHAIN_NOW = 8;
export const ROW_HEAD = 8;
export const PAGES = 944;
